//! What becomes of a run after an attempt: a result, an error, or another attempt. Pure.

use std::time::{Duration, Instant};

use shared::budgets::FLAG_OVER_BUDGET;
use shared::domain::{ErrorCode, Evidence, Stage};
use shared::settings::{Prices, Timing};
use shared::store::finish::{Finish, FinishedCall, FinishedPage, FinishedVerdict};

use super::duplicates::Seen;
use crate::analysis::{LlmCall, RULES};
use crate::callbacks::next_pause;
use crate::pipeline::{Failure, Judged, Work};

/// How an attempt ended.
#[derive(Debug)]
pub enum Outcome {
    /// With a verdict.
    Judged(Box<Judged>),
    /// A stage gave no result.
    Failed(Failure),
    /// A panic.
    Crashed,
    /// The run's time was used up.
    OutOfTime,
}

/// An attempt that ended, and all that is known from it.
#[derive(Debug)]
pub struct Ended {
    /// How.
    pub outcome: Outcome,
    /// What the stages found.
    pub work: Work,
    /// The store's key of each page's picture.
    pub pictures: Vec<Option<String>>,
    /// When: the model's calls are placed in time by it.
    pub at: Instant,
    /// The client's budget is spent: the rules alone have analysed it.
    pub over_budget: bool,
    /// What is known of the same paper, before and for those that come after.
    pub seen: Seen,
}

/// Who did it: the same for every run of a process.
#[derive(Clone, Debug)]
pub struct Means {
    /// `ocr_engine`.
    pub ocr_engine: &'static str,
    /// `analyzer`.
    pub analyzer: &'static str,
    /// `model`.
    pub model: Option<String>,
    /// `prompt_version`.
    pub prompt_version: Option<&'static str>,
    /// `LLM_PRICE`.
    pub prices: Prices,
    /// The worker's name.
    pub worker: String,
}

/// What is to be written.
#[derive(Debug)]
pub enum Then {
    /// The run ends.
    Finish(Box<Finish>),
    /// It is tried again after a pause.
    Retry {
        /// How long.
        pause: Duration,
        /// Why; nothing of the document.
        reason: String,
    },
    /// It is given back with its attempt, and due again after a pause: a service is away.
    GiveBack {
        /// How long.
        pause: Duration,
    },
}

impl Ended {
    /// An attempt that ended so.
    pub fn new(outcome: Outcome, work: Work, at: Instant) -> Self {
        Self { outcome, work, pictures: Vec::new(), at, over_budget: false, seen: Seen::default() }
    }

    /// One that found nothing.
    pub fn without_work(outcome: Outcome, at: Instant) -> Self {
        Self::new(outcome, Work::default(), at)
    }
}

/// Decides. `attempt` counts from 1; `jitter`, 0 to 1, spreads the pauses of runs that failed together.
pub fn after(ended: Ended, attempt: u32, timing: &Timing, means: &Means, jitter: f64) -> Then {
    let again = |failure: &Failure| {
        let pause = next_pause(attempt, &timing.retry_pauses, failure.retry_after, jitter)?;
        Some(Then::Retry { pause, reason: failure.to_string() })
    };
    let failure = match &ended.outcome {
        Outcome::Judged(_) => None,
        Outcome::Failed(Failure { away: Some(wait), .. }) => {
            return Then::GiveBack { pause: until_probed(*wait, jitter) };
        }
        Outcome::Failed(failure) => {
            if let Some(then) = again(failure).filter(|_| failure.code.retryable()) {
                return then;
            }
            Some(failure.clone())
        }
        Outcome::Crashed => {
            let failure = Failure::new(ErrorCode::UnknownError, "a stage crashed");
            if let Some(then) = again(&failure) {
                return then;
            }
            Some(failure)
        }
        Outcome::OutOfTime => Some(Failure::new(ErrorCode::TimedOut, "the run's time was used up")),
    };
    let crashed = matches!(ended.outcome, Outcome::Crashed);
    let dead_reason = crashed.then(|| format!("it crashed its worker {attempt} times"));
    Then::Finish(Box::new(finish(ended, failure, dead_reason, means)))
}

/// Longer than a service that is away is left alone, so that a probe may be let through, and spread, so that
/// runs that were given back together do not come back together.
fn until_probed(wait: Duration, jitter: f64) -> Duration {
    wait.max(SHORTEST_WAIT).mul_f64(1.0 + jitter.clamp(0.0, 1.0) / 2.0)
}

const SHORTEST_WAIT: Duration = Duration::from_secs(1);

fn finish(ended: Ended, failure: Option<Failure>, dead_reason: Option<String>, means: &Means) -> Finish {
    let Ended { outcome, work, pictures, at, over_budget, seen } = ended;
    let (mut verdict, errors) = match outcome {
        Outcome::Judged(judged) => {
            let errors = judged.judgement.errors.clone();
            (Some(verdict(*judged)), errors)
        }
        _ => (None, failure.iter().map(|failure| failure.code).collect()),
    };
    if let Some(verdict) = verdict.as_mut().filter(|_| over_budget) {
        verdict.flags.push(FLAG_OVER_BUDGET.to_owned());
    }
    let asked = (!over_budget).then_some(means);
    let seconds = |stage: Stage| work.timings.get(stage.as_str()).copied();
    let analysis = seconds(Stage::Classify).into_iter().chain(seconds(Stage::Extract)).reduce(f64::max);
    Finish {
        verdict,
        errors,
        error_details: failure.map(|failure| failure.reason),
        page_count: work.page_count.and_then(|pages| i32::try_from(pages).ok()),
        llm_seconds: analysis.filter(|_| !work.calls.is_empty()),
        llm_calls: work.calls.into_iter().map(|call| kept_call(call, at, &means.prices)).collect(),
        ocr_seconds: seconds(Stage::Read),
        stage_timings: work.timings,
        pages: work
            .pages
            .iter()
            .zip(pictures.into_iter().chain(std::iter::repeat(None)))
            .map(|(page, image_key)| FinishedPage {
                number: page.number,
                text: page.text.clone(),
                confidence: page.confidence.map(|confidence| confidence.clamp(0.0, 1.0)),
                source: page.source.as_str(),
                image_key,
            })
            .collect(),
        ocr_engine: Some(means.ocr_engine),
        analyzer: Some(asked.map_or(RULES, |means| means.analyzer)),
        model: asked.and_then(|means| means.model.clone()),
        prompt_version: asked.and_then(|means| means.prompt_version),
        duplicate_of: seen.duplicate_of,
        prints: seen.prints,
        found_key: seen.found_key,
        dead_reason,
        last_worker: None,
        worker: means.worker.clone(),
    }
}

fn verdict(judged: Judged) -> FinishedVerdict {
    let Judged { analysis, judgement } = judged;
    let (classification, extraction) = (analysis.classification, analysis.extraction);
    let evidence = Evidence {
        fio: extraction.fio.as_ref().map(|found| (&found.quote).into()),
        doc_date: extraction.doc_date.as_ref().map(|found| (&found.quote).into()),
        doc_type: classification.doc_type.as_ref().map(|found| (&found.quote).into()),
    };
    FinishedVerdict {
        verdict: judgement.verdict,
        checks: judgement.checks,
        fio: extraction.fio.map(|found| found.value),
        doc_date: extraction.doc_date.map(|found| found.value),
        doc_type: classification.doc_type.map(|found| found.value.title),
        single_doc_type: classification.single_doc_type,
        doc_type_known: judgement.checks.doc_type_known,
        evidence,
        flags: judgement.flags,
    }
}

fn kept_call(call: LlmCall, at: Instant, prices: &Prices) -> FinishedCall {
    FinishedCall {
        call_type: call.call_type.as_str(),
        model: call.model.to_string(),
        began_seconds_ago: at.saturating_duration_since(call.started).as_secs_f64(),
        duration_seconds: call.duration.as_secs_f64(),
        prompt_tokens: call.prompt_tokens,
        completion_tokens: call.completion_tokens,
        total_tokens: call.total_tokens,
        cost: prices.of(&call.model).and_then(|price| price.of(call.prompt_tokens, call.completion_tokens)),
        outcome: call.outcome.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use shared::settings::Settings;

    use super::*;

    fn decide(outcome: Outcome, attempt: u32) -> Then {
        let settings = Settings::read(&|_| None).expect("the defaults are good");
        let means = Means {
            ocr_engine: "tesseract",
            analyzer: "rules",
            model: None,
            prompt_version: None,
            prices: Prices::default(),
            worker: "worker".into(),
        };
        after(Ended::without_work(outcome, Instant::now()), attempt, &settings.timing, &means, 0.5)
    }

    fn failed(code: ErrorCode, retry_after: Option<u64>) -> Outcome {
        let retry_after = retry_after.map(Duration::from_secs);
        Outcome::Failed(Failure { retry_after, ..Failure::new(code, "a reason") })
    }

    fn pause(then: Then) -> u64 {
        match then {
            Then::Retry { pause, .. } => pause.as_secs(),
            then => panic!("it is not tried again: {then:?}"),
        }
    }

    fn codes(then: Then) -> Vec<ErrorCode> {
        match then {
            Then::Finish(finish) => finish.errors,
            then => panic!("it did not end: {then:?}"),
        }
    }

    #[test]
    fn a_failure_that_may_pass_is_tried_five_times_with_growing_pauses() {
        let pauses: Vec<u64> = (1..=4).map(|n| pause(decide(failed(ErrorCode::OcrFailed, None), n))).collect();
        assert_eq!(pauses, [5, 30, 120, 600]);
        assert_eq!(codes(decide(failed(ErrorCode::OcrFailed, None), 5)), [ErrorCode::OcrFailed]);
    }

    #[test]
    fn a_failure_that_cannot_pass_ends_the_run_at_once() {
        assert_eq!(codes(decide(failed(ErrorCode::DocumentUnreadable, None), 1)), [ErrorCode::DocumentUnreadable]);
    }

    #[test]
    fn a_service_may_ask_for_a_longer_pause_within_bounds() {
        assert_eq!(pause(decide(failed(ErrorCode::LlmFailed, Some(90)), 1)), 90);
        assert_eq!(pause(decide(failed(ErrorCode::LlmFailed, Some(1)), 1)), 5);
        assert_eq!(pause(decide(failed(ErrorCode::LlmFailed, Some(1_000_000)), 1)), 3600);
    }

    #[test]
    fn a_run_that_meets_a_service_that_is_away_is_given_back_even_in_its_last_attempt() {
        let away = Some(Duration::from_secs(10));
        let outcome = Outcome::Failed(Failure { away, ..Failure::new(ErrorCode::OcrFailed, "a reason") });
        let Then::GiveBack { pause } = decide(outcome, 5) else { panic!("it costs an attempt") };
        assert_eq!(pause, Duration::from_millis(12_500), "after the probe, and spread");
    }

    #[test]
    fn a_document_that_crashes_its_worker_five_times_is_a_dead_letter() {
        assert_eq!(pause(decide(Outcome::Crashed, 4)), 600);
        let Then::Finish(finish) = decide(Outcome::Crashed, 5) else { panic!("it is tried again") };
        assert_eq!(finish.errors, [ErrorCode::UnknownError]);
        assert!(finish.dead_reason.is_some());
    }

    #[test]
    fn time_that_is_used_up_ends_the_run_whatever_tries_are_left() {
        assert_eq!(codes(decide(Outcome::OutOfTime, 1)), [ErrorCode::TimedOut]);
    }
}
