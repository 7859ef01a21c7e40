//! Listings of runs with free filters, newest first. Put together at run time, unlike every other statement:
//! each filter that is absent must be absent from the statement too, or no index would serve it.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::{Pool, StoreError};
use crate::domain::{ErrorCode, Status};

/// Words of `q` that are looked for, at most.
pub const MAX_WORDS: usize = 10;

/// What is looked for. Everything given must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Whose runs; all where none.
    pub client_id: Option<Uuid>,
    /// Where they stand.
    pub status: Option<Status>,
    /// What was decided.
    pub verdict: Option<bool>,
    /// Any of the errors.
    pub error_code: Option<ErrorCode>,
    /// Part of a name, normalised as `fio_search` is.
    pub fio_search: Option<String>,
    /// Words in the recognised text; each on any page.
    pub words: Vec<String>,
    /// The smallest id, from a time.
    pub from: Option<Uuid>,
    /// All ids are smaller, from a time.
    pub before: Option<Uuid>,
    /// The caller's own number.
    pub external_request_id: Option<String>,
    /// 12 digits.
    pub iin: Option<String>,
}

/// The ids of at most `limit` runs, newest first, all of them older than `after`.
///
/// # Errors
/// The database is unavailable.
pub async fn run_ids(pool: &Pool, filter: &Filter, after: Option<Uuid>, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let mut query = statement(filter, after);
    query.push(" ORDER BY r.run_id DESC LIMIT ").push_bind(limit);
    Ok(query.build_query_scalar().fetch_all(pool).await?)
}

fn statement(filter: &Filter, after: Option<Uuid>) -> QueryBuilder<Postgres> {
    let mut query = QueryBuilder::new("SELECT r.run_id FROM verification_runs r WHERE true");
    if let Some(client_id) = filter.client_id {
        query.push(" AND r.client_id = ").push_bind(client_id);
    }
    if let Some(status) = filter.status {
        query.push(" AND r.status = ").push_bind(status.as_str());
    }
    if let Some(verdict) = filter.verdict {
        query.push(" AND r.verdict = ").push_bind(verdict);
    }
    if let Some(code) = filter.error_code {
        query
            .push(" AND EXISTS (SELECT FROM verification_errors e WHERE e.run_id = r.run_id AND e.generation = r.generation AND e.code = ")
            .push_bind(code.as_str())
            .push(")");
    }
    if let Some(fio) = &filter.fio_search {
        query.push(" AND r.fio_search LIKE ").push_bind(format!("%{}%", escaped(fio)));
    }
    for word in &filter.words {
        query
            .push(
                " AND EXISTS (SELECT FROM ocr_pages p WHERE p.run_id = r.run_id AND p.generation = r.generation \
                 AND (to_tsvector('russian', p.text_content) || to_tsvector('simple', p.text_content)) \
                 @@ (plainto_tsquery('russian', ",
            )
            .push_bind(word.clone())
            .push(") || plainto_tsquery('simple', ")
            .push_bind(word.clone())
            .push(")))");
    }
    if let Some(from) = filter.from {
        query.push(" AND r.run_id >= ").push_bind(from);
    }
    if let Some(before) = filter.before {
        query.push(" AND r.run_id < ").push_bind(before);
    }
    if let Some(number) = &filter.external_request_id {
        query.push(" AND r.external_request_id = ").push_bind(number.clone());
    }
    if let Some(iin) = &filter.iin {
        query.push(" AND r.iin = ").push_bind(iin.clone());
    }
    if let Some(after) = after {
        query.push(" AND r.run_id < ").push_bind(after);
    }
    query
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_absent_filter_is_absent_from_the_statement() {
        let all = statement(&Filter::default(), None);
        assert_eq!(all.sql(), "SELECT r.run_id FROM verification_runs r WHERE true");
    }

    #[test]
    fn letters_of_a_pattern_mean_themselves() {
        assert_eq!(escaped("100%_a\\b"), "100\\%\\_a\\\\b");
    }
}
