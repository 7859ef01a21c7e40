//! `rb-ocr runs`: the newest runs, from the api.

use serde_json::Value;

use super::show::words;
use crate::http::{Api, answer};
use crate::output::{show, table};

/// Which runs.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// `processing`, `success` or `error`
    #[arg(long)]
    status: Option<String>,
    /// Any of a run's errors
    #[arg(long)]
    error_code: Option<String>,
    /// Part of the applicant's name
    #[arg(long)]
    fio: Option<String>,
    /// 1 to 200
    #[arg(long, default_value = "20", value_parser = clap::value_parser!(u8).range(1..=200))]
    limit: u8,
    /// `next_cursor` of the page before
    #[arg(long)]
    cursor: Option<String>,
}

/// Lists runs, newest first.
///
/// # Errors
/// The api cannot be reached, or refuses.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let given = [
        ("status", args.status.clone()),
        ("error_code", args.error_code.clone()),
        ("fio", args.fio.clone()),
        ("limit", Some(args.limit.to_string())),
        ("cursor", args.cursor.clone()),
    ];
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for (name, value) in given {
        if let Some(value) = value {
            query.append_pair(name, &value);
        }
    }
    let page = answer(Api::from_env()?.get(&format!("/v1/runs?{}", query.finish()))).await?;
    show(json, &page, || {
        let row = |run: &Value| {
            let fields = ["run_id", "created_at", "status", "verdict", "error_code", "original_filename"];
            fields.iter().map(|field| words(&run[field])).collect()
        };
        let rows: Vec<Vec<String>> = page["items"].as_array().into_iter().flatten().map(row).collect();
        let more = page["next_cursor"].as_str().map(|cursor| format!("\nmore: --cursor {cursor}")).unwrap_or_default();
        table(&["run_id", "created", "status", "verdict", "error", "file"], &rows) + &more
    });
    Ok(())
}
