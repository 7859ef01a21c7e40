//! Runs of the same document: the same file, or the same paper scanned again.

use uuid::Uuid;

use super::{Pool, StoreError};
use crate::domain::reuse::NEAR;

/// Papers of one date and type that are looked at, the newest, and applicants of one file.
const MOST: i64 = 500;

/// Candidates whose text is read.
const READ: i64 = 20;

/// What becomes of a document that was submitted for another person before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReusedDocument {
    /// The run is flagged.
    Flag,
    /// Its verdict is false, too.
    Refuse,
}

impl ReusedDocument {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Flag, Self::Refuse];

    /// The word in the record and on the command line.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Flag => "flag",
            Self::Refuse => "refuse",
        }
    }
}

/// Whether a client has asked for reused documents to be refused.
///
/// # Errors
/// The database is away.
pub async fn refuses(pool: &Pool, client_id: Uuid) -> Result<bool, StoreError> {
    let asked = sqlx::query_scalar!(
        r#"SELECT reused_document = 'refuse' AS "refuses!" FROM clients WHERE client_id = $1"#,
        client_id
    )
    .fetch_optional(pool)
    .await?;
    Ok(asked == Some(true))
}

/// For whom the same file was submitted before by the same client: each name once.
///
/// # Errors
/// The database is away.
pub async fn applicants_before(pool: &Pool, run_id: Uuid) -> Result<Vec<String>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT DISTINCT before.fio AS "fio!" FROM (
               SELECT d.fio FROM verification_runs r
               JOIN verification_runs d ON d.client_id = r.client_id AND d.sha256 = r.sha256 AND d.run_id < r.run_id
               WHERE r.run_id = $1 AND d.fio IS NOT NULL ORDER BY d.run_id DESC LIMIT $2
           ) AS before"#,
        run_id,
        MOST
    )
    .fetch_all(pool)
    .await?)
}

/// An earlier run whose pages look alike.
#[derive(Clone, Debug, PartialEq)]
pub struct Alike {
    /// The run.
    pub run_id: Uuid,
    /// The first of its document.
    pub first: Uuid,
    /// Whom it was submitted for.
    pub fio: Option<String>,
    /// Whom it is about.
    pub extracted_fio: Option<String>,
    /// Its pages' prints, in order.
    pub hashes: Vec<i64>,
    /// Its pages' texts, in order.
    pub texts: Vec<String>,
}

/// The client's earlier runs with a paper of the same date and type whose first page looks like this one, the oldest
/// first.
///
/// # Errors
/// The database is away.
pub async fn alike(
    pool: &Pool,
    client_id: Uuid,
    run_id: Uuid,
    found_key: i64,
    hash: i64,
) -> Result<Vec<Alike>, StoreError> {
    let near = i64::from(NEAR);
    Ok(sqlx::query_as!(
        Alike,
        r#"WITH near AS (
            SELECT p.run_id FROM (
                SELECT h.run_id, h.hash FROM page_hashes h
                WHERE h.client_id = $1 AND h.found_key = $2 AND h.page_number = 1 AND h.run_id < $3
                ORDER BY h.run_id DESC LIMIT $6
            ) AS p
            WHERE bit_count((p.hash # $4)::bit(64)) <= $5 ORDER BY p.run_id LIMIT $7
        )
        SELECT r.run_id, coalesce(r.duplicate_of, r.run_id) AS "first!", r.fio, r.extracted_fio,
               ARRAY(SELECT h.hash FROM page_hashes h WHERE h.run_id = r.run_id ORDER BY h.page_number) AS "hashes!",
               ARRAY(SELECT t.text_content FROM ocr_pages t WHERE t.run_id = r.run_id AND t.generation = r.generation
                     ORDER BY t.page_number) AS "texts!"
        FROM near JOIN verification_runs r ON r.run_id = near.run_id
        ORDER BY r.run_id"#,
        client_id,
        found_key,
        run_id,
        hash,
        near,
        MOST,
        READ,
    )
    .fetch_all(pool)
    .await?)
}
