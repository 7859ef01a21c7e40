//! Two readers of one document, rules and a model: where they agree it passes, where they do not it is settled by the
//! evidence and marked for a person to look at. In doubt about the person or about how many papers there are, the
//! answer is the one that refuses: a wrongly accepted document is the error that must not happen.

use super::names;
use super::run::{Classification, DateKind, Extraction, Found};

/// Whether rules that found this need no second reader.
#[must_use]
pub const fn is_certain_of_type(found: &Classification) -> bool {
    found.single_doc_type && found.doc_type.is_some()
}

/// Whether rules that found this need no second reader: name and issue date stand there, well read.
#[must_use]
pub const fn is_certain_of_person_and_date(found: &Extraction) -> bool {
    found.fio.is_some() && !found.fio_mended && found.doc_date.is_some() && matches!(found.date_kind, DateKind::Issue)
}

/// What the document is. Of two types the one counts whose title the rules have found; a type that only the model has
/// found rests on a quote and on words of the document that belong to the type.
#[must_use]
pub fn classification(rules: Classification, model: Classification) -> Classification {
    if !(rules.single_doc_type && model.single_doc_type) {
        let disputed = rules.single_doc_type != model.single_doc_type;
        return Classification { single_doc_type: false, doc_type: None, disputed };
    }
    let title = |found: &Classification| found.doc_type.as_ref().map(|found| found.value.title);
    let disputed = title(&rules) != title(&model);
    Classification { single_doc_type: true, doc_type: rules.doc_type.or(model.doc_type), disputed }
}

/// Whose it is and from when. Of two persons the one counts who is not the applicant, of two dates the one that the
/// rules have found.
#[must_use]
pub fn extraction(rules: Extraction, model: Extraction, applicant_fio: &str) -> Extraction {
    let same_person = match (&rules.fio, &model.fio) {
        (Some(one), Some(other)) => names::compare(&one.value, &other.value).same,
        (one, other) => one.is_none() && other.is_none(),
    };
    let same_date =
        rules.doc_date.as_ref().map(|found| found.value) == model.doc_date.as_ref().map(|found| found.value);
    let is_applicant = |found: &Found<String>| names::compare(applicant_fio, &found.value).same;
    let by_model = !same_person && model.fio.is_some() && rules.fio.as_ref().is_none_or(is_applicant);
    let (fio, fio_mended) = if by_model { (model.fio, false) } else { (rules.fio, rules.fio_mended) };
    let (doc_date, date_kind) = match rules.doc_date {
        Some(found) => (Some(found), rules.date_kind),
        None => (model.doc_date, model.date_kind),
    };
    Extraction { fio, fio_mended, doc_date, date_kind, disputed: !(same_person && same_date) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::doc_types::{DOC_TYPES, DocType};
    use crate::domain::run::Quote;

    const APPLICANT: &str = "Ахметов Данияр Серикович";
    const OTHER: &str = "Круглов Олег Дмитриевич";

    fn found<T>(value: T) -> Found<T> {
        Found { value, quote: Quote { text: "…".into(), page: 1, rect: None, confidence: None } }
    }

    fn of_type(doc_type: Option<&'static DocType>) -> Classification {
        Classification { single_doc_type: true, doc_type: doc_type.map(found), disputed: false }
    }

    fn several() -> Classification {
        Classification::default()
    }

    fn title(settled: &Classification) -> Option<&str> {
        settled.doc_type.as_ref().map(|found| found.value.title)
    }

    #[test]
    fn one_type_that_both_have_found_passes() {
        let settled = classification(of_type(Some(&DOC_TYPES[3])), of_type(Some(&DOC_TYPES[3])));
        assert_eq!((title(&settled), settled.disputed), (Some(DOC_TYPES[3].title), false));
        assert!(!classification(of_type(None), of_type(None)).disputed);
        assert!(!classification(several(), several()).disputed);
    }

    #[test]
    fn of_two_types_the_rules_count_and_a_person_is_asked() {
        let [one, other] = [Some(&DOC_TYPES[3]), Some(&DOC_TYPES[4])];
        for (rules, model, expected) in [(one, other, one), (None, other, other), (one, None, one)] {
            let settled = classification(of_type(rules), of_type(model));
            assert_eq!(title(&settled), expected.map(|known| known.title));
            assert!(settled.single_doc_type && settled.disputed);
        }
    }

    #[test]
    fn several_papers_are_several_whoever_says_so() {
        for (rules, model) in [(several(), of_type(Some(&DOC_TYPES[3]))), (of_type(Some(&DOC_TYPES[3])), several())] {
            let settled = classification(rules, model);
            assert!(!settled.single_doc_type && settled.doc_type.is_none() && settled.disputed);
        }
    }

    fn of(fio: Option<&str>, date: Option<&str>) -> Extraction {
        Extraction {
            fio: fio.map(|fio| found(fio.to_owned())),
            doc_date: date.map(|date| found(date.parse().expect("a date"))),
            ..Extraction::default()
        }
    }

    fn settled(rules: Extraction, model: Extraction) -> (Option<String>, Option<String>, bool) {
        let settled = extraction(rules, model, APPLICANT);
        let date = settled.doc_date.map(|found| found.value.to_string());
        (settled.fio.map(|found| found.value), date, settled.disputed)
    }

    #[test]
    fn one_person_and_one_date_that_both_have_found_pass() {
        let day = Some("2026-11-16");
        let both = settled(of(Some(APPLICANT), day), of(Some("Ахметова Данияра Сериковича"), day));
        assert_eq!(both, (Some(APPLICANT.to_owned()), day.map(str::to_owned), false));
        assert_eq!(settled(of(None, None), of(None, None)), (None, None, false));
    }

    #[test]
    fn of_two_persons_the_one_counts_who_is_not_the_applicant() {
        for (rules, model) in [(APPLICANT, OTHER), (OTHER, APPLICANT)] {
            let (fio, _, disputed) = settled(of(Some(rules), None), of(Some(model), None));
            assert_eq!((fio.as_deref(), disputed), (Some(OTHER), true));
        }
        let (fio, ..) = settled(of(Some(OTHER), None), of(Some("Белов Иван Ильич"), None));
        assert_eq!(fio.as_deref(), Some(OTHER));
    }

    #[test]
    fn what_only_one_has_found_is_taken_and_a_person_is_asked() {
        let (one, other) = (of(Some(APPLICANT), Some("2026-11-16")), of(None, None));
        for (rules, model) in [(one.clone(), other.clone()), (other, one)] {
            let expected = (Some(APPLICANT.to_owned()), Some("2026-11-16".to_owned()), true);
            assert_eq!(settled(rules, model), expected);
        }
    }

    #[test]
    fn of_two_dates_that_of_the_rules_counts() {
        let (_, date, disputed) = settled(of(None, Some("2026-11-16")), of(None, Some("2026-11-20")));
        assert_eq!((date.as_deref(), disputed), (Some("2026-11-16"), true));
    }

    #[test]
    fn rules_are_certain_of_what_stands_there_and_was_read_well() {
        assert!(is_certain_of_type(&of_type(Some(&DOC_TYPES[0]))));
        assert!(!is_certain_of_type(&of_type(None)) && !is_certain_of_type(&several()));
        let sure = of(Some(APPLICANT), Some("2026-11-16"));
        assert!(is_certain_of_person_and_date(&sure));
        for unsure in [
            Extraction { fio_mended: true, ..sure.clone() },
            Extraction { date_kind: DateKind::LeaveStart, ..sure.clone() },
            Extraction { fio: None, ..sure.clone() },
            Extraction { doc_date: None, ..sure },
        ] {
            assert!(!is_certain_of_person_and_date(&unsure));
        }
    }
}
