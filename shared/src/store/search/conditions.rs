//! A filter as conditions on a row `r` that has [`COLUMNS`].

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::Filter;
use crate::domain::Status;

/// What conditions look at.
pub(super) const COLUMNS: &str = "r.run_id, r.client_id, r.status, r.verdict, r.error_code, r.generation, r.fio_search, \
     r.iin, r.external_request_id";

/// The signs that part words of a name, as `short_name_words` of the migrations has them.
const BETWEEN_WORDS: &[char] = &[' ', '.', ',', '(', ')', '"', '\'', '’', 'ʼ', 'ʹ', 'ʺ', '`', '‐', '‑', '–', '-'];

/// Ids from one, included, to another, left out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    pub(super) from: Option<Uuid>,
    pub(super) before: Option<Uuid>,
}

impl Span {
    /// Nothing can lie in it.
    pub(super) fn is_empty(&self) -> bool {
        self.from.zip(self.before).is_some_and(|(from, before)| from >= before)
    }

    /// ` AND table.run_id …`
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>, table: &str) {
        if let Some(from) = self.from {
            query.push(" AND ").push(table).push(".run_id >= ").push_bind(from);
        }
        if let Some(before) = self.before {
            query.push(" AND ").push(table).push(".run_id < ").push_bind(before);
        }
    }
}

/// How a part of a name is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum NamePart {
    /// Anywhere in the name.
    Anywhere(String),
    /// Whole words of it. So few letters are in every name.
    Words(Vec<String>),
}

impl NamePart {
    pub(super) fn of(fio_search: &str) -> Self {
        let words: Vec<&str> = fio_search.split(BETWEEN_WORDS).filter(|word| !word.is_empty()).collect();
        if words.iter().map(|word| word.chars().count()).sum::<usize>() <= 2 {
            Self::Words(words.into_iter().map(ToOwned::to_owned).collect())
        } else {
            Self::Anywhere(fio_search.to_owned())
        }
    }

    /// ` AND …` in the form that an index serves.
    pub(super) fn push_indexed(&self, query: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Anywhere(part) => push_like(query, part),
            Self::Words(words) => {
                query.push(" AND short_name_words(r.fio_search) @> ").push_bind(words.clone());
            }
        }
    }

    /// ` AND …` in the form that is cheap for one row.
    fn push_plain(&self, query: &mut QueryBuilder<Postgres>) {
        match self {
            Self::Anywhere(part) => push_like(query, part),
            Self::Words(words) => {
                let signs: String = BETWEEN_WORDS.iter().collect();
                for word in words {
                    query.push(" AND ' ' || translate(r.fio_search, ").push_bind(signs.clone()).push(", ");
                    query.push_bind(" ".repeat(BETWEEN_WORDS.len())).push(") || ' ' LIKE ");
                    query.push_bind(format!("% {} %", escaped(word)));
                }
            }
        }
    }
}

fn push_like(query: &mut QueryBuilder<Postgres>, part: &str) {
    query.push(" AND r.fio_search LIKE ").push_bind(format!("%{}%", escaped(part)));
}

/// Takes their meaning from the letters that LIKE has for patterns.
fn escaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for letter in text.chars() {
        if matches!(letter, '%' | '_' | '\\') {
            plain.push('\\');
        }
        plain.push(letter);
    }
    plain
}

/// Whether no run can fit: what the record's own constraints rule out needs no search.
pub(super) fn contradicts_itself(filter: &Filter) -> bool {
    let ended = filter.verdict.is_some() || filter.error_code.is_some() || !filter.words.is_empty();
    let by_status = match filter.status {
        Some(Status::Processing) => ended,
        Some(Status::Error) => filter.verdict.is_some(),
        Some(Status::Success) | None => false,
    };
    let by_code = filter.error_code.is_some_and(|code| {
        filter.status.is_some_and(|status| status != code.status())
            || filter.verdict == Some(true)
            || filter.verdict == Some(false) && code.status() == Status::Error
    });
    by_status || by_code || Span { from: filter.from, before: filter.before }.is_empty()
}

/// Which conditions are left to be said.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Said {
    /// The name is known to fit.
    pub(super) name: bool,
    /// So are the words.
    pub(super) words: bool,
}

/// ` AND …` for all of a filter but its span.
pub(super) fn push(query: &mut QueryBuilder<Postgres>, filter: &Filter, said: Said) {
    if let Some(client_id) = filter.client_id {
        query.push(" AND r.client_id = ").push_bind(client_id);
    }
    if let Some(status) = filter.status {
        query.push(" AND r.status = ").push_bind(status.as_str());
    }
    if let Some(verdict) = filter.verdict {
        query.push(" AND r.verdict = ").push_bind(verdict);
    }
    if let Some(number) = &filter.external_request_id {
        query.push(" AND r.external_request_id = ").push_bind(number.clone());
    }
    if let Some(iin) = &filter.iin {
        query.push(" AND r.iin = ").push_bind(iin.clone());
    }
    if let Some(part) = filter.fio_search.as_deref().filter(|_| !said.name) {
        NamePart::of(part).push_plain(query);
    }
    if let Some(code) = filter.error_code {
        // An array cannot become a join, which would read all errors of this code.
        query.push(" AND r.error_code IS NOT NULL AND (r.error_code = ").push_bind(code.as_str()).push(" OR ");
        query.push_bind(code.as_str()).push(
            " = ANY (ARRAY(SELECT e.code FROM verification_errors e \
             WHERE e.run_id = r.run_id AND e.generation = r.generation)))",
        );
    }
    if !filter.words.is_empty() && !said.words {
        query
            .push(" AND (SELECT bool_or(page_words(p.run_words, p.text_content) @@ words_wanted(")
            .push_bind(filter.words.join(" "))
            .push(")) FROM ocr_pages p WHERE p.run_id = r.run_id AND p.generation = r.generation) IS TRUE");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ErrorCode;

    fn sql(filter: &Filter) -> String {
        let mut query = QueryBuilder::new("");
        push(&mut query, filter, Said::default());
        query.into_string()
    }

    #[test]
    fn an_absent_filter_is_absent_from_the_statement() {
        assert_eq!(sql(&Filter::default()), "");
        let filter = Filter { verdict: Some(true), ..Filter::default() };
        assert_eq!(sql(&filter), " AND r.verdict = $1");
    }

    #[test]
    fn letters_of_a_pattern_mean_themselves() {
        assert_eq!(escaped("100%_a\\b"), "100\\%\\_a\\\\b");
    }

    #[test]
    fn one_or_two_letters_are_words() {
        let words = |part: &str, expected: &[&str]| {
            assert_eq!(NamePart::of(part), NamePart::Words(expected.iter().map(|&word| word.to_owned()).collect()));
        };
        words("ли", &["ли"]);
        words("и.", &["и"]);
        words("и. о.", &["и", "о"]);
        assert_eq!(NamePart::of("ким"), NamePart::Anywhere("ким".into()));
        assert_eq!(NamePart::of("ли ю"), NamePart::Anywhere("ли ю".into()));
    }

    #[test]
    fn what_no_run_can_be_is_not_looked_for() {
        let cannot = |filter: Filter| contradicts_itself(&filter);
        let any = Filter::default;
        assert!(cannot(Filter { status: Some(Status::Processing), verdict: Some(true), ..any() }));
        assert!(cannot(Filter { status: Some(Status::Error), verdict: Some(false), ..any() }));
        assert!(cannot(Filter { status: Some(Status::Success), error_code: Some(ErrorCode::OcrFailed), ..any() }));
        assert!(cannot(Filter { verdict: Some(true), error_code: Some(ErrorCode::FioMismatch), ..any() }));
        assert!(cannot(Filter { from: Some(Uuid::from_u128(2)), before: Some(Uuid::from_u128(2)), ..any() }));
        assert!(!cannot(Filter { verdict: Some(false), error_code: Some(ErrorCode::FioMismatch), ..any() }));
        assert!(!cannot(Filter { status: Some(Status::Error), error_code: Some(ErrorCode::OcrFailed), ..any() }));
        assert!(!cannot(any()));
    }
}
