//! Every form and vintage, and what becomes of it.

use harness::old_tree::{Ending, OldRun, one_of_each};
use harness::records::count;
use serde_json::{Value, json};
use shared::documents::Documents;
use shared::domain::Status;
use shared::store::{pages, runs};
use uuid::Uuid;

use super::house::House;

/// What a run of this ending is here: status, verdict and codes.
fn wanted(run: &OldRun) -> (Status, Option<bool>, Vec<&'static str>) {
    match run.ending {
        Ending::Accepted => (Status::Success, Some(true), vec![]),
        Ending::Refused => (Status::Success, Some(false), vec!["DOC_DATE_TOO_OLD", "FIO_MISMATCH"]),
        Ending::SeveralDocuments => (Status::Success, Some(false), vec!["MULTIPLE_DOCUMENTS"]),
        Ending::InvalidAnswer => (Status::Error, None, vec!["LLM_INVALID_RESPONSE"]),
        Ending::NotSaved => (Status::Error, None, vec!["FILE_SAVE_FAILED"]),
    }
}

#[tokio::test]
async fn a_run_of_every_vintage_and_ending_is_imported_with_all_that_was_kept() {
    let house = House::new().await;
    let all = one_of_each(1);
    house.write(&all);
    let said = house.import(&[]).await;
    assert_eq!((said.status, said.count("imported"), said.lines.len()), (0, all.len(), all.len()), "{}", said.told);
    let documents = Documents::open(&format!("file://{}", house.documents.path().display())).unwrap();
    for old in &all {
        let line = said.of(&old.id);
        let keys: Vec<&String> = line.as_object().unwrap().keys().collect();
        assert_eq!(keys.len(), 5, "path, legacy_run_id, run_id, outcome and reason: {keys:?}");
        assert_eq!((&line["legacy_run_id"], &line["reason"]), (&json!(old.id), &Value::Null));
        let run_id: Uuid = line["run_id"].as_str().unwrap().parse().unwrap();
        let run = runs::find(house.pool(), run_id).await.unwrap().expect("is there");
        let what = format!("{:?} {:?}", old.vintage, old.ending);
        let codes: Vec<&str> = run.errors.iter().map(|error| error.code.as_str()).collect();
        assert_eq!((run.status, run.verdict, codes), wanted(old), "{what}");
        assert_eq!(run.metadata["legacy_run_id"], json!(old.id));
        let written = run.metadata["legacy_error_codes"].as_array().unwrap().len();
        assert_eq!(written, old.ending.codes(old.vintage).len(), "{what}");
        let flat = old.vintage.is_flat();
        let applicant = old.applicant.as_ref().map(harness::old_tree::Person::fio);
        assert_eq!(run.fio, applicant, "{what}");
        assert_eq!(run.created_at.with_timezone(old.at.offset()).date_naive(), old.day(), "{what}");
        assert_eq!(run.external_request_id.is_some(), flat && old.applicant.is_some(), "{what}");
        if old.ending.had_verdict() {
            assert_eq!(run.extracted_doc_date, Some(old.day()), "{what}");
            assert_eq!(run.checks.unwrap().fio_match, Some(old.ending == Ending::Accepted), "{what}");
        }
        match &run.document_key {
            None => assert_eq!(old.ending, Ending::NotSaved),
            Some(key) => {
                let copy = house.documents.path().join("copy");
                documents.download(key, &copy).await.unwrap();
                assert!(std::fs::read(&copy).unwrap() == old.document, "{what}: the document is another");
                std::fs::remove_file(copy).unwrap();
                assert_eq!(run.content_type.as_deref(), Some("application/pdf"));
                let texts = pages::list(house.pool(), run_id, 1).await.unwrap();
                let texts: Vec<&str> = texts.iter().map(|page| page.text_content.as_str()).collect();
                assert_eq!(texts, old.pages, "{what}");
            }
        }
    }
    let held = house.held().await;
    for owed in ["jobs", "callbacks", "dead_jobs", "llm_calls", "stats_deltas"] {
        assert_eq!(held[owed], 0, "{owed}");
    }
    assert_eq!(held["counted"], i64::try_from(all.len()).unwrap());
    let hashed = "SELECT count(*) FROM verification_runs WHERE octet_length(sha256) = 32 AND document_key IS NOT NULL";
    assert_eq!(count(house.pool(), hashed).await, held["files"]);
}

#[tokio::test]
async fn importing_twice_adds_nothing_and_says_what_was_there() {
    let house = House::new().await;
    house.write(&one_of_each(2));
    let first = house.import(&[]).await;
    let held = house.held().await;
    let second = house.import(&[]).await;
    assert_eq!((second.status, second.count("exists")), (0, first.lines.len()));
    assert_eq!(house.held().await, held);
    for line in &first.lines {
        let name = line["legacy_run_id"].as_str().unwrap();
        assert_eq!(second.of(name)["run_id"], line["run_id"]);
    }
}

#[tokio::test]
async fn the_same_run_has_the_same_id_in_every_database() {
    let (one, other) = (House::new().await, House::new().await);
    let runs = one_of_each(3);
    one.write(&runs);
    other.write(&runs);
    let (one, other) = (one.import(&[]).await, other.import(&[]).await);
    assert!(one.lines.iter().all(|line| {
        let other = other.of(line["legacy_run_id"].as_str().unwrap());
        other["run_id"] == line["run_id"]
    }));
}

#[tokio::test]
async fn a_dry_run_tells_all_and_writes_nothing() {
    let house = House::new().await;
    let runs = one_of_each(4);
    house.write(&runs);
    let (held, months) = (house.held().await, count(house.pool(), "SELECT count(*) FROM pg_inherits").await);
    let said = house.import(&["--dry-run"]).await;
    assert_eq!((said.status, said.count("imported")), (0, runs.len()));
    assert_eq!(house.held().await, held);
    assert_eq!(count(house.pool(), "SELECT count(*) FROM pg_inherits").await, months);
    assert_eq!(house.import(&[]).await.lines.len(), runs.len());
    assert_eq!(house.import(&["--dry-run"]).await.count("exists"), runs.len());
}

#[tokio::test]
async fn runs_become_those_of_the_client_that_is_named_or_of_the_only_one() {
    let house = House::new().await;
    house.write(&one_of_each(5)[..2]);
    let unknown = house.import(&["--client", "nobody"]).await;
    assert!(unknown.status == 1 && unknown.told.contains("there is no client nobody"), "{}", unknown.told);
    harness::records::client(house.pool(), "bank").await;
    assert_eq!(house.import(&[]).await.count("imported"), 2);
    let owners = "SELECT count(*) FROM verification_runs r JOIN clients c USING (client_id) WHERE c.name = 'bank'";
    assert_eq!(count(house.pool(), owners).await, 2);
    let figures: Vec<String> =
        sqlx::query_scalar("SELECT DISTINCT client FROM daily_stats").fetch_all(house.pool()).await.unwrap();
    assert_eq!(figures, ["bank"]);
    let audited = "SELECT sum((details ->> 'runs')::int) FROM audit_events WHERE action = 'runs.imported'";
    assert_eq!(count(house.pool(), audited).await, 2);
}

#[tokio::test]
async fn figures_made_anew_from_the_rows_are_those_that_were_counted() {
    let house = House::new().await;
    house.write(&one_of_each(6));
    house.import(&[]).await;
    let figures = "SELECT md5(string_agg(f::text, ',' ORDER BY f::text)) FROM (
        SELECT day, hour, ended, accepted, refused, errors, duplicates, pages, 'h' FROM stats_hours UNION ALL
        SELECT day, 0, runs, first, 0, 0, 0, 0, code FROM stats_codes UNION ALL
        SELECT day, bucket, runs, 0, 0, 0, 0, 0, measure || seconds FROM stats_seconds) f";
    let of = async || sqlx::query_scalar::<_, String>(figures).fetch_one(house.pool()).await.unwrap();
    let counted = of().await;
    let rebuild = ["stats", "rebuild", "--from", "2025-11-01", "--past-retention"];
    harness::binaries::command_line(&rebuild, &house.environment()).await.unwrap();
    assert_eq!(of().await, counted);
}
