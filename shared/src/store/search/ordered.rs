//! Indexes that give the ids of runs in their order: along one of them a walk goes.

use sqlx::{Postgres, QueryBuilder};
use uuid::Uuid;

use super::Filter;
use super::conditions::{COLUMNS, Span};
use crate::domain::{ErrorCode, Status};

/// What a walk goes along.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Order {
    /// All runs.
    All,
    /// The runs of a client.
    Client(Uuid),
    /// The runs of a person.
    Iin(String),
    /// The runs of a caller's number.
    Number(String),
    /// The runs that ended with one of these codes.
    Codes(Vec<&'static str>),
    /// The runs that have not ended: each has a job.
    Jobs,
}

impl Order {
    /// The way that is never wrong, though it may be long.
    pub(super) fn common(filter: &Filter) -> Self {
        filter.client_id.map_or(Self::All, Self::Client)
    }

    /// The way along a filter that few runs fit, if there is such a one.
    pub(super) fn exact(filter: &Filter) -> Option<Self> {
        if let Some(iin) = &filter.iin {
            return Some(Self::Iin(iin.clone()));
        }
        if let Some(number) = &filter.external_request_id {
            return Some(Self::Number(number.clone()));
        }
        (filter.status == Some(Status::Processing)).then_some(Self::Jobs)
    }

    /// The way along the errors, where only runs with one fit.
    pub(super) fn errors(filter: &Filter) -> Option<Self> {
        if let Some(code) = filter.error_code {
            return Some(Self::Codes(vec![code.as_str()]));
        }
        let status = match (filter.status, filter.verdict) {
            (Some(Status::Error), _) => Status::Error,
            (_, Some(false)) => Status::Success,
            _ => return None,
        };
        let codes = ErrorCode::ALL.iter().filter(|code| code.status() == status);
        Some(Self::Codes(codes.map(|code| code.as_str()).collect()))
    }

    /// A statement that gives the first `rows` rows of the way in a span, with [`COLUMNS`].
    pub(super) fn push(&self, query: &mut QueryBuilder<Postgres>, span: Span, rows: i64) {
        match self {
            Self::All | Self::Client(_) | Self::Iin(_) | Self::Number(_) => {
                query.push("SELECT ").push(COLUMNS).push(" FROM verification_runs r WHERE true");
                match self {
                    Self::Client(client_id) => _ = query.push(" AND r.client_id = ").push_bind(*client_id),
                    Self::Iin(iin) => _ = query.push(" AND r.iin = ").push_bind(iin.clone()),
                    Self::Number(number) => {
                        _ = query.push(" AND r.external_request_id = ").push_bind(number.clone());
                    }
                    _ => {}
                }
                span.push(query, "r");
                query.push(" ORDER BY r.run_id DESC LIMIT ").push_bind(rows);
            }
            Self::Codes(codes) => {
                query
                    .push("SELECT ")
                    .push(COLUMNS)
                    .push(" FROM (SELECT DISTINCT run_id FROM (SELECT e.run_id FROM unnest(");
                query.push_bind(codes.iter().map(|&code| code.to_owned()).collect::<Vec<_>>());
                query.push("::text[]) AS c (code) CROSS JOIN LATERAL (SELECT e.run_id FROM verification_errors e WHERE e.code = c.code");
                span.push(query, "e");
                query.push(" ORDER BY e.run_id DESC LIMIT ").push_bind(rows);
                query.push(") AS e ORDER BY e.run_id DESC LIMIT ").push_bind(rows);
                query.push(") AS e) AS s");
                push_runs(query);
            }
            Self::Jobs => {
                query.push("SELECT ").push(COLUMNS);
                query.push(" FROM (SELECT j.run_id FROM jobs j WHERE j.kind = 'run'");
                span.push(query, "j");
                query.push(" ORDER BY j.run_id DESC LIMIT ").push_bind(rows).push(") AS s");
                push_runs(query);
            }
        }
    }
}

/// The runs of the ids in `s`, each by its key.
fn push_runs(query: &mut QueryBuilder<Postgres>) {
    query
        .push(" CROSS JOIN LATERAL (SELECT ")
        .push(COLUMNS)
        .push(" FROM verification_runs r WHERE r.run_id = s.run_id OFFSET 0) AS r");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_filters_that_errors_answer_go_along_the_errors() {
        assert_eq!(Order::errors(&Filter { verdict: Some(true), ..Filter::default() }), None);
        assert_eq!(Order::errors(&Filter { status: Some(Status::Success), ..Filter::default() }), None);
        let refused = Order::errors(&Filter { verdict: Some(false), ..Filter::default() });
        let Some(Order::Codes(codes)) = refused else { panic!("{refused:?}") };
        assert!(codes.contains(&"FIO_MISMATCH") && !codes.contains(&"OCR_FAILED"));
        let code = Filter { error_code: Some(ErrorCode::OcrFailed), verdict: None, ..Filter::default() };
        assert_eq!(Order::errors(&code), Some(Order::Codes(vec!["OCR_FAILED"])));
    }

    #[test]
    fn what_few_have_is_the_way() {
        let filter = Filter { iin: Some("0".into()), client_id: Some(Uuid::nil()), ..Filter::default() };
        assert_eq!(Order::exact(&filter), Some(Order::Iin("0".into())));
        assert_eq!(Order::common(&filter), Order::Client(Uuid::nil()));
        assert_eq!(Order::exact(&Filter { status: Some(Status::Processing), ..Filter::default() }), Some(Order::Jobs));
        assert_eq!(Order::exact(&Filter::default()), None);
    }
}
