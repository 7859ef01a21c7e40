//! `ARTIFACTS_DIR`: what ends is also written as the system before wrote it, and that is read back as it was.

use std::path::{Path, PathBuf};

use harness::binaries::command_line;
use harness::caller::{answer, form, run_id};
use harness::papers::{APPLICANT, certificate, pdf, truncated_pdf};
use harness::process::Environment;
use harness::services::Database;
use harness::stack::Stack;
use harness::until::until;
use serde_json::{Value, json};
use uuid::Uuid;

const SICK_LEAVE: &str = "ГКП на ПХВ Поликлиника № 3\nЛИСТ ВРЕМЕННОЙ НЕТРУДОСПОСОБНОСТИ № 551204\nДата выдачи: 16.11.2026\n\
                          Фамилия, имя, отчество: Круглов Олег Дмитриевич";

/// Where the folder of a run comes to lie.
async fn folder(artifacts: &Path, run_id: Uuid) -> PathBuf {
    until("folder of the run", async || {
        let mut days = std::fs::read_dir(artifacts).ok()?.flatten().map(|day| day.path().join(run_id.to_string()));
        days.find(|folder| folder.exists())
    })
    .await
}

fn json_of(file: PathBuf) -> Value {
    serde_json::from_slice(&std::fs::read(file).expect("is there")).expect("JSON")
}

async fn lines(arguments: &[&str], environment: &Environment) -> Vec<Value> {
    let output = command_line(arguments, environment).await.expect("succeeds");
    let text = String::from_utf8(output.stdout).expect("text");
    text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect()
}

#[tokio::test]
async fn what_ends_is_written_in_the_old_form_and_imports_and_compares_clean() {
    let artifacts = tempfile::tempdir().expect("a folder");
    let path = artifacts.path().display().to_string();
    let stack = Stack::plan().set("ARTIFACTS_DIR", &path).start().await;
    let bank = stack.bank().await;
    let document = pdf(&[&certificate()]);
    let accepted = bank.judged(form(document.clone(), APPLICANT)).await;
    let refused = bank.judged(form(document.clone(), "Петров Игорь Семёнович")).await;
    let several = bank.judged(form(pdf(&[&certificate(), SICK_LEAVE]), APPLICANT)).await;
    let broken = bank.judged(form(truncated_pdf(), APPLICANT)).await;
    let runs = [&accepted, &refused, &several, &broken].map(run_id);
    let mut folders = Vec::new();
    for run in runs {
        folders.push(folder(artifacts.path(), run).await);
    }
    assert_eq!(std::fs::read(folders[0].join("00_input.pdf")).expect("is there"), document);
    let end = json_of(folders[1].join("04_final.json"));
    assert_eq!(
        (&end["rule_verdict"], &end["rule_errors"], &end["status"]),
        (&json!(false), &json!([4]), &json!("success"))
    );
    assert_eq!((&end["external_last_name"], &end["external_second_name"]), (&json!("Петров"), &json!("Семёнович")));
    let end = json_of(folders[2].join("04_final.json"));
    assert_eq!(
        (&end["status"], &end["pipeline_error_code"], &end["rule_verdict"]),
        (&json!("error"), &json!(3), &Value::Null)
    );
    let end = json_of(folders[3].join("04_final.json"));
    assert_eq!((&end["status"], &end["pipeline_error_code"]), (&json!("error"), &json!(15)));
    assert_eq!(end.as_object().expect("an object").len(), 27, "every key of the old form: {end}");
    assert!(json_of(folders[0].join("01_ocr.json"))["pages"][0]["text"].as_str().expect("text").contains("СПРАВКА"));

    // Against the runs that they were written from, and against what another house imported from them.
    let own = stack.environment();
    let compared = lines(&["compare", &path, "--json"], &own).await;
    let all_same = |lines: &[Value]| lines.iter().filter(|line| line["outcome"] == "same").count() == runs.len();
    assert!(all_same(&compared) && compared[0]["matched_by"] == "run_id", "{compared:?}");
    assert_eq!(lines(&["import", &path, "--json"], &own).await[0]["outcome"], "exists", "they are ours");
    let (other, documents) = (Database::fresh().await, tempfile::tempdir().expect("a folder"));
    let other = Environment::new()
        .with("DATABASE_URL", other.url())
        .with("STORAGE_URL", format!("file://{}", documents.path().display()));
    let imported = lines(&["import", &path, "--json"], &other).await;
    assert_eq!(imported.iter().filter(|line| line["outcome"] == "imported").count(), runs.len(), "{imported:?}");
    let compared = lines(&["compare", &path, "--json"], &other).await;
    assert!(all_same(&compared) && compared[0]["matched_by"] == "legacy_run_id", "{compared:?}");

    // A verdict that has changed is told, with what differs.
    let end = json_of(folders[0].join("04_final.json"));
    let changed = json!({"rule_verdict": false, "rule_fio_match": false, "rule_errors": [4]});
    let changed: serde_json::Map<_, _> = end
        .as_object()
        .into_iter()
        .chain(changed.as_object())
        .flatten()
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    std::fs::write(folders[0].join("04_final.json"), serde_json::to_vec(&changed).expect("JSON")).expect("is written");
    let told = command_line(&["compare", &path], &own).await.expect_err("something differs").to_string();
    assert!(told.contains("1 folders differ"), "{told}");

    let (status, _) = answer(bank.delete(&format!("/v1/runs/{}", runs[0]))).await;
    assert_eq!(status, 204);
    until("erased folder", async || (!folders[0].exists()).then_some(())).await;
    assert!(folders[1].exists(), "nobody had this one erased");
}

#[tokio::test]
async fn a_place_that_cannot_be_written_to_fails_no_run() {
    let file = tempfile::NamedTempFile::new().expect("a file");
    let stack = Stack::plan().set("ARTIFACTS_DIR", file.path().display().to_string()).start().await;
    let bank = stack.bank().await;
    let run = bank.judged(form(pdf(&[&certificate()]), APPLICANT)).await;
    assert_eq!(run["verdict"], true);
    let url = format!("{}/metrics", stack.workers[0].url());
    until("count of what could not be written", async || {
        let text = reqwest::get(&url).await.ok()?.text().await.ok()?;
        text.contains("rb_ocr_artifacts_total{outcome=\"failed\"} 1").then_some(())
    })
    .await;
}
