//! `meta/`, `input/`, `ocr/`, `llm/` (`gpt/` in the beginning).

use std::io;
use std::path::Path;

use serde_json::{Value, json};

use super::{Ending, OldRun, Vintage, json as file, ocr};

pub(super) fn write(run: &OldRun, folder: &Path) -> io::Result<()> {
    let gpt = run.vintage == Vintage::Gpt;
    for below in ["input/original", "ocr", if gpt { "gpt" } else { "llm" }, "meta"] {
        std::fs::create_dir_all(folder.join(below))?;
    }
    let fio = run.applicant.as_ref().map(super::Person::fio);
    let declared = run.vintage <= Vintage::Declared;
    let metadata = if declared {
        json!({"fio": fio, "reason": "декрет", "doc_type": "Справка"})
    } else {
        json!({"fio": fio})
    };
    file(folder, "meta/metadata.json", &metadata)?;
    if run.ending != Ending::NotSaved {
        std::fs::write(folder.join("input/original").join(name(run)), &run.document)?;
        file(folder, "ocr/ocr_response_filtered.json", &ocr(run))?;
        answers(run, folder)?;
    }
    let errors: Vec<Value> = run.ending.codes(run.vintage).iter().map(|code| json!({ "code": code })).collect();
    let accepted = run.ending == Ending::Accepted;
    file(folder, "meta/final_result.json", &json!({"run_id": run.id, "verdict": accepted, "errors": errors}))?;
    file(folder, "meta/manifest.json", &manifest(run, fio.as_deref()))
}

/// How the file was called, and how it was stored: made safe.
fn name(run: &OldRun) -> String {
    format!("Справка_{}.pdf", run.external_request_id % 100)
}

fn manifest(run: &OldRun, fio: Option<&str>) -> Value {
    let seconds = run.seconds();
    let model = if run.vintage == Vintage::Gpt { "gpt_seconds" } else { "llm_seconds" };
    let mut timing = json!({"duration_seconds": seconds, "ocr_seconds": seconds / 2.0});
    timing[model] = json!(seconds / 4.0);
    if run.vintage <= Vintage::Stamped {
        timing["stamp_seconds"] = Value::Null;
    }
    let error = (!run.ending.had_verdict() && run.ending != Ending::Accepted).then(|| run.ending.codes(run.vintage)[0]);
    json!({
        "run_id": run.id, "created_at": run.at.format("%d.%m.%Y").to_string(), "timing": timing,
        "user_input": {"fio": fio},
        "file": {"original_filename": format!("Справка {}.pdf", run.external_request_id % 100),
                 "saved_path": format!("/srv/app/runs/{}/{}", run.id, name(run)),
                 "content_type": "application/pdf", "size_bytes": run.document.len()},
        "artifacts": {"final_result_path": "/srv/app/runs/final_result.json", "side_by_side_path": null, "merged_path": null},
        "status": if run.ending.had_verdict() { "success" } else { "error" }, "error": error,
    })
}

fn answers(run: &OldRun, folder: &Path) -> io::Result<()> {
    let gpt = run.vintage == Vintage::Gpt;
    let single = run.ending != Ending::SeveralDocuments;
    let mut check = json!({"single_doc_type": single, "confidence": if gpt { json!(0.95) } else { json!(95) },
        "detected_doc_types": ["Справка о регистрации в качестве безработного"], "reasoning": "…"});
    let mut found = json!({"fio": run.person.fio(), "doc_date": run.at.format("%d.%m.%Y").to_string()});
    let doc_type = "Справка о регистрации в качестве безработного";
    let mut merged =
        json!({"fio": found["fio"], "doc_date": found["doc_date"], "single_doc_type": single, "doc_type": doc_type});
    if gpt {
        found["doc_type"] = json!(doc_type);
        for key in ["confidence", "detected_doc_types", "reasoning"] {
            merged[key] = check[key].clone();
        }
    } else {
        check["doc_type_known"] = json!(true);
        merged["doc_type_known"] = json!(true);
    }
    if run.vintage == Vintage::Stamped {
        merged["stamp_present"] = json!(run.ending == Ending::Accepted);
        file(folder, "meta/stamp_check_response.json", &json!({"stamp": true}))?;
    }
    let (first, second, both) = if gpt {
        ("gpt/gpt_doc_type_check_filtered.json", "gpt/gpt_extractor_response_filtered.json", "gpt/merged.json")
    } else {
        ("llm/doc_type_check.filtered.json", "llm/extractor.filtered.json", "llm/merged.json")
    };
    file(folder, &first.replace("filtered", "raw"), &json!({"choices": []}))?;
    if run.ending == Ending::InvalidAnswer {
        return file(folder, first, &json!({}));
    }
    file(folder, first, &check)?;
    if single {
        file(folder, second, &found)?;
        file(folder, both, &merged)?;
    }
    Ok(())
}
