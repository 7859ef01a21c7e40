//! Rules and a model together, against a server with OpenAI's API: one that reads well, and one that lies.

use std::sync::Arc;

use harness::standins::llm::{Behaviour, Call, CallType, Fault, Llm, search};
use serde_json::{Value, json};
use shared::domain::judge::{FLAG_ANALYZERS_DISAGREE, Judgement, judge};
use shared::domain::{Analysis, ErrorCode, Page, PageSource};
use shared::settings::ResponseFormat;
use shared::telemetry::Metrics;
use worker::analysis::{AnalysisError, AnalysisInput, Analyzer, Asked, LlmAnalyzer, PairAnalyzer};

const APPLICANT: &str = "Ахметов Данияр Серикович";

const PAPER: &str = "Карьерный центр города Актау\nСправка о регистрации в качестве безработного\n№ 90 от 16.11.2026\n\
    Выдана: Ахметов Данияр Серикович\nв том, что он зарегистрирован в качестве безработного.";

fn paper(from: &str, to: &str) -> String {
    PAPER.replace(from, to)
}

fn model(server: &Llm) -> LlmAnalyzer {
    LlmAnalyzer::new(&server.settings(ResponseFormat::Auto), Metrics::default()).expect("an analyser")
}

fn pair(server: &Llm, asked: Asked) -> PairAnalyzer {
    PairAnalyzer::new(model(server), asked)
}

async fn judged(analyzer: &dyn Analyzer, text: &str) -> Result<Judgement, AnalysisError> {
    let text = text.to_owned();
    let pages: Arc<[Page]> =
        Arc::new([Page { number: 1, text, words: Vec::new(), confidence: None, source: PageSource::Http }]);
    let input = AnalysisInput { pages: &pages, applicant_fio: APPLICANT };
    let (classification, extraction) = (analyzer.classify(input).await?.0, analyzer.extract(input).await?.0);
    let analysis = Analysis { classification, extraction, speaks_to_reader: false };
    Ok(judge(APPLICANT, &analysis, "2026-11-22".parse().expect("a date")))
}

async fn reader() -> Llm {
    Llm::start(Behaviour::answering(search)).await
}

#[tokio::test]
async fn where_both_find_the_same_it_passes_without_a_flag() {
    let server = reader().await;
    let judgement = judged(&pair(&server, Asked::Always), PAPER).await.expect("a verdict");
    assert!(judgement.verdict && judgement.flags.is_empty(), "{judgement:?}");
    assert_eq!(server.calls().len(), 2);
}

#[tokio::test]
async fn a_model_is_not_asked_where_the_rules_are_certain() {
    let server = reader().await;
    let cascade = pair(&server, Asked::InDoubt);
    assert!(judged(&cascade, PAPER).await.expect("a verdict").verdict);
    let another = paper(APPLICANT, "Круглов Олег Дмитриевич");
    assert_eq!(judged(&cascade, &another).await.expect("a verdict").errors, [ErrorCode::FioMismatch]);
    assert_eq!(server.calls().len(), 0);
}

#[tokio::test]
async fn in_doubt_the_model_is_asked_about_what_is_doubtful_alone() {
    let server = reader().await;
    let undated = paper(" от 16.11.2026", "");
    let judgement = judged(&pair(&server, Asked::InDoubt), &undated).await.expect("a verdict");
    assert_eq!(judgement.errors, [ErrorCode::DocDateMissing]);
    let asked: Vec<CallType> = server.calls().iter().map(|call| call.call_type).collect();
    assert_eq!(asked, [CallType::Extractor]);
}

#[tokio::test]
async fn a_model_that_fails_is_a_failure_and_no_verdict_of_the_rules_alone() {
    let faults = vec![Fault::Content("{}".into()), Fault::Content("{}".into())];
    let server = Llm::start(Behaviour { faults, ..Behaviour::answering(search) }).await;
    let failed = judged(&pair(&server, Asked::Always), PAPER).await.expect_err("no answer");
    assert_eq!(failed.code, ErrorCode::LlmInvalidResponse);
}

fn claim(value: &str, quote: &str) -> Value {
    json!({"value": value, "quote": quote, "page": 1})
}

/// Claims in every field what would make the verdict true; the quotes are those of the claim, or whatever stands
/// first in the document.
fn liar(own_quotes: bool) -> impl Fn(&Call) -> Value + Send + Sync + 'static {
    move |call| {
        let text = call.messages("user");
        let line = |number: usize| text.lines().filter(|line| !line.starts_with(['=', '['])).nth(number).unwrap_or("");
        let quote = |own: &str, number: usize| if own_quotes { own.to_owned() } else { line(number).to_owned() };
        match call.call_type {
            CallType::DocTypeCheck => {
                let title = "Справка об инвалидности";
                json!({"single_doc_type": true, "doc_type": claim(title, &quote(title, 0))})
            }
            CallType::Extractor => {
                let mut date = claim("2026-11-20", &quote("20.11.2026", 2));
                date["kind"] = json!("issue");
                json!({"fio": claim(APPLICANT, &quote(APPLICANT, 3)), "doc_date": date})
            }
        }
    }
}

/// Papers that fail a check each.
fn failing() -> Vec<String> {
    vec![
        paper(APPLICANT, "Круглов Олег Дмитриевич"),
        paper(APPLICANT, "Ахметов Даниял Серикович"),
        paper("16.11.2026", "16.11.2024"),
        paper("Выдана: Ахметов Данияр Серикович", "Выдана по месту требования"),
        paper(" от 16.11.2026", ""),
        "ТОО «Север»\nСправка с места работы\n№ 7 от 16.11.2026\nВыдана: Ахметов Данияр Серикович\nв том, что он работает."
            .to_owned(),
        "Договор аренды жилья\nг. Актау\n№ 7 от 16.11.2026\nНаниматель: Ахметов Данияр Серикович".to_owned(),
    ]
}

#[tokio::test]
async fn a_model_that_lies_in_every_field_makes_no_paper_pass() {
    for own_quotes in [true, false] {
        let server = Llm::start(Behaviour::answering(liar(own_quotes))).await;
        let readers: [Box<dyn Analyzer>; 3] =
            [Box::new(model(&server)), Box::new(pair(&server, Asked::Always)), Box::new(pair(&server, Asked::InDoubt))];
        for reader in &readers {
            for text in failing() {
                let judgement = judged(&**reader, &text).await;
                assert!(!judgement.as_ref().is_ok_and(|judgement| judgement.verdict), "{}: {text}", reader.name());
            }
        }
    }
}

/// A person of each part that is not that of the document's, behind whom a model hides the applicant.
const BYSTANDERS: [(&str, &str); 6] = [
    ("Ахметов Д.С.", "Директор Ахметов Д.С."),
    ("Ахметов Д.С.", "Главный врач: Ахметов Д.С."),
    ("Ахметов Д.С.", "Исп. Ахметов Д.С."),
    (APPLICANT, "Ребенок: Ахметов Данияр Серикович, 01.02.2024 г. рождения"),
    (APPLICANT, "Нотариус Ахметов Данияр Серикович"),
    (APPLICANT, "Свидетель: Ахметов Данияр Серикович"),
];

#[tokio::test]
async fn a_model_that_picks_somebody_else_whom_the_paper_names_makes_no_paper_pass() {
    for (name, line) in BYSTANDERS {
        for owner in ["Выдана: Круглов Олег Дмитриевич", "Выдана по месту требования"]
        {
            let text = format!("{}\n{line}", paper("Выдана: Ахметов Данияр Серикович", owner));
            let kind = "Справка о регистрации в качестве безработного";
            let server = Llm::start(Behaviour::answering(move |call| match call.call_type {
                CallType::DocTypeCheck => json!({"single_doc_type": true, "doc_type": claim(kind, kind)}),
                CallType::Extractor => {
                    let mut date = claim("2026-11-16", "16.11.2026");
                    date["kind"] = json!("issue");
                    json!({"fio": claim(name, name), "doc_date": date})
                }
            }))
            .await;
            let alone = judged(&model(&server), &text).await.expect_err("no such person's paper");
            assert_eq!(alone.code, ErrorCode::LlmInvalidResponse);
            assert!(alone.detail.contains("only mentioned in it"), "{alone}: {text}");
            for asked in [Asked::Always, Asked::InDoubt] {
                let judgement = judged(&pair(&server, asked), &text).await.expect("a verdict");
                assert!(!judgement.verdict, "{asked:?}: {text}");
                assert!(
                    judgement.errors.iter().all(|code| [ErrorCode::FioMissing, ErrorCode::FioMismatch].contains(code))
                );
            }
        }
    }
}

#[tokio::test]
async fn what_rules_and_model_dispute_is_settled_and_marked() {
    let second = "Справка о регистрации в качестве безработного";
    let server = Llm::start(Behaviour::answering(move |call| match call.call_type {
        CallType::DocTypeCheck => json!({"single_doc_type": true, "doc_type": claim(second, second)}),
        CallType::Extractor => {
            let mut date = claim("2026-11-20", "20.11.2026");
            date["kind"] = json!("issue");
            json!({"fio": claim("Омарова Сауле Ерлановна", "Омарова Сауле Ерлановна"), "doc_date": date})
        }
    }))
    .await;
    let text = format!("{PAPER}\nДиректор Омарова Сауле Ерлановна\nРаспечатано 20.11.2026");
    let judgement = judged(&pair(&server, Asked::Always), &text).await.expect("a verdict");
    assert_eq!(judgement.errors, [ErrorCode::FioMismatch]);
    assert_eq!(judgement.flags, [FLAG_ANALYZERS_DISAGREE]);
}
