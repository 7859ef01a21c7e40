//! `00_input.pdf`, `01_ocr.json` … `04_final.json`.

use std::io;
use std::path::Path;

use chrono::{SecondsFormat, TimeDelta};
use serde_json::{Value, json};

use super::{Ending, OldRun, Vintage, json as file, ocr};

pub(super) fn write(run: &OldRun, folder: &Path) -> io::Result<()> {
    let filtered = run.vintage == Vintage::FlatFiltered;
    let named = |stem: &str| if filtered { format!("{stem}.filtered.json") } else { format!("{stem}.json") };
    if run.ending != Ending::NotSaved {
        let extension = ["pdf", "PDF", "bin"][run.external_request_id as usize % 3];
        std::fs::write(folder.join(format!("00_input.{extension}")), &run.document)?;
        file(folder, &named("01_ocr"), &ocr(run))?;
        if filtered {
            file(folder, "01_ocr.raw.json", &json!({"result": {"data": {}}}))?;
        }
        let (invalid, nothing, list) = (run.ending == Ending::InvalidAnswer, json!({}), json!([1]));
        let check = json!({"single_doc_type": run.ending != Ending::SeveralDocuments, "confidence": 95,
            "detected_doc_types": ["Справка"], "reasoning": "…", "doc_type_known": true});
        file(folder, &named("02_llm_dtc"), if invalid { &nothing } else { &check })?;
        let found = json!({"fio": run.person.fio(), "doc_date": run.at.format("%Y-%m-%d").to_string()});
        file(folder, &named("03_llm_ext"), if invalid { &list } else { &found })?;
    }
    file(folder, "04_final.json", &end(run))
}

fn code(run: &OldRun, name: &str) -> Value {
    let number = match name {
        _ if run.vintage != Vintage::FlatNumbers => return json!(name),
        "DOC_DATE_TOO_OLD" => 2,
        "MULTIPLE_DOCUMENTS" => 3,
        "FIO_MISMATCH" => 4,
        "FILE_SAVE_FAILED" => 13,
        "DTC_PARSE_ERROR" => 24,
        other => return json!(other),
    };
    json!(number)
}

fn end(run: &OldRun) -> Value {
    let time = |at: chrono::DateTime<chrono::FixedOffset>| at.to_rfc3339_opts(SecondsFormat::Micros, false);
    let seconds = run.seconds();
    let completed = run.at + TimeDelta::milliseconds((seconds * 1000.0) as i64);
    let verdict = run.ending.had_verdict();
    let good = run.ending == Ending::Accepted;
    let if_verdict = |value: Value| if verdict { value } else { Value::Null };
    let codes: Vec<Value> = run.ending.codes(run.vintage).iter().map(|name| code(run, name)).collect();
    let person = run.applicant.as_ref();
    let by_form = |value: Value| if person.is_some() { value } else { Value::Null };
    json!({
        "run_id": run.id, "trace_id": uuid::Uuid::new_v4().simple().to_string(),
        "created_at": time(run.at), "completed_at": time(completed), "processing_time_seconds": seconds,
        "external_request_id": by_form(if run.external_request_id.is_multiple_of(2) { json!(run.external_request_id) }
                                       else { json!(run.external_request_id.to_string()) }),
        "external_s3_path": by_form(json!(format!("s3://bucket/in/Приказ {}.pdf", run.external_request_id % 100))),
        "external_iin": by_form(json!(format!("{:012}", u64::from(run.external_request_id) + 800_000_000_000))),
        "external_last_name": person.map(|person| &person.last),
        "external_first_name": person.map(|person| &person.first),
        "external_second_name": person.map(|person| &person.second),
        "status": if verdict { "success" } else { "error" },
        "pipeline_error_code": if verdict { Value::Null } else { codes[0].clone() },
        "pipeline_error_message": if verdict { Value::Null } else { json!("…") },
        "pipeline_error_category": if verdict { Value::Null } else { json!("server_error") },
        "pipeline_error_retryable": if verdict { Value::Null } else { json!(false) },
        "extracted_fio": if_verdict(json!(run.person.fio())),
        "extracted_doc_date": if_verdict(json!(run.at.format("%d.%m.%Y").to_string())),
        "extracted_single_doc_type": if_verdict(json!(true)),
        "extracted_doc_type_known": if_verdict(json!(true)),
        "extracted_doc_type": if_verdict(json!("Справка о регистрации в качестве безработного")),
        "rule_fio_match": if_verdict(json!(good)), "rule_doc_date_valid": if_verdict(json!(good)),
        "rule_doc_type_known": if_verdict(json!(true)), "rule_single_doc_type": if_verdict(json!(true)),
        "rule_verdict": if_verdict(json!(good)), "rule_errors": if verdict { codes } else { Vec::new() },
    })
}
