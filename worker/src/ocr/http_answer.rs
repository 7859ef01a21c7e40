//! What OCR over HTTP answers (contract, section 4), read leniently: services in use differ in where
//! the pages are and in how they are numbered.

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::Value;
use shared::domain::letters::is_invisible;
use shared::domain::{Page, PageSource};

use crate::document::MAX_PAGES;

/// Where a reading stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Not done.
    Pending,
    /// Its pages can be had.
    Completed,
    /// It will never be done.
    Failed,
}

/// The head of an answer: pages are read only when there are some.
#[derive(Debug, Deserialize)]
struct Head {
    #[serde(default)]
    id: Value,
    status: String,
    #[serde(default, rename = "result")]
    _result: IgnoredAny,
}

/// An id may be a text or a number; it becomes a part of a path.
const MAX_ID: usize = 200;

/// Id and state of an answer; none if it is not such an answer.
pub(super) fn head(answer: &[u8]) -> Option<(Option<String>, State)> {
    let head: Head = serde_json::from_slice(answer).ok()?;
    let state = match head.status.as_str() {
        "completed" => State::Completed,
        "failed" => State::Failed,
        "uploaded" | "processing" => State::Pending,
        _ => return None,
    };
    let id = match head.id {
        Value::String(id) => Some(id),
        Value::Number(id) => Some(id.to_string()),
        _ => None,
    };
    Some((id.filter(|id| !id.is_empty() && id.len() <= MAX_ID && !matches!(id.as_str(), "." | "..")), state))
}

#[derive(Debug, Deserialize)]
struct Completed {
    result: Layer,
}

/// `result`, or the `result` inside it.
#[derive(Debug, Deserialize)]
struct Layer {
    data: Option<Data>,
    result: Option<Box<Layer>>,
}

#[derive(Debug, Deserialize)]
struct Data {
    pages: Vec<RawPage>,
}

#[derive(Debug, Deserialize)]
struct RawPage {
    #[serde(default)]
    page_number: Value,
    #[serde(default)]
    text: Option<String>,
}

/// The pages of a completed answer, in order, numbered from 1; `count` is how many the document has,
/// and pages that the service left out are there without text. None if it holds no pages that fit.
pub(super) fn pages(answer: &[u8], count: u32) -> Option<Vec<Page>> {
    let layer = serde_json::from_slice::<Completed>(answer).ok()?.result;
    let layer = if layer.data.is_some() { layer } else { *layer.result? };
    let raw = layer.data?.pages;
    if raw.len() > MAX_PAGES as usize {
        return None;
    }
    let mut pages: Vec<Page> = numbered(raw).into_iter().map(|(number, text)| page(number, text)).collect();
    let known = |number| pages.iter().any(|page: &Page| page.number == number);
    let missing: Vec<u32> = (1..=count).filter(|number| !known(*number)).collect();
    pages.extend(missing.into_iter().map(|number| page(number, String::new())));
    pages.sort_by_key(|page| page.number);
    Some(pages)
}

/// The service's numbers where they can be page numbers, its order otherwise.
fn numbered(raw: Vec<RawPage>) -> Vec<(u32, String)> {
    let numbers: Option<Vec<u32>> = raw
        .iter()
        .map(|page| match &page.page_number {
            Value::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
            Value::String(number) => number.trim().parse().ok(),
            _ => None,
        })
        .collect();
    let mut distinct = numbers.clone().unwrap_or_default();
    distinct.sort_unstable();
    distinct.dedup();
    let texts = raw.into_iter().map(|page| page.text.unwrap_or_default());
    match numbers {
        Some(numbers)
            if distinct.len() == texts.len() && distinct.iter().all(|number| (1..=MAX_PAGES).contains(number)) =>
        {
            numbers.into_iter().zip(texts).collect()
        }
        // Numbers from 0 still say the order.
        Some(numbers) if distinct.len() == texts.len() => {
            let mut pages: Vec<(u32, String)> = numbers.into_iter().zip(texts).collect();
            pages.sort_by_key(|(number, _)| *number);
            (1..).zip(pages.into_iter().map(|(_, text)| text)).collect()
        }
        _ => (1..).zip(texts).collect(),
    }
}

fn page(number: u32, text: String) -> Page {
    // PostgreSQL stores no NUL, nobody sees invisible signs, and lines are parted by \n.
    let is_nothing = |sign: char| sign == '\0' || is_invisible(sign);
    let text = if text.contains(|sign| sign == '\r' || is_nothing(sign)) {
        text.replace(is_nothing, "").replace("\r\n", "\n").replace('\r', "\n")
    } else {
        text
    };
    Page { number, text, words: Vec::new(), confidence: None, source: PageSource::Http }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pages_json: &str, count: u32) -> Option<Vec<(u32, String)>> {
        let answer =
            format!(r#"{{"id": "7", "status": "completed", "result": {{"data": {{"pages": {pages_json}}}}}}}"#);
        Some(pages(answer.as_bytes(), count)?.into_iter().map(|page| (page.number, page.text)).collect())
    }

    fn texts(expected: &[(u32, &str)]) -> Option<Vec<(u32, String)>> {
        Some(expected.iter().map(|(number, text)| (*number, (*text).to_owned())).collect())
    }

    #[test]
    fn pages_are_found_in_either_place() {
        let inner = r#"{"data": {"pages": [{"page_number": 1, "text": "a"}]}}"#;
        for result in [inner.to_owned(), format!(r#"{{"status": "ok", "result": {inner}}}"#)] {
            let answer = format!(r#"{{"id": "7", "status": "completed", "result": {result}}}"#);
            let pages = pages(answer.as_bytes(), 1).expect("pages");
            assert_eq!((pages[0].number, pages[0].text.as_str()), (1, "a"));
            assert_eq!((pages[0].confidence, pages[0].words.len()), (None, 0));
        }
    }

    #[test]
    fn page_numbers_may_be_missing_null_doubled_from_zero_or_out_of_order() {
        let ordered = texts(&[(1, "a"), (2, "b")]);
        for pages in [
            r#"[{"page_number": 2, "text": "b"}, {"page_number": 1, "text": "a"}]"#,
            r#"[{"page_number": "2", "text": "b"}, {"page_number": "1", "text": "a"}]"#,
            r#"[{"page_number": null, "text": "a"}, {"page_number": null, "text": "b"}]"#,
            r#"[{"text": "a"}, {"text": "b"}]"#,
            r#"[{"page_number": 1, "text": "a"}, {"page_number": 1, "text": "b"}]"#,
            r#"[{"page_number": 1, "text": "b"}, {"page_number": 0, "text": "a"}]"#,
        ] {
            assert_eq!(read(pages, 2), ordered, "{pages}");
        }
    }

    #[test]
    fn pages_left_out_or_without_text_are_there_and_empty() {
        assert_eq!(read(r#"[{"page_number": 2, "text": "b"}]"#, 3), texts(&[(1, ""), (2, "b"), (3, "")]));
        assert_eq!(read(r#"[{"page_number": 1, "text": null}, {"page_number": 2}]"#, 2), texts(&[(1, ""), (2, "")]));
        assert_eq!(read("[]", 1), texts(&[(1, "")]));
    }

    #[test]
    fn what_the_database_cannot_store_is_taken_out() {
        assert_eq!(read(r#"[{"text": "a\u0000\u200bb\r\nc\rd"}]"#, 1), texts(&[(1, "ab\nc\nd")]));
    }

    #[test]
    fn an_answer_of_another_shape_is_none() {
        for answer in ["", "[]", r#"{"result": null}"#, r#"{"result": {"data": {}}}"#, r#"{"result": {"result": {}}}"#]
        {
            assert!(pages(answer.as_bytes(), 1).is_none(), "{answer}");
        }
        let many = format!("[{}]", vec![r#"{"text": "a"}"#; 21].join(","));
        assert_eq!(read(&many, 1), None, "more pages than a document may have");
    }

    #[test]
    fn a_head_is_read_whatever_its_result() {
        let read = |text: &str| head(text.as_bytes());
        assert_eq!(read(r#"{"id": "a/b", "status": "uploaded"}"#), Some((Some("a/b".into()), State::Pending)));
        assert_eq!(
            read(r#"{"id": 7, "status": "processing", "result": ""}"#),
            Some((Some("7".into()), State::Pending))
        );
        assert_eq!(read(r#"{"status": "failed", "result": null}"#), Some((None, State::Failed)));
        assert_eq!(read(r#"{"id": "..", "status": "completed"}"#), Some((None, State::Completed)));
        assert_eq!(read(r#"{"id": "7", "status": "lost"}"#), None);
        assert_eq!(read("<html>"), None);
    }
}
