//! Analysis by a model against a server with OpenAI's API: good answers, bad ones and faults.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use chrono::NaiveDate;
use harness::standins::llm::{Behaviour, Call, CallType, Fault, Llm, search};
use serde_json::{Value, json};
use shared::domain::{ErrorCode, Page, PageSource};
use shared::settings::{self, ResponseFormat};
use shared::telemetry::{Breaker, Metrics};
use uuid::Uuid;
use worker::analysis::{Analysed, AnalysisInput, Analyzer as _, LlmAnalyzer, LlmCall};
use worker::outside::on_behalf_of;

const TITLE: &str = "Приказ о расторжении трудового договора";
const NAME: &str = "Рябова Вера Ильинична";

fn pages() -> Arc<[Page]> {
    let text = format!("{TITLE}\n№ 7 от 04.12.2023\nРаботник: {NAME}, кассир");
    Arc::new([Page { number: 1, text, words: Vec::new(), confidence: None, source: PageSource::Http }])
}

fn analyzer(server: &Llm, response_format: ResponseFormat) -> LlmAnalyzer {
    LlmAnalyzer::new(&server.settings(response_format), Metrics::default()).expect("an analyser")
}

/// A server that answers by searching, keeps its calls and begins with these faults.
async fn server(faults: Vec<Fault>) -> Llm {
    Llm::start(Behaviour { faults, ..Behaviour::answering(search) }).await
}

async fn extract_with(faults: Vec<Fault>) -> (Analysed<shared::domain::Extraction>, Llm) {
    let server = server(faults).await;
    let result = analyzer(&server, ResponseFormat::Auto).extract(input(&pages())).await;
    (result, server)
}

fn input(pages: &Arc<[Page]>) -> AnalysisInput<'_> {
    AnalysisInput { pages, applicant_fio: "Заявитель Пётр Петрович" }
}

fn outcomes(calls: &[LlmCall]) -> Vec<&'static str> {
    calls.iter().map(|call| call.outcome).collect()
}

#[tokio::test]
async fn two_calls_side_by_side_find_type_name_and_date() {
    let server = server(Vec::new()).await;
    let analyzer = analyzer(&server, ResponseFormat::Auto);
    let pages = pages();
    let (classified, extracted) = tokio::join!(analyzer.classify(input(&pages)), analyzer.extract(input(&pages)));
    let ((classification, check), (extraction, extractor)) = (classified.expect("good"), extracted.expect("good"));
    assert!(classification.single_doc_type);
    assert_eq!(classification.doc_type.map(|found| found.value.title), Some(TITLE));
    assert_eq!(extraction.fio.map(|found| (found.value, found.quote.page)), Some((NAME.to_owned(), 1)));
    assert_eq!(extraction.doc_date.map(|found| found.value), NaiveDate::from_ymd_opt(2023, 12, 4));
    for (calls, call_type) in [(check, "doc_type_check"), (extractor, "extractor")] {
        let [call] = &calls[..] else { panic!("one call") };
        assert_eq!((call.call_type.as_str(), &*call.model, call.outcome), (call_type, "the-model", "ok"));
        assert_eq!((call.prompt_tokens, call.completion_tokens, call.total_tokens), (Some(700), Some(60), Some(760)));
    }
}

#[tokio::test]
async fn the_request_is_openais_and_the_document_is_fenced_data() {
    let (result, server) = extract_with(Vec::new()).await;
    result.expect("good");
    let call = &server.calls()[0];
    assert_eq!(call.authorization.as_deref(), Some("Bearer the-key"));
    assert_eq!((&call.request["model"], &call.request["temperature"]), (&json!("the-model"), &json!(0)));
    assert_eq!(call.response_format(), "json_schema");
    assert_eq!(call.request["response_format"]["json_schema"]["name"], "extractor");
    let (system, user) = (call.messages("system"), call.messages("user"));
    assert!(user.contains(NAME) && !system.contains(NAME), "the document's text is never instruction");
    assert!(!format!("{}", call.request).contains("Заявитель"), "the applicant's name is not sent");
    let fence = user.lines().next().expect("the fence").trim_start_matches("===== DOCUMENT ").to_owned();
    assert!(user.trim_end().ends_with(&format!("===== END OF DOCUMENT {fence}")));
    let (_, other) = extract_with(Vec::new()).await;
    assert!(!other.calls()[0].messages("user").contains(&fence), "the fence is another each time");
}

#[tokio::test]
async fn a_refused_format_is_left_for_the_next_and_that_is_remembered() {
    for (refused, served) in
        [(vec![("json_schema", 500)], "json_object"), (vec![("json_schema", 422), ("json_object", 400)], "none")]
    {
        let behaviour = Behaviour { refused_formats: refused.clone(), ..Behaviour::answering(search) };
        let server = Llm::start(behaviour).await;
        let analyzer = analyzer(&server, ResponseFormat::Auto);
        for _ in 0..2 {
            analyzer.extract(input(&pages())).await.expect("good");
        }
        let calls = server.calls();
        let formats: Vec<&str> = calls.iter().map(Call::response_format).collect();
        let mut expected: Vec<&str> = refused.iter().map(|(format, _)| *format).collect();
        expected.extend([served, served]);
        assert_eq!(formats, expected);
    }
}

#[tokio::test]
async fn a_failure_that_passes_is_not_taken_for_a_refusal_of_the_format_for_good() {
    // Every format fails, and the next try is served in the first.
    let faults = vec![Fault::Status(500, None); 3];
    let (result, server) = extract_with(faults).await;
    let (_, calls) = result.expect("good");
    assert_eq!(outcomes(&calls), ["failed", "failed", "failed", "ok"]);
    let formats: Vec<String> = server.calls().iter().map(|call| call.response_format().to_owned()).collect();
    assert_eq!(formats, ["json_schema", "json_object", "none", "json_schema"]);
}

#[tokio::test]
async fn many_that_meet_a_refused_format_at_once_are_no_failure_of_the_service() {
    let behaviour = Behaviour {
        refused_formats: vec![("json_schema", 500)],
        delay: Duration::from_millis(50),
        ..Behaviour::answering(search)
    };
    let server = Llm::start(behaviour).await;
    let analyzer = analyzer(&server, ResponseFormat::Auto);
    let pages = pages();
    let runs = (0..20).map(|_| on_behalf_of(Uuid::new_v4(), analyzer.extract(input(&pages))));
    for run in futures::future::join_all(runs).await {
        let (_, calls) = run.expect("good");
        assert_eq!(outcomes(&calls), ["refused", "ok"]);
    }
    assert_eq!(analyzer.service().map(|service| service.state()), Some(Breaker::Closed));
}

#[tokio::test]
async fn an_answer_is_bounded_where_the_settings_say_so() {
    let server = server(Vec::new()).await;
    let unbounded = server.settings(ResponseFormat::Auto);
    for max_tokens in [None, Some(300)] {
        let settings = settings::Llm { max_tokens, ..unbounded.clone() };
        let analyzer = LlmAnalyzer::new(&settings, Metrics::default()).expect("an analyser");
        analyzer.extract(input(&pages())).await.expect("good");
    }
    let asked: Vec<Option<Value>> = server.calls().iter().map(|call| call.request.get("max_tokens").cloned()).collect();
    assert_eq!(asked, [None, Some(json!(300))]);
}

#[tokio::test]
async fn without_a_format_the_prompt_says_the_schema() {
    let server = server(Vec::new()).await;
    analyzer(&server, ResponseFormat::None).extract(input(&pages())).await.expect("good");
    let call = &server.calls()[0];
    assert_eq!(call.request.get("response_format"), None);
    assert!(call.messages("system").contains("additionalProperties"));
    assert_eq!(call.request["messages"].as_array().map(Vec::len), Some(2));
}

#[tokio::test]
async fn json_object_carries_the_schema() {
    let server = server(Vec::new()).await;
    analyzer(&server, ResponseFormat::JsonObject).classify(input(&pages())).await.expect("good");
    let format = &server.calls()[0].request["response_format"];
    assert_eq!((&format["type"], &format["schema"]["type"]), (&json!("json_object"), &json!("object")));
}

#[tokio::test]
async fn passing_faults_are_tried_again_and_recorded() {
    let faults = vec![Fault::Status(429, Some("0")), Fault::Status(503, None)];
    let (result, _) = extract_with(faults).await;
    let (_, calls) = result.expect("good");
    assert_eq!(outcomes(&calls), ["throttled", "failed", "ok"]);
}

#[tokio::test]
async fn an_answer_that_cannot_be_used_is_asked_for_once_more_with_the_reason() {
    let cases = [
        (Fault::Broken, "not_a_completion"),
        (Fault::Content("no object".into()), "not_json"),
        (Fault::Content("{}".into()), "off_schema"),
        (Fault::CutOff, "cut_off"),
        (Fault::Refusal, "refused"),
    ];
    for (fault, outcome) in cases {
        let (result, server) = extract_with(vec![fault.clone()]).await;
        let (_, calls) = result.expect("the second answer is good");
        assert_eq!(outcomes(&calls), [outcome, "ok"]);
        let asked = server.calls();
        assert!(asked[1].messages("user").contains("could not be used"), "{fault:?}");
        assert!(!asked[0].messages("user").contains("could not be used"));
    }
}

#[tokio::test]
async fn two_answers_that_cannot_be_used_are_llm_invalid_response_with_their_calls() {
    let (result, server) = extract_with(vec![Fault::Content("{}".into()), Fault::CutOff, Fault::Broken]).await;
    let error = result.expect_err("two bad answers");
    assert_eq!(error.code, ErrorCode::LlmInvalidResponse);
    assert_eq!(outcomes(&error.calls), ["off_schema", "cut_off"]);
    assert_eq!(server.calls().len(), 2, "there is no third try");
}

#[tokio::test]
async fn a_service_that_refuses_is_llm_failed() {
    for (fault, outcome) in [
        (Fault::Status(401, None), "refused"),
        (Fault::Status(403, None), "refused"),
        (Fault::Huge(1 << 20), "invalid"),
    ] {
        let (result, _) = extract_with(vec![fault]).await;
        let error = result.expect_err("refused");
        assert_eq!((error.code, outcomes(&error.calls)), (ErrorCode::LlmFailed, vec![outcome]));
    }
}

fn inventing(call: &Call) -> Value {
    match call.call_type {
        CallType::DocTypeCheck => search(call),
        CallType::Extractor => {
            let found = |value: &str| json!({"value": value, "quote": value, "page": 1});
            let date = json!({"value": "2026-11-20", "quote": "20.11.2026", "page": 1, "kind": "issue"});
            json!({"fio": found("Заявитель Пётр Петрович"), "doc_date": date})
        }
    }
}

#[tokio::test]
async fn what_the_document_does_not_say_is_never_taken() {
    let server = Llm::start(Behaviour::answering(inventing)).await;
    let error = analyzer(&server, ResponseFormat::Auto).extract(input(&pages())).await.expect_err("invented");
    assert_eq!(error.code, ErrorCode::LlmInvalidResponse);
    assert_eq!(outcomes(&error.calls), ["ungrounded", "ungrounded"]);
    for text in [NAME, "Заявитель", "2026"] {
        assert!(!error.to_string().contains(text), "no text of a document in an error: {error}");
    }
}

#[tokio::test]
async fn an_invented_value_that_is_taken_back_on_asking_again_is_fine() {
    let asked = AtomicUsize::new(0);
    let server = Llm::start(Behaviour::answering(move |call| {
        if asked.fetch_add(1, Ordering::Relaxed) == 0 { inventing(call) } else { search(call) }
    }))
    .await;
    let (found, calls) = analyzer(&server, ResponseFormat::Auto).extract(input(&pages())).await.expect("good");
    assert_eq!(found.fio.map(|found| found.value).as_deref(), Some(NAME));
    assert_eq!(outcomes(&calls), ["ungrounded", "ok"]);
}
