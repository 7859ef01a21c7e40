//! `rb-ocr show RUN_ID`: a run, from the api.

use serde_json::Value;

use crate::http::{Api, answer};
use crate::output;

/// Which run.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Its id
    run_id: uuid::Uuid,
}

/// Shows a run.
///
/// # Errors
/// The api cannot be reached, or refuses.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let run = answer(Api::from_env()?.get(&format!("/v1/runs/{}", args.run_id))).await?;
    output::show(json, &run, || {
        let fields = ["run_id", "status", "verdict", "stage", "created_at", "completed_at", "fio", "original_filename"];
        let mut lines: Vec<String> = fields.iter().map(|field| format!("{field:<18}{}", words(&run[field]))).collect();
        for group in ["extracted", "checks"] {
            let members = run[group].as_object().into_iter().flatten();
            lines.extend(members.map(|(name, value)| format!("{:<18}{name}: {}", group, words(value))));
        }
        for error in run["errors"].as_array().into_iter().flatten() {
            lines.push(format!("{:<18}{} {}", "error", words(&error["code"]), words(&error["message"])));
        }
        lines.join("\n")
    });
    Ok(())
}

/// A run in one line.
pub fn summary(run: &Value) -> String {
    let errors: Vec<String> =
        run["errors"].as_array().into_iter().flatten().map(|error| words(&error["code"])).collect();
    let verdict = match run["verdict"].as_bool() {
        Some(true) => "accepted",
        Some(false) => "refused",
        None => "",
    };
    let parts = [words(&run["run_id"]), words(&run["status"]), verdict.to_owned(), errors.join(", ")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A value without its quotes.
pub fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "-".into(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_run_is_summed_up_in_a_line() {
        let run = json!({"run_id": "1", "status": "success", "verdict": false, "errors": [{"code": "FIO_MISMATCH"}]});
        assert_eq!(summary(&run), "1 success refused FIO_MISMATCH");
        assert_eq!(summary(&json!({"run_id": "1", "status": "processing"})), "1 processing");
    }
}
