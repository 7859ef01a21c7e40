//! Names, an IIN and the words of documents go through real binaries and come out nowhere but in the api's answers.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use futures::StreamExt as _;
use harness::standins::receiver::Receiver;
use lapin::options::{
    BasicAckOptions, BasicConsumeOptions, BasicGetOptions, BasicNackOptions, ExchangeDeclareOptions, QueueBindOptions,
    QueueDeclareOptions,
};
use lapin::types::FieldTable;
use lapin::{BasicProperties, Channel, Connection, ConnectionProperties, Consumer, ExchangeKind};
use serde_json::Value;

use crate::rig::{Rig, Submission};

const IIN: &str = "871231300125";

/// Everything of ours is told, of libraries what they tell by themselves.
const TALKATIVE: &str = "info,api=trace,rb_ocr_api=trace,worker=trace,rb_ocr_worker=trace,shared=trace";

struct Sample {
    file: String,
    fio: String,
}

/// One of each way to be read: a text layer, a scan, a photo and a fax.
fn samples() -> Vec<Sample> {
    let folder = harness::services::checkout().join("tests/documents");
    let truth = std::fs::read_to_string(folder.join("truth.jsonl")).expect("the samples' truth");
    let lines = truth.lines().map(|line| serde_json::from_str::<Value>(line).expect("JSON"));
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let samples: Vec<Sample> = lines
        .map(|line| Sample { file: text(&line["file"]), fio: text(&line["applicant_fio"]) })
        .filter(|sample| ["d041.pdf", "d029.pdf", "d115.jpg", "d094.tif"].contains(&sample.file.as_str()))
        .collect();
    assert_eq!(samples.len(), 4);
    samples
}

/// Words that must not be told: of names all with three letters, of texts those with five, in small letters.
/// Words of the fifteen types' titles are labels of a metric and nobody's.
fn forbidden(samples: &[Sample], recognised: &str) -> BTreeSet<String> {
    let words = |text: &str, least: usize| -> Vec<String> {
        let words = text.split(|letter: char| !letter.is_alphabetic()).map(str::to_lowercase);
        words.filter(|word| word.chars().count() >= least).collect()
    };
    let titles: BTreeSet<String> =
        shared::domain::doc_types::DOC_TYPES.iter().flat_map(|doc_type| words(doc_type.title, 5)).collect();
    let cyrillic = |word: &String| word.chars().all(|letter| !letter.is_ascii());
    let of_texts = words(recognised, 5).into_iter().filter(cyrillic);
    let of_names = samples.iter().flat_map(|sample| words(&sample.fio, 3));
    of_texts.filter(|word| !titles.contains(word)).chain(of_names).chain([IIN.to_owned()]).collect()
}

/// What was told somewhere that should not have been. Percent-encoding hides nothing.
fn leaks(forbidden: &BTreeSet<String>, place: &str, told: &str) -> Vec<String> {
    let plain = told.to_lowercase();
    let hidden = |word: &String| {
        let encoded = word.bytes().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "%{byte:02x}");
            text
        });
        plain.contains(word.as_str()) || plain.contains(&encoded)
    };
    forbidden.iter().filter(|word| hidden(word)).map(|word| format!("{word} in {place}")).collect()
}

#[tokio::test]
async fn no_log_span_metric_or_message_holds_a_name_an_iin_or_a_word_of_a_document() {
    let samples = samples();
    let receiver = Receiver::start([]).await;
    let rig = Rig::start(&[("RUST_LOG", TALKATIVE)]).await;
    let broker = Broker::listen(&rig).await;
    let folder = harness::services::checkout().join("tests/documents");
    let mut runs = Vec::new();
    for sample in &samples {
        let file = std::fs::read(folder.join(&sample.file)).expect("a sample");
        runs.push(accepted(&rig, sample, file, &receiver).await);
        // The same cut off in the middle: programs complain, and what they say must not be told either.
        let file = std::fs::read(folder.join(&sample.file)).expect("a sample");
        runs.push(accepted(&rig, sample, file[..file.len() / 2].to_vec(), &receiver).await);
        refused(&rig, sample).await;
    }
    let messages = broker.jobs(runs.len()).await;
    let rig = rig.with_worker().await;
    let mut recognised = String::new();
    for run_id in &runs {
        rig.finished(run_id).await;
        recognised += &rig.get(&format!("/v1/runs/{run_id}/pages")).await.to_string();
    }
    // As JSON writes it, a word may follow `n` of a line's end.
    let recognised = recognised.replace("\\n", " ");
    let forbidden = forbidden(&samples, &recognised);
    assert!(forbidden.len() > 100, "{forbidden:?}");
    receiver.wait_for(runs.len()).await;
    search(&rig, &samples[0].fio, forbidden.iter().max_by_key(|word| word.len()).expect("words")).await;
    for run_id in runs.iter().take(2) {
        let route = format!("{}/v1/runs/{run_id}", rig.api.url());
        rig.http.delete(route).bearer_auth(&rig.key).send().await.expect("it is erased");
    }

    // The api's own answer shows that what is looked for would be found.
    let answer = rig.get(&format!("/v1/runs/{}", runs[2])).await.to_string();
    assert!(leaks(&forbidden, "the answer", &answer).len() > 3, "{answer}");

    let mut told = Vec::new();
    for message in messages.into_iter().chain(broker.events().await) {
        told.extend(leaks(&forbidden, "a message", &message));
    }
    for text in rig.metrics().await {
        told.extend(leaks(&forbidden, "/metrics", &text));
    }
    let ended = |name: &str, seen: &harness::standins::otlp::Seen| {
        runs.iter().all(|run| {
            let of_run = |span: &&harness::standins::otlp::Span| span.attributes.get("run_id") == Some(run);
            seen.spans.iter().filter(of_run).any(|span| span.name == name)
        })
    };
    let all = rig.collector.wait_for(|seen| ended("run", seen) && ended("callback", seen)).await;
    assert!(!all.records.is_empty() && !all.metrics.is_empty());
    for body in &all.bodies {
        told.extend(leaks(&forbidden, "OTLP", &String::from_utf8_lossy(body)));
    }
    let lines = rig.log_lines();
    assert!(lines.len() > 3 * runs.len(), "{lines:?}");
    for line in &lines {
        told.extend(leaks(&forbidden, line, line));
    }
    assert_eq!(told, Vec::<String>::new());
}

async fn accepted(rig: &Rig, sample: &Sample, file: Vec<u8>, receiver: &Receiver) -> String {
    let filename = format!("{} {}", sample.fio, sample.file);
    let fields = vec![
        ("fio", sample.fio.clone()),
        ("iin", IIN.to_owned()),
        ("external_request_id", format!("{} {IIN}", sample.fio)),
        ("metadata", serde_json::json!({ "name": sample.fio, "iin": IIN }).to_string()),
        ("callback_url", format!("{}?iin={IIN}&fio={}", receiver.url(), sample.fio.replace(' ', "%20"))),
    ];
    let submission = Submission { file, filename: &filename, fields, traceparent: None };
    let (status, answer) = rig.submit(submission).await;
    assert_eq!(status, 202, "{answer}");
    answer["run_id"].as_str().expect("a run").to_owned()
}

/// A submission with everything wrong, and the name in every field of it.
async fn refused(rig: &Rig, sample: &Sample) {
    let fields = vec![
        ("fio", format!("{}1", sample.fio)),
        ("iin", format!("{IIN}0")),
        ("priority", sample.fio.clone()),
        ("metadata", sample.fio.clone()),
        ("callback_url", format!("ftp://{IIN}.invalid/")),
    ];
    let submission = Submission { file: b"GIF89a".to_vec(), filename: &sample.fio, fields, traceparent: None };
    let (status, answer) = rig.submit(submission).await;
    assert!((400..500).contains(&status), "{answer}");
}

/// Asks for names and words, in queries and in paths.
async fn search(rig: &Rig, fio: &str, word: &str) {
    for query in [vec![("fio", fio)], vec![("q", word)], vec![("iin", IIN)], vec![(fio, word)]] {
        let url = url::Url::parse_with_params(&format!("{}/v1/runs", rig.api.url()), query).expect("an address");
        rig.http.get(url).bearer_auth(&rig.key).send().await.expect("the api answers");
    }
    let path = format!("{}/v1/runs/{fio}/{word}", rig.api.url());
    rig.http.get(path).bearer_auth(fio.len().to_string()).send().await.expect("the api answers");
}

/// Reads what travels by the broker.
struct Broker {
    channel: Channel,
    prefix: String,
    events: Consumer,
    queue: String,
    _connection: Connection,
}

impl Broker {
    async fn listen(rig: &Rig) -> Self {
        let url = &harness::services::Services::get().amqp_url;
        let connection = Connection::connect(url, ConnectionProperties::default()).await.expect("the broker is up");
        let channel = connection.create_channel().await.expect("a channel");
        let prefix = rig.queues.prefix().to_owned();
        let own = QueueDeclareOptions { exclusive: true, ..Default::default() };
        let queue = channel.queue_declare("".into(), own, FieldTable::default()).await.expect("a queue");
        let (queue, exchange) = (queue.name().to_string(), format!("{prefix}.events"));
        // An api is ready before it has a broker, whose exchange it then declares: as here.
        let (fanout, table) = (ExchangeDeclareOptions::default(), FieldTable::default());
        let declared = channel.exchange_declare(exchange.as_str().into(), ExchangeKind::Fanout, fanout, table).await;
        declared.expect("the exchange is declared");
        let (options, table) = (QueueBindOptions::default(), FieldTable::default());
        channel.queue_bind(queue.as_str().into(), exchange.into(), "".into(), options, table).await.expect("bound");
        let (options, table) = (BasicConsumeOptions::default(), FieldTable::default());
        let events = channel.basic_consume(queue.as_str().into(), "".into(), options, table).await.expect("consumed");
        Self { channel, prefix, events, queue, _connection: connection }
    }

    /// The messages of so many jobs, which go back for the worker.
    async fn jobs(&self, count: usize) -> Vec<String> {
        let queue = format!("{}.runs.normal", self.prefix);
        let mut messages = Vec::new();
        let mut taken = Vec::new();
        while messages.len() < count {
            let got = self.channel.basic_get(queue.as_str().into(), BasicGetOptions::default()).await;
            match got.expect("the queue is there") {
                Some(message) => {
                    messages.push(written(&message.properties, &message.data));
                    taken.push(message.delivery.acker);
                }
                None => tokio::task::yield_now().await,
            }
        }
        for acker in taken {
            let back = BasicNackOptions { requeue: true, ..Default::default() };
            acker.nack(back).await.expect("it goes back");
        }
        messages
    }

    /// Every event until now.
    async fn events(mut self) -> Vec<String> {
        // A message of our own is the last one.
        let last = b"the last";
        let options = lapin::options::BasicPublishOptions::default();
        let (queue, properties) = (self.queue.as_str().into(), BasicProperties::default());
        self.channel.basic_publish("".into(), queue, options, last, properties).await.expect("it is sent");
        let mut messages = Vec::new();
        while let Some(Ok(message)) = self.events.next().await {
            message.acker.ack(BasicAckOptions::default()).await.expect("it is taken");
            if message.data == last {
                break;
            }
            messages.push(written(&message.properties, &message.data));
        }
        assert!(!messages.is_empty(), "stages were told of");
        messages
    }
}

fn written(properties: &BasicProperties, data: &[u8]) -> String {
    format!("{properties:?} {}", String::from_utf8_lossy(data))
}
