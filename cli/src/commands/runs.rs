//! `rb-ocr runs`: runs that fit, from the api.

use serde_json::{Value, json};

use super::show::words;
use crate::http::{Api, answer};
use crate::output::{show, table};

/// Which runs. Everything given must hold.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// `processing`, `success` or `error`
    #[arg(long)]
    status: Option<String>,
    /// `true` or `false`
    #[arg(long)]
    verdict: Option<String>,
    /// Any of a run's errors
    #[arg(long)]
    error_code: Option<String>,
    /// Part of the applicant's name, any case; of one or two letters, a whole word of it
    #[arg(long)]
    fio: Option<String>,
    /// Words of the recognised text, each of which must be there
    #[arg(long, value_name = "WORDS")]
    q: Option<String>,
    /// A time (RFC 3339) or a day
    #[arg(long, value_name = "TIME")]
    created_from: Option<String>,
    /// A time (RFC 3339) or a day, included
    #[arg(long, value_name = "TIME")]
    created_to: Option<String>,
    /// The caller's own number
    #[arg(long, value_name = "NUMBER")]
    external_request_id: Option<String>,
    /// 12 digits
    #[arg(long)]
    iin: Option<String>,
    /// How many runs, at most; over 200 are asked for page by page
    #[arg(long, default_value = "20", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// `next_cursor` of the page before
    #[arg(long)]
    cursor: Option<String>,
}

/// Runs of one page of the api's, at most.
const PAGE: u32 = 200;

/// Pages that are asked for, at most: a page may have few runs where a search takes long.
const PAGES: u32 = 1_000;

impl Args {
    fn query(&self, limit: u32, cursor: Option<&str>) -> String {
        let (limit, filters) = (
            limit.to_string(),
            [
                ("status", &self.status),
                ("verdict", &self.verdict),
                ("error_code", &self.error_code),
                ("fio", &self.fio),
                ("q", &self.q),
                ("created_from", &self.created_from),
                ("created_to", &self.created_to),
                ("external_request_id", &self.external_request_id),
                ("iin", &self.iin),
            ],
        );
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        for (name, value) in filters {
            if let Some(value) = value {
                query.append_pair(name, value);
            }
        }
        query.append_pair("limit", &limit);
        if let Some(cursor) = cursor {
            query.append_pair("cursor", cursor);
        }
        query.finish()
    }
}

/// Lists runs, newest first.
///
/// # Errors
/// The api cannot be reached, or refuses.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let api = Api::from_env()?;
    let (mut items, mut cursor) = (Vec::new(), args.cursor.clone());
    for _ in 0..PAGES {
        let missing = args.limit - u32::try_from(items.len()).unwrap_or(args.limit);
        let query = args.query(missing.min(PAGE), cursor.as_deref());
        let mut page = answer(api.get(&format!("/v1/runs?{query}"))).await?;
        items.extend(page["items"].as_array_mut().into_iter().flat_map(std::mem::take));
        cursor = page["next_cursor"].as_str().map(ToOwned::to_owned);
        if cursor.is_none() || items.len() >= args.limit as usize {
            break;
        }
    }
    let page = json!({ "items": items, "next_cursor": cursor });
    show(json, &page, || {
        let rows: Vec<Vec<String>> = items.iter().map(|run| row(run, args.q.is_some())).collect();
        let more = cursor.map(|cursor| format!("\nmore: --cursor {cursor}")).unwrap_or_default();
        let mut heads = vec!["run_id", "created", "status", "verdict", "error", "file"];
        heads.extend(args.q.is_some().then_some("found"));
        table(&heads, &rows) + &more
    });
    Ok(())
}

fn row(run: &Value, searched: bool) -> Vec<String> {
    let fields = ["run_id", "created_at", "status", "verdict", "error_code", "original_filename"];
    let mut cells: Vec<String> = fields.iter().map(|field| words(&run[field])).collect();
    cells.extend(searched.then(|| plain(run["snippet"].as_str().unwrap_or_default())));
    cells
}

/// A snippet for a terminal: the words that were found between brackets, and no HTML.
fn plain(snippet: &str) -> String {
    let signs = [
        ("<mark>", "["),
        ("</mark>", "]"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&amp;", "&"),
    ];
    signs.iter().fold(snippet.to_owned(), |text, (html, sign)| text.replace(html, sign))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snippet_is_shown_without_html() {
        assert_eq!(plain("в <mark>отпуск</mark> &quot;А&amp;lt;Б&quot;"), "в [отпуск] \"А&lt;Б\"");
    }
}
