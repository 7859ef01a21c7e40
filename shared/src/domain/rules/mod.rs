//! Analysis without a model: the type of a document, whose it is and when it was issued, by rules
//! for the papers of the country, tolerant of misread letters.

mod bystanders;
mod issue_date;
mod name_fields;
mod name_spans;
mod name_words;
mod person;
mod roles;
mod stems;
mod subject;
mod titles;
mod tokens;
mod torn;
mod word_list;

use super::doc_types::DocType;
use super::evidence;
use super::page::Page;
use super::run::{Analysis, Classification, Extraction, Found, Quote};
use tokens::Token;

/// What type of document the pages hold, and whether they hold one only.
#[must_use]
pub fn classify(pages: &[Page]) -> Classification {
    let tokens = tokens::tokenise(pages);
    titles::classify(pages, &tokens)
}

/// Whether the pages speak of what a paper of this type is about, in its title or anywhere else.
#[must_use]
pub fn speaks_of(pages: &[Page], doc_type: &DocType) -> bool {
    titles::speaks_of(&tokens::tokenise(pages), doc_type)
}

/// Whether the person of this name plays a part in the document, and certainly not the one whose document it is: a
/// signer, a doctor, a child, a witness. False also where the text does not tell.
#[must_use]
pub fn is_bystander(pages: &[Page], name: &str) -> bool {
    bystanders::is_one(&tokens::tokenise(pages), name)
}

/// Whose document it is and from when. The applicant's name helps to find the person among equals;
/// it never makes another person's document the applicant's.
#[must_use]
pub fn extract(pages: &[Page], applicant_fio: &str) -> Extraction {
    analyse(pages, applicant_fio).extraction
}

/// Both at once, which looks at the text only once.
#[must_use]
pub fn analyse(pages: &[Page], applicant_fio: &str) -> Analysis {
    let tokens = tokens::tokenise(pages);
    let classification = titles::classify(pages, &tokens);
    let doc_type = classification.doc_type.as_ref().map(|found| found.value);
    let person = person::find(pages, &tokens, applicant_fio);
    let others_pages = person.as_ref().map(|person| person.others_pages.as_slice()).unwrap_or_default();
    let dated = issue_date::find(pages, &tokens, doc_type, others_pages);
    let date_kind = dated.as_ref().map(|(_, kind)| *kind).unwrap_or_default();
    Analysis {
        classification,
        extraction: Extraction {
            fio_mended: person.as_ref().is_some_and(|person| person.mended),
            fio: person.map(|person| person.name),
            doc_date: dated.map(|(date, _)| date),
            date_kind,
            disputed: false,
        },
        speaks_to_reader: false,
    }
}

/// The quote from one token to another of one page.
fn quote(pages: &[Page], tokens: &[Token], first: usize, last: usize) -> Quote {
    let (from, to) = (&tokens[first], &tokens[last]);
    span_quote(pages, from.page, from.start, if to.page == from.page { to.end } else { from.end })
}

fn span_quote(pages: &[Page], page: usize, start: usize, end: usize) -> Quote {
    let page = &pages[page];
    evidence::locate(pages, page.number, page.text.get(start..end).unwrap_or_default())
}

fn found<T>(value: T, quote: Quote) -> Found<T> {
    Found { value, quote }
}

#[cfg(test)]
mod tests;
