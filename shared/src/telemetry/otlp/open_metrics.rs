//! OpenMetrics text, as our own registry writes it, as OTLP's messages: counters become monotonic sums,
//! histograms keep their buckets, everything else is a gauge. Names and labels stay as they are.

use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue, any_value};
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint, Sum, number_data_point,
};

/// Reads the text. `began` and `now` are nanoseconds since 1970: since when counters count, and when they
/// were read. A line that is none of the format's is left out.
pub(super) fn read(text: &str, began: u64, now: u64) -> Vec<Metric> {
    let mut metrics: Vec<Metric> = Vec::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            describe(&mut metrics, comment);
        } else if let (Some(metric), Some(sample)) = (metrics.last_mut(), Sample::read(line)) {
            add(metric, sample, began, now);
        }
    }
    metrics.retain(|metric| !is_empty(metric));
    metrics
}

fn describe(metrics: &mut Vec<Metric>, comment: &str) {
    let mut words = comment.splitn(3, ' ');
    let (Some(word), Some(name)) = (words.next(), words.next()) else { return };
    let rest = words.next().unwrap_or_default();
    if metrics.last().is_none_or(|metric| metric.name != name) {
        metrics.push(Metric { name: name.to_owned(), ..Default::default() });
    }
    let Some(metric) = metrics.last_mut() else { return };
    match word {
        "HELP" => rest.clone_into(&mut metric.description),
        "UNIT" => (if rest == "seconds" { "s" } else { rest }).clone_into(&mut metric.unit),
        "TYPE" => {
            let aggregation_temporality = AggregationTemporality::Cumulative as i32;
            metric.data = Some(match rest {
                "counter" => Data::Sum(Sum { aggregation_temporality, is_monotonic: true, data_points: Vec::new() }),
                "histogram" => Data::Histogram(Histogram { aggregation_temporality, data_points: Vec::new() }),
                _ => Data::Gauge(Gauge::default()),
            });
        }
        _ => {}
    }
}

fn add(metric: &mut Metric, sample: Sample<'_>, began: u64, now: u64) {
    match &mut metric.data {
        Some(Data::Sum(sum)) => sum.data_points.push(number(sample, began, now)),
        Some(Data::Gauge(gauge)) => gauge.data_points.push(number(sample, 0, now)),
        Some(Data::Histogram(histogram)) => observe(&mut histogram.data_points, sample, began, now),
        _ => {}
    }
}

fn number(sample: Sample<'_>, began: u64, now: u64) -> NumberDataPoint {
    let value = match sample.value.parse() {
        Ok(whole) => number_data_point::Value::AsInt(whole),
        Err(_) => number_data_point::Value::AsDouble(sample.value.parse().unwrap_or(f64::NAN)),
    };
    NumberDataPoint {
        attributes: sample.labels,
        start_time_unix_nano: began,
        time_unix_nano: now,
        value: Some(value),
        ..Default::default()
    }
}

/// A histogram's lines follow each other: its sum, its count, its buckets by their bounds. A bucket of the
/// text counts those below it too, one of OTLP only its own.
fn observe(points: &mut Vec<HistogramDataPoint>, mut sample: Sample<'_>, began: u64, now: u64) {
    let bound = sample.take("le");
    if points.last().is_none_or(|point| point.attributes != sample.labels) {
        points.push(HistogramDataPoint {
            attributes: std::mem::take(&mut sample.labels),
            start_time_unix_nano: began,
            time_unix_nano: now,
            ..Default::default()
        });
    }
    let Some(point) = points.last_mut() else { return };
    if sample.name.ends_with("_sum") {
        point.sum = sample.value.parse().ok();
    } else if sample.name.ends_with("_count") {
        point.count = sample.value.parse().unwrap_or_default();
    } else if let Some(bound) = bound {
        let below: u64 = point.bucket_counts.iter().sum();
        point.bucket_counts.push(sample.value.parse::<u64>().unwrap_or_default().saturating_sub(below));
        if let Some(bound) = bound.parse::<f64>().ok().filter(|bound| bound.is_finite()) {
            point.explicit_bounds.push(bound);
        }
    }
}

fn is_empty(metric: &Metric) -> bool {
    match &metric.data {
        Some(Data::Sum(sum)) => sum.data_points.is_empty(),
        Some(Data::Gauge(gauge)) => gauge.data_points.is_empty(),
        Some(Data::Histogram(histogram)) => histogram.data_points.is_empty(),
        _ => true,
    }
}

struct Sample<'a> {
    name: &'a str,
    labels: Vec<KeyValue>,
    value: &'a str,
}

impl<'a> Sample<'a> {
    /// `name{label="value",…} number`; a label's value may hold any character, three of them escaped.
    fn read(line: &'a str) -> Option<Self> {
        let end = line.find(['{', ' '])?;
        let (name, mut rest) = line.split_at(end);
        let mut labels = Vec::new();
        if let Some(inside) = rest.strip_prefix('{') {
            rest = inside;
            while let Some((label, after)) = rest.split_once("=\"") {
                let (value, after) = quoted(after)?;
                let value = Some(AnyValue { value: Some(any_value::Value::StringValue(value)) });
                labels.push(KeyValue { key: label.trim_start_matches(',').to_owned(), value, ..Default::default() });
                rest = after;
                if rest.starts_with('}') {
                    break;
                }
            }
            rest = rest.strip_prefix('}')?;
        }
        let value = rest.trim_start().split(' ').next().filter(|value| !value.is_empty())?;
        Some(Self { name, labels, value })
    }

    fn take(&mut self, label: &str) -> Option<String> {
        let at = self.labels.iter().position(|pair| pair.key == label)?;
        match self.labels.remove(at).value?.value? {
            any_value::Value::StringValue(text) => Some(text),
            _ => None,
        }
    }
}

/// A value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => value.push(match characters.next()?.1 {
                'n' => '\n',
                other => other,
            }),
            other => value.push(other),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::{ErrorCode, Stage};
    use crate::telemetry::Metrics;

    fn named<'a>(metrics: &'a [Metric], name: &str) -> &'a Data {
        let metric = metrics.iter().find(|metric| metric.name == name);
        metric.unwrap_or_else(|| panic!("{name} is missing")).data.as_ref().expect("it has data")
    }

    fn labels(attributes: &[KeyValue]) -> Vec<(&str, &str)> {
        fn text(value: &Option<AnyValue>) -> &str {
            match value {
                Some(AnyValue { value: Some(any_value::Value::StringValue(text)) }) => text,
                other => panic!("{other:?} is no text"),
            }
        }
        attributes.iter().map(|pair| (pair.key.as_str(), text(&pair.value))).collect()
    }

    #[test]
    fn counters_gauges_and_histograms_of_the_registry_become_their_like() {
        let metrics = Metrics::default();
        metrics.claim("run", true);
        metrics.set_jobs("run", "waiting", 7);
        for milliseconds in [20, 20, 7_000_000] {
            metrics.stage_ended(Stage::Read, Some(ErrorCode::OcrFailed), Duration::from_millis(milliseconds));
        }
        let read = read(&metrics.encode(), 5, 9);
        let Data::Sum(claims) = named(&read, "rb_ocr_claims") else { panic!("a counter is a sum") };
        assert!(claims.is_monotonic);
        let claim = &claims.data_points[0];
        assert_eq!(labels(&claim.attributes), [("kind", "run"), ("outcome", "won")]);
        assert_eq!((claim.start_time_unix_nano, claim.time_unix_nano), (5, 9));
        assert_eq!(claim.value, Some(number_data_point::Value::AsInt(1)));
        let Data::Gauge(jobs) = named(&read, "rb_ocr_jobs") else { panic!("a gauge stays one") };
        assert_eq!(jobs.data_points[0].value, Some(number_data_point::Value::AsInt(7)));
        let Data::Histogram(stages) = named(&read, "rb_ocr_stage_duration_seconds") else { panic!("it has buckets") };
        let stage = &stages.data_points[0];
        assert_eq!(labels(&stage.attributes), [("stage", "read"), ("outcome", "OCR_FAILED")]);
        assert_eq!((stage.count, stage.sum), (3, Some(7000.04)));
        assert_eq!(stage.bucket_counts.len(), stage.explicit_bounds.len() + 1);
        assert_eq!((stage.explicit_bounds[1], stage.bucket_counts[1]), (0.025, 2), "20 ms is in (10, 25]");
        assert_eq!((stage.bucket_counts.iter().sum::<u64>(), stage.bucket_counts.last()), (3, Some(&1)));
    }

    #[test]
    fn what_nothing_was_counted_for_is_not_sent_and_units_are() {
        let read = read(&Metrics::default().encode(), 0, 0);
        assert!(read.iter().all(|metric| metric.name != "rb_ocr_claims"));
        let waits = read.iter().find(|metric| metric.name == "rb_ocr_queue_wait_seconds").expect("it has no labels");
        assert_eq!((waits.unit.as_str(), waits.description.is_empty()), ("s", false));
    }

    #[test]
    fn a_label_may_hold_quotes_commas_and_braces() {
        let sample = Sample::read(r#"a_total{x="1\"},{\\n\n",y="ж"} 2.5"#).expect("a sample");
        assert_eq!(labels(&sample.labels), [("x", "1\"},{\\n\n"), ("y", "ж")]);
        assert_eq!((sample.name, sample.value), ("a_total", "2.5"));
        assert!(Sample::read("broken{x=\"1").is_none());
    }
}
