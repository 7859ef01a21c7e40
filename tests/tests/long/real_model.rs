//! The protocol of the model path against a server that is not ours: llama-cpp-python's, which refuses `json_schema`
//! with a 500 and takes `json_object` with a `schema`. Its model has 135 million parameters and understands nothing:
//! what it finds is of no account, only that nothing false comes of it.

use harness::caller::{Caller, answer, codes, form, run_id};
use harness::services::checkout;
use harness::stack::{Plan, Stack};
use serde_json::{Value, json};
use shared::domain::doc_types;

use crate::model_server::{Exchange, ModelServer};

/// A paper, its applicant, and the check that fails, if one does.
type Paper = (&'static str, &'static str, Option<&'static str>);

const GOOD: Paper = ("d041.pdf", "Нургалиев Канат Нурланович", None);
const ANOTHERS: Paper = ("d041.pdf", "Савельева Алена Максимовна", Some("fio_match"));
const OLD: Paper = ("d085.pdf", "Савельева Алена Максимовна", Some("doc_date_valid"));

/// Enough for an answer, and an end to one that the model does not find itself.
const MAX_TOKENS: u64 = 100;

fn plan(server: &ModelServer, analyzer: &str, max_tokens: u64) -> Plan {
    Stack::plan()
        .llm(server.base_url())
        .set("ANALYZER", analyzer)
        .set("LLM_MODEL", "smollm2")
        .set("LLM_MAX_TOKENS", max_tokens.to_string())
        // It answers one call after the other: whoever waits should not do so on its time.
        .set("LLM_CALLS", "1")
        .set("RETRY_PAUSES", "1s")
}

async fn judged(bank: &Caller, file: &str, applicant: &str) -> Value {
    let file = std::fs::read(checkout().join("tests/documents").join(file)).expect("the sample is there");
    bank.judged(form(file, applicant)).await
}

/// The calls that the record has of a run.
async fn recorded(bank: &Caller, run: &Value) -> Vec<Value> {
    let (_, calls) = answer(bank.get(&format!("/v1/runs/{}/llm-calls", run_id(run)))).await;
    calls["items"].as_array().expect("calls").clone()
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "what a model makes of it is not asserted, but worth a look")]
async fn a_real_model_server_is_asked_as_it_wants_to_be_and_nothing_false_comes_of_its_answers() {
    let server = ModelServer::start().await;
    for (analyzer, papers) in [("llm", [ANOTHERS, OLD]), ("both", [GOOD, ANOTHERS])] {
        let stack = plan(&server, analyzer, MAX_TOKENS).start().await;
        let bank = stack.bank().await;
        let mut asked = Vec::new();
        for (file, applicant, fails) in papers {
            let run = judged(&bank, file, applicant).await;
            let calls = recorded(&bank, &run).await;
            let exchanges = server.take();
            let outcomes: Vec<_> = calls.iter().map(|call| call["outcome"].to_string()).collect();
            eprintln!("{analyzer} {file}: {} {} {}", run["status"], run["verdict"], outcomes.join(" "));
            assert_ended_as_it_may(&run);
            if let Some(check) = fails {
                assert_ne!(run["verdict"], true, "{run}");
                assert_ne!(run["checks"][check], true, "{run}");
            }
            assert_recorded_as_it_was(&calls, &exchanges);
            assert_settled(&run, &calls);
            asked.extend(exchanges);
        }
        assert_asked_as_it_wants(&asked);
        asked.iter().filter(|exchange| exchange.status == 200).for_each(assert_fits);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_a_real_server_cuts_off_is_asked_for_once_more_and_is_no_answer_then() {
    let server = ModelServer::start().await;
    let stack = plan(&server, "llm", 4).set("LLM_RESPONSE_FORMAT", "json_object").start().await;
    let bank = stack.bank().await;
    let (file, applicant, _) = GOOD;
    let run = judged(&bank, file, applicant).await;
    assert_eq!((&run["status"], &run["verdict"]), (&json!("error"), &Value::Null));
    assert!(codes(&run).iter().all(|code| *code == "LLM_INVALID_RESPONSE"), "{run}");
    let (calls, exchanges) = (recorded(&bank, &run).await, server.take());
    assert_recorded_as_it_was(&calls, &exchanges);
    for call_type in ["doc_type_check", "extractor"] {
        let outcomes: Vec<_> =
            calls.iter().filter(|call| call["call_type"] == call_type).map(|call| call["outcome"].clone()).collect();
        assert_eq!(outcomes, ["cut_off", "cut_off"], "{call_type}");
        let asked: Vec<&Exchange> = exchanges.iter().filter(|exchange| exchange.call_type() == call_type).collect();
        // Two attempts, and each asks once more with the reason.
        let with_reason = asked.iter().map(|exchange| exchange.request.to_string().contains("was cut off"));
        assert_eq!(with_reason.collect::<Vec<_>>(), [false, true, false, true], "{call_type}");
        for exchange in asked {
            assert_eq!((&exchange.request["max_tokens"], exchange.format()), (&json!(4), "json_object"));
            assert_eq!((exchange.status, exchange.finish_reason()), (200, Some("length")));
        }
    }
}

/// A verdict, or the one error that a model which understands nothing may cause.
fn assert_ended_as_it_may(run: &Value) {
    if run["status"] == "success" {
        assert!(run["verdict"].is_boolean(), "{run}");
    } else {
        assert_eq!((&run["status"], &run["verdict"]), (&json!("error"), &Value::Null), "{run}");
        assert!(codes(run).iter().all(|code| *code == "LLM_INVALID_RESPONSE"), "{run}");
        assert_eq!(run["attempts"], 2, "{run}");
    }
}

/// Refusals of a format come before the first answer and never again; then all is asked in the one that serves.
fn assert_asked_as_it_wants(exchanges: &[Exchange]) {
    let refused: Vec<_> = exchanges.iter().map(|exchange| exchange.status != 200).collect();
    let first_answer = refused.iter().position(|refused| !refused).expect("an answer");
    // At most once for each of the two questions, which are asked side by side.
    let refused = refused.iter().filter(|refused| **refused).count();
    assert!((1..=2).contains(&refused) && first_answer >= 1, "{refused} refusals, an answer at {first_answer}");
    for exchange in exchanges {
        let request = &exchange.request;
        assert_eq!((&request["model"], &request["temperature"]), (&json!("smollm2"), &json!(0)));
        assert_eq!(request["max_tokens"], MAX_TOKENS);
        match exchange.status {
            500 => assert_eq!(exchange.format(), "json_schema"),
            status => assert_eq!((status, exchange.format()), (200, "json_object"), "{}", exchange.answer),
        }
    }
}

/// The record is of the last attempt: its calls are the last of each question, with the tokens that the server counted.
fn assert_recorded_as_it_was(calls: &[Value], exchanges: &[Exchange]) {
    for call_type in ["doc_type_check", "extractor"] {
        let kept: Vec<&Value> = calls.iter().filter(|call| call["call_type"] == call_type).collect();
        let made: Vec<&Exchange> = exchanges.iter().filter(|exchange| exchange.call_type() == call_type).collect();
        assert!((1..=made.len()).contains(&kept.len()), "{} of {} calls are kept", kept.len(), made.len());
        for (call, exchange) in kept.iter().zip(&made[made.len() - kept.len()..]) {
            assert_eq!(call["model"], "smollm2");
            assert!(call["duration_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{call}");
            let tokens = ["prompt_tokens", "completion_tokens", "total_tokens"].map(|name| call[name].clone());
            assert_eq!(tokens, exchange.tokens(), "{call}");
            if exchange.status == 200 {
                let [prompt, completion, total] = tokens.map(|tokens| tokens.as_i64().expect("a count"));
                assert!(prompt > 0 && completion > 0 && prompt + completion == total, "{call}");
            }
            let outcome = call["outcome"].as_str().expect("an outcome");
            match (exchange.status, exchange.finish_reason()) {
                (200, Some("length")) => assert_eq!(outcome, "cut_off", "{call}"),
                // The server keeps the model to the schema, so that it is JSON at least.
                (200, _) => assert!(["ok", "off_schema", "ungrounded"].contains(&outcome), "{call}"),
                _ => assert_eq!(outcome, "refused", "{call}"),
            }
        }
    }
}

/// Where there is a verdict both questions were answered in the end; where there is none, one was not, asked twice.
fn assert_settled(run: &Value, calls: &[Value]) {
    let unusable = |call: &Value| !["ok", "refused"].contains(&call["outcome"].as_str().expect("an outcome"));
    let in_vain = |call_type| calls.iter().filter(|call| call["call_type"] == call_type && unusable(call)).count();
    let (check, extractor) = (in_vain("doc_type_check"), in_vain("extractor"));
    let is_settled = check.max(extractor) < 2;
    assert_eq!(run["status"] == "success", is_settled, "{run} {calls:?}");
}

/// The schema that was sent is the server's to keep, also of an answer that it cuts off.
fn assert_fits(exchange: &Exchange) {
    let content = exchange.content();
    let first = if exchange.call_type() == "doc_type_check" { "doc_type" } else { "doc_date" };
    let squeezed: String = content.split_whitespace().collect();
    assert!(squeezed.starts_with(&format!("{{\"{first}\":{{")), "{content}");
    if exchange.finish_reason() != Some("stop") {
        return;
    }
    let whole: Value = serde_json::from_str(content).expect("a whole answer is JSON");
    let null_or = |value: &Value, fits: &dyn Fn(&str) -> bool| value.is_null() || value.as_str().is_some_and(fits);
    let found =
        |field: &Value| null_or(&field["quote"], &|_| true) && (field["page"].is_null() || field["page"].is_i64());
    match exchange.call_type() {
        "doc_type_check" => {
            assert_eq!(members(&whole), ["doc_type", "single_doc_type"]);
            assert!(whole["single_doc_type"].is_boolean(), "{content}");
            assert_eq!(members(&whole["doc_type"]), ["page", "quote", "value"]);
            assert!(found(&whole["doc_type"]), "{content}");
            assert!(null_or(&whole["doc_type"]["value"], &|title| doc_types::by_title(title).is_some()), "{content}");
        }
        _ => {
            assert_eq!(members(&whole), ["doc_date", "fio"]);
            assert_eq!(members(&whole["fio"]), ["page", "quote", "value"]);
            assert_eq!(members(&whole["doc_date"]), ["kind", "page", "quote", "value"]);
            assert!(found(&whole["fio"]) && found(&whole["doc_date"]), "{content}");
            assert!(null_or(&whole["doc_date"]["kind"], &|kind| ["issue", "leave_start"].contains(&kind)), "{content}");
        }
    }
}

fn members(object: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = object.as_object().expect("an object").keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}
