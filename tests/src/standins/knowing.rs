//! A model that knows what is in the document: what a perfect one would answer. It says what the labels say and quotes
//! the words of the recognised text that stand nearest to what is printed. So what is lost is lost by the reading, or
//! by the pipeline around the model.

use serde::Deserialize;
use serde_json::{Value, json};
use shared::domain::doc_types::{self, DocType};
use shared::domain::{dates, letters};

use super::llm::{Call, CallType};

/// What the labels say of a document: the line of its truth.jsonl.
#[derive(Clone, Debug, Deserialize)]
pub struct Known {
    expected: Expected,
    #[serde(default)]
    printed: Printed,
    #[serde(default)]
    tags: Vec<String>,
}

#[derive(Clone, Debug, Deserialize)]
struct Expected {
    single_doc_type: Option<bool>,
    doc_type: Option<String>,
    fio: Option<String>,
    doc_date: Option<String>,
}

/// As they stand in the document.
#[derive(Clone, Debug, Default, Deserialize)]
struct Printed {
    #[serde(default)]
    fio: Vec<String>,
    #[serde(default)]
    date: Vec<String>,
}

/// Of the letters of a name or a date so many may be misread, in a hundred: more is something else.
const MISREAD: usize = 30;

impl Known {
    /// The answer. Told that an answer could not be used, it says what stands there, as a model does that has looked
    /// again, and nothing where that is none.
    pub fn answer(&self, call: &Call) -> Value {
        let message = call.messages("user");
        let again = message.contains("An earlier answer could not be used");
        let pages = pages(&message);
        match call.call_type {
            CallType::DocTypeCheck => {
                let title = self.expected.doc_type.as_deref().filter(|_| !again);
                let known = title.and_then(doc_types::by_title);
                let quote = known.and_then(|known| title_in(&pages, known));
                json!({
                    "single_doc_type": self.expected.single_doc_type.unwrap_or(true),
                    "doc_type": field(title, quote.as_ref()),
                })
            }
            CallType::Extractor => {
                let (fio, doc_date) = (name_in(&pages, &self.printed.fio), nearest(&pages, &self.printed.date));
                let name = if again { read_name(fio.as_ref()) } else { self.expected.fio.clone() };
                let date = if again { read_date(doc_date.as_ref()) } else { self.expected.doc_date.clone() };
                let by_leave = self.tags.iter().any(|tag| tag == "date-from-period");
                let mut doc_date = field(date.as_deref(), doc_date.as_ref());
                doc_date["kind"] = json!(if by_leave { "leave_start" } else { "issue" });
                json!({"fio": field(name.as_deref(), fio.as_ref()), "doc_date": doc_date})
            }
        }
    }
}

/// Words of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    page: u64,
    text: String,
}

/// What is not there is not answered.
fn field(value: Option<&str>, quote: Option<&Found>) -> Value {
    let (Some(value), Some(quote)) = (value, quote) else {
        return json!({"value": null, "quote": null, "page": null});
    };
    json!({"value": value, "quote": quote.text, "page": quote.page})
}

fn read_name(quote: Option<&Found>) -> Option<String> {
    Some(shared::domain::names::nominative(&quote?.text))
}

fn read_date(quote: Option<&Found>) -> Option<String> {
    Some(dates::parse(&quote?.text)?.to_string())
}

/// The text of each page between the fences.
fn pages(message: &str) -> Vec<Found> {
    let mut pages: Vec<Found> = Vec::new();
    for line in message.lines().skip(1).take_while(|line| !line.starts_with("===== END OF DOCUMENT")) {
        let begins = line.strip_prefix("[page ").and_then(|rest| rest.strip_suffix(']')?.parse().ok());
        match (begins, pages.last_mut()) {
            (Some(page), _) => pages.push(Found { page, text: String::new() }),
            (None, Some(page)) => page.text.extend([line, "\n"]),
            (None, None) => {}
        }
    }
    pages
}

/// Every run of one to `most` words that follow each other on a page.
fn runs(pages: &[Found], most: usize) -> impl Iterator<Item = Found> {
    pages.iter().flat_map(move |page| {
        let words: Vec<&str> = page.text.split_whitespace().collect();
        let ends = move |from: usize, words: &[&str]| from + 1..=words.len().min(from + most);
        let runs = (0..words.len()).flat_map(|from| ends(from, &words).map(move |to| (from, to)));
        runs.map(|(from, to)| Found { page: page.page, text: words[from..to].join(" ") }).collect::<Vec<_>>()
    })
}

/// The words that are nearest to one of these, if any are near.
fn nearest(pages: &[Found], printed: &[String]) -> Option<Found> {
    let near = printed.iter().filter_map(|printed| {
        let wanted: Vec<char> = letters::key(printed);
        let most = wanted.len() * 2 * MISREAD / 100;
        let runs = runs(pages, printed.split_whitespace().count() + 3);
        let near = runs.filter_map(|run| {
            let key: Vec<char> = letters::key(&run.text);
            let distance = letters::distance(&key, &wanted, most)? * 1_000 / wanted.len().max(1);
            // Of equals the one with more letters, and with fewer marks around them.
            Some(((distance, std::cmp::Reverse(key.len()), run.text.len()), run))
        });
        near.min_by_key(|(rank, _)| *rank)
    });
    near.min_by_key(|(rank, _)| *rank).map(|(_, run)| run)
}

/// The name as it stands, or from the first to the last of its parts where a form has a field for each.
fn name_in(pages: &[Found], printed: &[String]) -> Option<Found> {
    let in_parts = printed.len() >= 2 && printed.iter().all(|part| part.split_whitespace().count() == 1);
    if !in_parts {
        return nearest(pages, printed);
    }
    let parts: Vec<String> =
        printed.iter().filter_map(|part| Some(nearest(pages, std::slice::from_ref(part))?.text)).collect();
    let runs = runs(pages, LONGEST_FORM).filter(|run| {
        let words: Vec<&str> = run.text.split(' ').collect();
        parts.iter().all(|part| words.contains(&part.as_str()))
    });
    runs.min_by_key(|run| run.text.len())
}

/// Words of a form from a person's surname to the patronymic, at most.
const LONGEST_FORM: usize = 16;

/// The words in which most of one of the type's titles stands, whatever their order; else the first words of the
/// document, where a title would be.
fn title_in(pages: &[Found], known: &DocType) -> Option<Found> {
    let beginnings = |text: &str| -> Vec<String> {
        let words = text.split(|sign: char| !sign.is_alphanumeric()).filter(|word| word.chars().count() >= 4);
        words.map(|word| letters::fold(word).chars().take(5).collect()).collect()
    };
    let titles: Vec<Vec<String>> =
        known.aliases.iter().chain([&known.title]).map(|title| beginnings(title)).filter(|it| !it.is_empty()).collect();
    let most = titles.iter().map(Vec::len).max().unwrap_or(0) + 6;
    let scored = runs(pages, most).filter_map(|run| {
        let said = beginnings(&run.text);
        let share = |title: &Vec<String>| {
            let there = title.iter().filter(|word| said.contains(word)).count();
            // A longer title that stands there whole says more than a short one.
            (there * 2 > title.len()).then_some((there * 100 / title.len(), there))
        };
        Some((titles.iter().filter_map(share).max()?, std::cmp::Reverse(run.text.len()), run))
    });
    let best = scored.reduce(|best, next| if (next.0, next.1) > (best.0, best.1) { next } else { best });
    best.map(|(_, _, run)| run).or_else(|| runs(pages, 8).take(8).last())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &str = r#"{"file": "a.pdf", "applicant_fio": "Рябова Вера", "tags": [],
        "printed": {"fio": ["Рябову Веру Ильиничну"], "date": ["«04» декабря 2023 г."]},
        "expected": {"single_doc_type": true, "doc_type": "Приказ о расторжении трудового договора",
                     "fio": "Рябова Вера Ильинична", "doc_date": "2023-12-04"}}"#;

    fn known() -> Known {
        serde_json::from_str(LINE).expect("a line")
    }

    fn call(call_type: CallType, text: &str, more: &str) -> Call {
        let user = format!(
            "===== DOCUMENT 07 =====\n[page 1]\nОбложка\n[page 2]\n{text}\n===== END OF DOCUMENT 07 =====\n{more}"
        );
        let request = json!({"messages": [{"role": "user", "content": user}]});
        Call { call_type, request, authorization: None }
    }

    const TEXT: &str =
        "ПРИКАЗ № 7\n«О4» декабря 2023 г.\nо растopжении\nтрудового договора\nс\nРябову Всру Ильиничну\nуволить";
    const AGAIN: &str =
        "An earlier answer could not be used: it says more. Answer the question about the document again.";

    #[test]
    fn it_says_what_the_labels_say_and_quotes_what_was_read() {
        let said = known().answer(&call(CallType::Extractor, TEXT, ""));
        assert_eq!(said["fio"], json!({"value": "Рябова Вера Ильинична", "quote": "Рябову Всру Ильиничну", "page": 2}));
        assert_eq!((&said["doc_date"]["value"], &said["doc_date"]["kind"]), (&json!("2023-12-04"), &json!("issue")));
        assert_eq!(said["doc_date"]["quote"], "«О4» декабря 2023 г.");
        let said = known().answer(&call(CallType::DocTypeCheck, TEXT, ""));
        assert_eq!(said["doc_type"]["value"], "Приказ о расторжении трудового договора");
        let quote = said["doc_type"]["quote"].as_str().expect("a quote");
        assert!(quote.starts_with("ПРИКАЗ") && quote.ends_with("договора"), "{quote}");
    }

    #[test]
    fn of_a_name_in_fields_all_is_quoted() {
        let mut parted = known();
        parted.printed.fio = ["Ильинична", "Рябова", "Вера"].map(str::to_owned).to_vec();
        let form = "Тегі / Фамилия Рябова\nАты / Имя Вера\nӘкесінің аты / Отчество Ильинична\nМорозова Вера";
        let said = parted.answer(&call(CallType::Extractor, form, ""));
        assert_eq!(said["fio"]["quote"], "Рябова Аты / Имя Вера Әкесінің аты / Отчество Ильинична");
    }

    #[test]
    fn what_does_not_stand_in_the_text_is_not_answered() {
        let said = known().answer(&call(CallType::Extractor, "Приказ о расторжении. Директор К.О. Демченко", ""));
        assert_eq!((&said["fio"]["value"], &said["doc_date"]["value"]), (&Value::Null, &Value::Null));
    }

    #[test]
    fn asked_again_it_says_what_stands_there() {
        let text = TEXT.replace("О4", "07");
        let said = known().answer(&call(CallType::Extractor, &text, AGAIN));
        assert_eq!(
            (&said["fio"]["value"], &said["doc_date"]["value"]),
            (&json!("Рябова Всру Ильинична"), &json!("2023-12-07"))
        );
        let said = known().answer(&call(CallType::DocTypeCheck, TEXT, AGAIN));
        assert_eq!(said["doc_type"]["value"], Value::Null);
    }
}
