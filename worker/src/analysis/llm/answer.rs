//! What the model says of a document, and whether the document bears it out. Nothing that does not
//! stand in the recognised text gets through here.

use chrono::NaiveDate;
use serde::Deserialize;
use shared::domain::doc_types::{self, DocType};
use shared::domain::{
    Classification, DateKind, Extraction, Found, Page, Quote, dates, evidence, grounding, names, rules,
};

use super::unusable::Unusable;

#[derive(Debug, Deserialize)]
struct DocTypeCheck {
    single_doc_type: bool,
    doc_type: Field,
}

#[derive(Debug, Deserialize)]
struct Extractor {
    fio: Field,
    doc_date: Field,
}

/// A value with its place. The members are required by the schema, but the page is a hint only: the
/// quote is looked for in the text, so a page that is missing or no number does no harm.
#[derive(Debug, Deserialize)]
struct Field {
    value: Option<String>,
    quote: Option<String>,
    #[serde(default)]
    page: serde_json::Value,
    #[serde(default)]
    kind: Option<String>,
}

/// A value and the quote it rests on.
struct Claim {
    value: String,
    quote: String,
    page: Option<u32>,
}

impl Field {
    /// None where the model found nothing.
    fn claim(self) -> Result<Option<Claim>, Unusable> {
        let text = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
        let Some(value) = text(self.value) else { return Ok(None) };
        let quote = text(self.quote).ok_or(Unusable::OffSchema)?;
        // PostgreSQL stores no NUL, and no control sign belongs in a name or a date.
        let control = |text: &str| text.chars().any(|c| c.is_control() && !c.is_whitespace());
        if control(&value) || control(&quote) {
            return Err(Unusable::OffSchema);
        }
        let page = self.page.as_u64().and_then(|page| u32::try_from(page).ok());
        Ok(Some(Claim { value, quote, page }))
    }
}

/// The answer to `doc_type_check`.
pub(super) fn classification(json: &str, pages: &[Page]) -> Result<Classification, Unusable> {
    let answer: DocTypeCheck = serde_json::from_str(json).map_err(|_| Unusable::OffSchema)?;
    let claim = answer.doc_type.claim()?;
    if !answer.single_doc_type {
        return Ok(Classification { single_doc_type: false, doc_type: None, disputed: false });
    }
    let Some(claim) = claim else {
        return Ok(Classification { single_doc_type: true, doc_type: None, disputed: false });
    };
    let known = doc_types::by_title(&claim.value).ok_or(Unusable::UnknownTitle)?;
    let quote =
        place(&claim, pages).filter(|_| may_name(&claim.quote, known, pages)).ok_or(Unusable::UngroundedType)?;
    Ok(Classification { single_doc_type: true, doc_type: Some(Found { value: known, quote }), disputed: false })
}

/// The answer to `extractor`, where nobody else reads the document: who signed it or is only mentioned in it does not
/// become the applicant whose it is.
pub(super) fn extraction_alone(json: &str, pages: &[Page], applicant_fio: &str) -> Result<Extraction, Unusable> {
    let found = extraction(json, pages)?;
    let is_applicant = |fio: &str| names::compare(applicant_fio, fio).same;
    match &found.fio {
        Some(fio) if is_applicant(&fio.value) && rules::is_bystander(pages, &fio.value) => Err(Unusable::Bystander),
        _ => Ok(found),
    }
}

/// The answer to `extractor`.
pub(super) fn extraction(json: &str, pages: &[Page]) -> Result<Extraction, Unusable> {
    let answer: Extractor = serde_json::from_str(json).map_err(|_| Unusable::OffSchema)?;
    let date_kind = match answer.doc_date.kind.as_deref() {
        None | Some("issue") => DateKind::Issue,
        Some("leave_start") => DateKind::LeaveStart,
        Some(_) => return Err(Unusable::OffSchema),
    };
    let fio = answer.fio.claim()?.map(|claim| name(&claim, pages)).transpose()?;
    let doc_date = answer.doc_date.claim()?.map(|claim| date(&claim, pages)).transpose()?;
    Ok(Extraction {
        fio,
        fio_mended: false,
        date_kind: if doc_date.is_some() { date_kind } else { DateKind::Issue },
        doc_date,
        disputed: false,
    })
}

fn name(claim: &Claim, pages: &[Page]) -> Result<Found<String>, Unusable> {
    let value = claim.value.split_whitespace().collect::<Vec<_>>().join(" ");
    let grounded = grounding::grounds_name(&value, &claim.quote, pages);
    let quote = place(claim, pages).filter(|_| grounded).ok_or(Unusable::UngroundedName)?;
    Ok(Found { value, quote })
}

fn date(claim: &Claim, pages: &[Page]) -> Result<Found<NaiveDate>, Unusable> {
    let written = claim.value.trim();
    let value = written.parse().ok().or_else(|| dates::parse(written)).ok_or(Unusable::NoDate)?;
    let grounded = grounding::grounds_date(value, &claim.quote, pages);
    let quote = place(claim, pages).filter(|_| grounded).ok_or(Unusable::UngroundedDate)?;
    Ok(Found { value, quote })
}

/// Where the quote stands: on the page that the model names, or else on another.
fn place(claim: &Claim, pages: &[Page]) -> Option<Quote> {
    let named = pages.iter().filter(|page| Some(page.number) == claim.page);
    let there = named.map(std::slice::from_ref).find_map(|page| grounding::holds(&claim.quote, page));
    let page = there.or_else(|| grounding::holds(&claim.quote, pages))?;
    Some(evidence::locate(pages, page, &claim.quote))
}

/// Whether these words may be those of a document of this type: the rules see this type in them; or none that they
/// know, and the document speaks of what such a paper is about.
fn may_name(quote: &str, known: &'static DocType, pages: &[Page]) -> bool {
    let page = Page {
        number: 1,
        text: quote.to_owned(),
        words: Vec::new(),
        confidence: None,
        source: shared::domain::PageSource::Http,
    };
    match rules::classify(&[page]).doc_type {
        Some(found) => found.value == known,
        None => rules::speaks_of(pages, known),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shared::domain::PageSource;

    use super::*;

    const TEXT: &str = "ПРИКАЗ № 7 от 04.12.2023\nо расторжении трудового договора\nУволить Рябову Веру Ильиничну";
    const TITLE: &str = "Приказ о расторжении трудового договора";

    fn pages() -> Vec<Page> {
        let page = |number, text: &str| Page {
            number,
            text: text.to_owned(),
            words: Vec::new(),
            confidence: None,
            source: PageSource::Http,
        };
        vec![page(1, "Обложка"), page(2, TEXT)]
    }

    fn field(value: impl Into<Value>, quote: &str) -> Value {
        json!({"value": value.into(), "quote": quote, "page": 2})
    }

    fn nothing() -> Value {
        json!({"value": null, "quote": null, "page": null})
    }

    fn check(single: bool, doc_type: Value) -> Result<Classification, Unusable> {
        classification(&json!({"single_doc_type": single, "doc_type": doc_type}).to_string(), &pages())
    }

    fn extract(fio: Value, doc_date: Value) -> Result<Extraction, Unusable> {
        extraction(&json!({"fio": fio, "doc_date": doc_date}).to_string(), &pages())
    }

    #[test]
    fn a_grounded_answer_is_taken_with_its_place() {
        let quote = "о расторжении трудового договора";
        let found = check(true, field(TITLE, quote)).expect("good").doc_type.expect("found");
        assert_eq!((found.value.title, found.quote.text.as_str(), found.quote.page), (TITLE, quote, 2));
        let fio = field("Рябова Вера Ильинична", "Рябову Веру Ильиничну");
        let found = extract(fio, field("2023-12-04", "04.12.2023")).expect("good");
        assert_eq!(found.fio.map(|fio| (fio.value, fio.quote.page)), Some(("Рябова Вера Ильинична".into(), 2)));
        assert_eq!(found.doc_date.map(|date| date.value), NaiveDate::from_ymd_opt(2023, 12, 4));
    }

    #[test]
    fn a_page_that_is_wrong_or_no_number_is_found_in_the_text() {
        for page in [json!(1), json!(-1), json!("2"), json!(null), json!(99)] {
            let date = json!({"value": "2023-12-04", "quote": "04.12.2023", "page": page, "kind": "issue"});
            let found = extract(nothing(), date).expect("good").doc_date.expect("found");
            assert_eq!(found.quote.page, 2);
        }
    }

    #[test]
    fn null_is_not_found() {
        assert_eq!(check(true, nothing()).map(|found| found.doc_type), Ok(None));
        assert_eq!(extract(nothing(), nothing()), Ok(Extraction::default()));
    }

    #[test]
    fn several_types_have_no_type() {
        let found = check(false, field(TITLE, "о расторжении трудового договора"));
        assert_eq!(found, Ok(Classification::default()));
    }

    #[test]
    fn what_the_text_does_not_hold_is_refused() {
        let good_date = || field("2023-12-04", "04.12.2023");
        let good_name = || field("Рябова Вера Ильинична", "Рябову Веру Ильиничну");
        let invented = field("Белов Иван Ильич", "Белова Ивана Ильича");
        assert_eq!(extract(invented, good_date()), Err(Unusable::UngroundedName));
        let other = field("Белова Нина Ильинична", "Рябову Веру Ильиничну");
        assert_eq!(extract(other, good_date()), Err(Unusable::UngroundedName));
        assert_eq!(extract(good_name(), field("2026-12-04", "04.12.2026")), Err(Unusable::UngroundedDate));
        assert_eq!(extract(good_name(), field("2026-12-04", "04.12.2023")), Err(Unusable::UngroundedDate));
        let invented = field("Справка об инвалидности", "Справка об инвалидности");
        assert_eq!(check(true, invented), Err(Unusable::UngroundedType));
    }

    #[test]
    fn a_quote_that_names_another_type_is_refused() {
        let other = field("Справка об инвалидности", "ПРИКАЗ № 7 от 04.12.2023 о расторжении трудового договора");
        assert_eq!(check(true, other), Err(Unusable::UngroundedType));
    }

    #[test]
    fn a_type_of_which_the_document_does_not_speak_is_refused() {
        for quote in ["ПРИКАЗ № 7", "Рябову Веру Ильиничну", "Обложка"] {
            let lie = field("Справка об инвалидности", quote);
            assert_eq!(check(true, lie), Err(Unusable::UngroundedType), "{quote}");
            assert!(check(true, field(TITLE, quote)).is_ok(), "{quote}");
        }
    }

    #[test]
    fn a_signer_is_not_taken_for_the_applicant_whose_document_it_is() {
        let signer = "Демченко К.О.";
        let mut pages = pages();
        pages[1].text.push_str("\nДиректор Демченко К.О.");
        let json = json!({"fio": field(signer, signer), "doc_date": nothing()}).to_string();
        let applicant = "Демченко Карина Олеговна";
        assert_eq!(extraction_alone(&json, &pages, applicant), Err(Unusable::Bystander));
        let other = "Рябова Вера Ильинична";
        assert!(extraction_alone(&json, &pages, other).is_ok(), "it makes nothing pass");
        let honest = json!({"fio": field(other, "Рябову Веру Ильиничну"), "doc_date": nothing()}).to_string();
        assert!(extraction_alone(&honest, &pages, other).is_ok());
    }

    #[test]
    fn what_is_off_the_schema_is_refused() {
        assert_eq!(check(true, field("Паспорт", "ПРИКАЗ № 7")), Err(Unusable::UnknownTitle));
        assert_eq!(check(true, json!("text")), Err(Unusable::OffSchema));
        assert_eq!(check(true, json!({"value": TITLE, "quote": null})), Err(Unusable::OffSchema));
        assert_eq!(extract(nothing(), field("soon", "04.12.2023")), Err(Unusable::NoDate));
        assert_eq!(extract(field("Рябова\0Вера", "Рябову Веру"), nothing()), Err(Unusable::OffSchema));
        for json in ["{}", "[]", r#"{"single_doc_type": "yes", "doc_type": {"value": null, "quote": null}}"#] {
            assert_eq!(classification(json, &pages()), Err(Unusable::OffSchema), "{json}");
        }
    }
}
