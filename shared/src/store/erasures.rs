//! Erasing a run, and remembering that it was done.

use std::net::IpAddr;

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Pool, StoreError};

/// Who erases.
#[derive(Clone, Debug)]
pub struct Eraser<'a> {
    /// The api key or the operator's account.
    pub actor: &'a str,
    /// Where the request came from.
    pub ip_address: Option<IpAddr>,
    /// W3C traceparent of the request.
    pub trace_context: &'a str,
}

/// That a run was erased: all that is kept of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Erasure {
    /// Which run.
    pub run_id: Uuid,
    /// Whose it was.
    pub client_id: Uuid,
    /// When.
    pub erased_at: DateTime<Utc>,
    /// By which key, or by whose account.
    pub erased_by: String,
}

/// What became of a run that is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It was erased.
    Erased,
    /// It went past its term, and its rows are in the archive.
    Archived,
}

/// A person, as a client's runs name one.
#[derive(Clone, PartialEq, Eq)]
pub enum Person {
    /// 12 digits.
    Iin(String),
    /// A whole name, as [`crate::domain::names::fio_search`] writes it.
    Fio(String),
}

impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person(…)")
    }
}

/// Whose the run of this id was that is not there any more, and why it is not; none where none is known.
///
/// # Errors
/// The database is unavailable.
pub async fn fate_of(pool: &Pool, run_id: Uuid) -> Result<Option<(Uuid, Fate)>, StoreError> {
    let row = sqlx::query!(
        r#"SELECT client_id AS "client_id!", erased AS "erased!" FROM (
               SELECT client_id, true AS erased FROM erasures WHERE run_id = $1
               UNION ALL SELECT client_id, false FROM archived_runs WHERE run_id = $1
           ) AS known ORDER BY erased DESC LIMIT 1"#,
        run_id
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| (row.client_id, if row.erased { Fate::Erased } else { Fate::Archived })))
}

/// Erases a run of this client with everything that belongs to it, also one that is being worked on: its job
/// goes too, so that no lease can write any more. The document and the pictures are owed to the job of kind
/// `erase` that is left behind. One that is in an archive only is taken out of it by the next night's writing, and
/// nobody is told of it from now on. False where there is no such run.
///
/// # Errors
/// The database is unavailable.
pub async fn erase(pool: &Pool, run_id: Uuid, client_id: Uuid, eraser: &Eraser<'_>) -> Result<bool, StoreError> {
    if erase_rows(pool, run_id, client_id, eraser, None).await? {
        return Ok(true);
    }
    let known =
        sqlx::query_scalar!("SELECT run_id FROM archived_runs WHERE run_id = $1 AND client_id = $2", run_id, client_id)
            .fetch_optional(pool)
            .await?;
    match known {
        Some(_) => erase_archived(pool, run_id, client_id, eraser).await,
        None => Ok(false),
    }
}

/// Erases a run that is in an archive only, and is known to be this client's. False where it was erased before.
///
/// # Errors
/// The database is unavailable.
pub async fn erase_archived(
    pool: &Pool,
    run_id: Uuid,
    client_id: Uuid,
    eraser: &Eraser<'_>,
) -> Result<bool, StoreError> {
    let done = sqlx::query!(
        "WITH erasure AS (
            INSERT INTO erasures (run_id, client_id, erased_by) VALUES ($1, $2, $3)
            ON CONFLICT (run_id) DO NOTHING RETURNING run_id
        ), grave AS (
            DELETE FROM archived_runs WHERE run_id = $1
        ), slow AS (
            DELETE FROM stats_slow_runs WHERE run_id = $1
        ), job AS (
            -- the store has no file of it any more; what was written of it elsewhere goes by the same job
            INSERT INTO jobs (job_id, kind, run_id, client_id, payload, trace_context)
            SELECT $5, 'erase', run_id, $2, jsonb_build_object('keys', '[]'::jsonb), $6 FROM erasure
        )
        INSERT INTO audit_events (client_id, actor, action, run_id, ip_address, outcome)
        SELECT $2, $3, 'run.erased', run_id, $4, 'done' FROM erasure",
        run_id,
        client_id,
        eraser.actor,
        eraser.ip_address.map(ipnetwork::IpNetwork::from),
        super::jobs::new_job_id(),
        eraser.trace_context,
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

async fn erase_rows(
    pool: &Pool,
    run_id: Uuid,
    client_id: Uuid,
    eraser: &Eraser<'_>,
    erased_at: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let mut transaction = pool.begin().await?;
    // First wait for whoever writes now (job before run, as the statement that ends a run has it), so that the
    // statement below sees all of what was written.
    super::jobs::lock_all_of(&mut transaction, run_id).await?;
    let there = sqlx::query_scalar!(
        "SELECT run_id FROM verification_runs WHERE run_id = $1 AND client_id = $2 FOR UPDATE",
        run_id,
        client_id
    )
    .fetch_optional(&mut *transaction)
    .await?;
    if there.is_none() {
        // Dropped, it would end some time after the answer, and a relay would pass over what it still holds.
        transaction.rollback().await?;
        return Ok(false);
    }
    sqlx::query!(
        r#"WITH run AS (DELETE FROM verification_runs WHERE run_id = $1 RETURNING document_key),
        errors AS (DELETE FROM verification_errors WHERE run_id = $1),
        pages AS (DELETE FROM ocr_pages WHERE run_id = $1 RETURNING image_key),
        calls AS (DELETE FROM llm_calls WHERE run_id = $1),
        decisions AS (DELETE FROM reviews WHERE run_id = $1),
        events AS (DELETE FROM callbacks WHERE run_id = $1),
        attempts AS (DELETE FROM callback_attempts WHERE run_id = $1),
        owed AS (DELETE FROM jobs WHERE run_id = $1 AND kind IN ('run', 'callback')),
        dead AS (DELETE FROM dead_jobs WHERE run_id = $1),
        erasure AS (
            INSERT INTO erasures (run_id, client_id, erased_by, erased_at) VALUES ($1, $2, $3, coalesce($7, now()))
            ON CONFLICT (run_id) DO UPDATE SET archives_cleared_at = NULL
        ),
        grave AS (DELETE FROM archived_runs WHERE run_id = $1),
        slow AS (DELETE FROM stats_slow_runs WHERE run_id = $1),
        hashes AS (DELETE FROM page_hashes WHERE run_id = $1),
        keys AS (
            SELECT jsonb_agg(key) AS keys
            FROM (SELECT document_key FROM run UNION ALL SELECT image_key FROM pages) AS all_keys (key)
            WHERE key IS NOT NULL
        ), job AS (
            INSERT INTO jobs (job_id, kind, run_id, client_id, payload, trace_context)
            SELECT $4, 'erase', $1, $2, jsonb_build_object('keys', keys), $5 FROM keys WHERE keys IS NOT NULL
        )
        INSERT INTO audit_events (client_id, actor, action, run_id, ip_address, outcome)
        VALUES ($2, $3, 'run.erased', $1, $6, 'done')"#,
        run_id,
        client_id,
        eraser.actor,
        super::jobs::new_job_id(),
        eraser.trace_context,
        eraser.ip_address.map(ipnetwork::IpNetwork::from),
        erased_at,
    )
    .execute(&mut *transaction)
    .await?;
    transaction.commit().await?;
    Ok(true)
}

/// What came of an erasure of a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The run was there, and is not any more.
    Erased,
    /// It was not there; that it was erased is known again.
    Noted,
    /// That was known.
    Known,
}

/// Erases again what was erased before: of a database that was restored from an earlier state.
///
/// # Errors
/// The database is unavailable.
pub async fn apply(pool: &Pool, erasure: &Erasure, trace_context: &str) -> Result<Outcome, StoreError> {
    let Erasure { run_id, client_id, erased_at, erased_by } = erasure;
    let eraser = Eraser { actor: erased_by, ip_address: None, trace_context };
    if erase_rows(pool, *run_id, *client_id, &eraser, Some(*erased_at)).await? {
        return Ok(Outcome::Erased);
    }
    let noted = sqlx::query!(
        "WITH grave AS (DELETE FROM archived_runs WHERE run_id = $1 AND client_id = $2)
         INSERT INTO erasures (run_id, client_id, erased_at, erased_by) VALUES ($1, $2, $3, $4)
         ON CONFLICT (run_id) DO NOTHING",
        run_id,
        client_id,
        erased_at,
        erased_by,
    )
    .execute(pool)
    .await?;
    Ok(if noted.rows_affected() == 1 { Outcome::Noted } else { Outcome::Known })
}

/// The runs of a client's person that the database has, oldest first: id, creation and status.
///
/// # Errors
/// The database is unavailable.
pub async fn runs_of(
    pool: &Pool,
    client_id: Uuid,
    person: &Person,
) -> Result<Vec<(Uuid, DateTime<Utc>, String)>, StoreError> {
    let (iin, fio) = match person {
        Person::Iin(iin) => (Some(iin), None),
        Person::Fio(fio) => (None, Some(fio)),
    };
    let rows = sqlx::query!(
        "SELECT run_id, created_at, status FROM verification_runs
         WHERE client_id = $1 AND (iin = $2 OR fio_search = $3) ORDER BY run_id",
        client_id,
        iin,
        fio,
    )
    .fetch_all(pool)
    .await?;
    Ok(rows.into_iter().map(|row| (row.run_id, row.created_at, row.status)).collect())
}

/// Those of these runs that were erased.
///
/// # Errors
/// The database is unavailable.
pub async fn erased_among(pool: &Pool, run_ids: &[Uuid]) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!("SELECT run_id FROM erasures WHERE run_id = ANY ($1)", run_ids).fetch_all(pool).await?)
}

/// The days, in UTC, on which anything was erased.
///
/// # Errors
/// The database is unavailable.
pub async fn days(pool: &Pool) -> Result<Vec<NaiveDate>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT DISTINCT (erased_at AT TIME ZONE 'UTC')::date AS "day!" FROM erasures ORDER BY 1"#
    )
    .fetch_all(pool)
    .await?)
}

/// The erasures of a day, in UTC, in their order.
///
/// # Errors
/// The database is unavailable.
pub async fn of_day(pool: &Pool, day: NaiveDate) -> Result<Vec<Erasure>, StoreError> {
    Ok(sqlx::query_as!(
        Erasure,
        "SELECT run_id, client_id, erased_at, erased_by FROM erasures
         WHERE erased_at >= ($1::date)::timestamp AT TIME ZONE 'UTC' AND erased_at < ($1::date + 1)::timestamp AT TIME ZONE 'UTC'
         ORDER BY erased_at, run_id",
        day
    )
    .fetch_all(pool)
    .await?)
}

/// Erased runs, `count` at most, for which the archives are still to be looked through.
///
/// # Errors
/// The database is unavailable.
pub async fn to_clear(pool: &Pool, count: i64) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!(
        "SELECT run_id FROM erasures WHERE archives_cleared_at IS NULL ORDER BY run_id LIMIT $1",
        count
    )
    .fetch_all(pool)
    .await?)
}

/// How many they are.
///
/// # Errors
/// The database is unavailable.
pub async fn to_clear_count(pool: &Pool) -> Result<i64, StoreError> {
    Ok(sqlx::query_scalar!(r#"SELECT count(*) AS "count!" FROM erasures WHERE archives_cleared_at IS NULL"#)
        .fetch_one(pool)
        .await?)
}

/// Notes that no archive has these runs any more.
///
/// # Errors
/// The database is unavailable.
pub async fn cleared(pool: &Pool, run_ids: &[Uuid]) -> Result<(), StoreError> {
    sqlx::query!("UPDATE erasures SET archives_cleared_at = now() WHERE run_id = ANY ($1)", run_ids)
        .execute(pool)
        .await?;
    Ok(())
}
