//! What the model is asked. The document's text is fenced off as data by a random code, which no
//! document can know, and bounded.

use std::fmt::Write as _;

use serde_json::{Value, json};
use shared::domain::Page;
use shared::domain::doc_types::DOC_TYPES;

use super::super::CallType;

/// Which wording; a changed one gets a folder and a version of its own, since the record names it.
pub(super) const VERSION: &str = "v1";

const DOC_TYPE_CHECK: &str = include_str!("prompts/v1/doc_type_check.md");
const EXTRACTOR: &str = include_str!("prompts/v1/extractor.md");

/// Characters of text that are sent, at most: what a model with a small window takes.
pub(super) const MAX_TEXT_CHARS: usize = 40_000;

/// Of a page that is cut, this share is kept from its beginning, the rest from its end: titles and
/// names stand above, dates and signatures below.
const HEAD_SHARE: f64 = 0.7;

/// The instruction of a call.
pub(super) fn system(call: CallType) -> String {
    match call {
        CallType::DocTypeCheck => {
            let titles: Vec<String> = DOC_TYPES.iter().map(|known| format!("- {}", known.title)).collect();
            DOC_TYPE_CHECK.replace("{{titles}}", &titles.join("\n"))
        }
        CallType::Extractor => EXTRACTOR.to_owned(),
    }
}

/// The schema of a call's answer. The verdict is never asked for.
pub(super) fn schema(call: CallType) -> Value {
    let object = |fields: Value| {
        let required: Vec<&String> = fields.as_object().map(|fields| fields.keys().collect()).unwrap_or_default();
        json!({"type": "object", "properties": fields, "required": required, "additionalProperties": false})
    };
    let text = json!({"type": ["string", "null"]});
    let page = json!({"type": ["integer", "null"]});
    match call {
        CallType::DocTypeCheck => {
            let titles: Vec<&str> = DOC_TYPES.iter().map(|known| known.title).collect();
            object(json!({
                "single_doc_type": {"type": "boolean"},
                "doc_type": object(json!({"value": one_of(&titles), "quote": text, "page": page})),
            }))
        }
        CallType::Extractor => {
            let kind = one_of(&["issue", "leave_start"]);
            object(json!({
                "fio": object(json!({"value": text, "quote": text, "page": page})),
                "doc_date": object(json!({"value": text, "quote": text, "page": page, "kind": kind})),
            }))
        }
    }
}

/// One of these words, or null. As two alternatives: llama.cpp reads no `enum` beside a list of types.
fn one_of(words: &[&str]) -> Value {
    json!({"anyOf": [{"type": "string", "enum": words}, {"type": "null"}]})
}

/// The pages between two lines with a random code.
pub(super) fn document(pages: &[Page], code: u64) -> String {
    let share = MAX_TEXT_CHARS / pages.len().max(1);
    let whole: usize = pages.iter().map(|page| page.text.len()).sum();
    let mut text = String::with_capacity(whole.min(4 * MAX_TEXT_CHARS) + 128 + 16 * pages.len());
    let fits = pages.iter().map(|page| page.text.chars().count()).sum::<usize>() <= MAX_TEXT_CHARS;
    let fence = |text: &mut String, word: &str| writeln!(text, "===== {word} {code:016x} =====");
    let _ = fence(&mut text, "DOCUMENT");
    for page in pages {
        let _ = writeln!(text, "[page {}]", page.number);
        if fits {
            text.push_str(&page.text);
        } else {
            push_cut(&mut text, &page.text, share);
        }
        text.push('\n');
    }
    let _ = fence(&mut text, "END OF DOCUMENT");
    text
}

/// At most `most` characters of a page, its middle left out.
fn push_cut(out: &mut String, page: &str, most: usize) {
    let length = page.chars().count();
    if length <= most {
        out.push_str(page);
        return;
    }
    let head = (most as f64 * HEAD_SHARE) as usize;
    let at = |char: usize| page.char_indices().nth(char).map_or(page.len(), |(byte, _)| byte);
    out.push_str(&page[..at(head)]);
    out.push_str("\n[…]\n");
    out.push_str(&page[at(length - (most - head))..]);
}

#[cfg(test)]
mod tests {
    use shared::domain::PageSource;

    use super::*;

    fn page(number: u32, text: String) -> Page {
        Page { number, text, words: Vec::new(), confidence: None, source: PageSource::Http }
    }

    #[test]
    fn the_prompts_name_all_types_and_every_field_of_their_schema() {
        let check = system(CallType::DocTypeCheck);
        assert!(DOC_TYPES.iter().all(|known| check.contains(known.title)));
        assert!(!check.contains("{{"));
        for call in [CallType::DocTypeCheck, CallType::Extractor] {
            let (prompt, schema) = (system(call), schema(call));
            for field in schema["required"].as_array().expect("fields") {
                let name = field.as_str().expect("a name");
                assert!(prompt.contains(&format!("`{name}`")), "{name}");
            }
        }
    }

    #[test]
    fn no_call_asks_for_the_verdict() {
        for call in [CallType::DocTypeCheck, CallType::Extractor] {
            assert!(!format!("{}{}", system(call), schema(call)).contains("verdict"));
        }
    }

    #[test]
    fn no_schema_lists_words_beside_several_types() {
        fn look(schema: &Value) {
            assert!(!(schema["type"].is_array() && schema.get("enum").is_some()), "{schema}");
            schema.as_object().into_iter().flat_map(|members| members.values()).for_each(look);
            schema.as_array().into_iter().flatten().for_each(look);
        }
        for call in [CallType::DocTypeCheck, CallType::Extractor] {
            look(&schema(call));
        }
    }

    #[test]
    fn the_text_stands_between_two_lines_with_the_code() {
        let text = document(&[page(1, "Справка".into()), page(2, "выдана".into())], 0xabc);
        let expected = "===== DOCUMENT 0000000000000abc =====\n[page 1]\nСправка\n[page 2]\nвыдана\n\
                        ===== END OF DOCUMENT 0000000000000abc =====\n";
        assert_eq!(text, expected);
    }

    #[test]
    fn a_long_text_is_bounded_and_keeps_both_ends_of_each_page() {
        let long = format!("начало{}конец", "я".repeat(30_000));
        let text = document(&[page(1, long.clone()), page(2, long)], 0);
        assert!(text.chars().count() < MAX_TEXT_CHARS + 200);
        assert_eq!((text.matches("начало").count(), text.matches("конец").count()), (2, 2));
    }
}
