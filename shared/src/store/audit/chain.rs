//! `audit_chain` and `audit_chain_head`: events sealed in an order of their own, some seconds after they were added.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::domain::audit_seal::{Hash, Link, SealedEvent, seal_all};
use crate::store::{Pool, StoreError};

/// Events that are sealed in one statement, at most.
pub const BATCH: i64 = 2_000;

/// Where the chain ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Of its last link; 0 where there is none.
    pub number: i64,
    /// Of its last link.
    pub hash: Hash,
}

/// What a look at the chain found and did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sealed {
    /// So many events; fewer than [`BATCH`]: there were no more.
    Events(usize),
    /// Somebody else moved the chain on at the same moment: nothing was written.
    Overtaken,
}

/// Where the chain ends.
///
/// # Errors
/// The database is away.
pub async fn head(pool: &Pool) -> Result<Head, StoreError> {
    let row = sqlx::query!("SELECT number, hash FROM audit_chain_head").fetch_one(pool).await?;
    Ok(Head { number: row.number, hash: hash(&row.hash) })
}

/// Seals events that are not yet sealed, [`BATCH`] at most.
///
/// An event whose transaction takes its time is seen later than its id says. So each look begins two minutes before
/// the last one, and every hour one begins a day before the last of these; the very first begins with the first event.
///
/// # Errors
/// The database is away; the next look finds the same events.
pub async fn seal(pool: &Pool) -> Result<Sealed, StoreError> {
    let window = sqlx::query!(
        r#"SELECT number, hash, now() AS "now!", swept_at IS NULL OR swept_at < now() - interval '1 hour' AS "sweeps!",
                  CASE WHEN swept_at IS NULL OR swept_at < now() - interval '1 hour' THEN swept_at - interval '1 day'
                       ELSE looked_at - interval '2 minutes' END AS from_at
           FROM audit_chain_head"#
    )
    .fetch_one(pool)
    .await?;
    let events = unsealed(pool, window.from_at, None, BATCH).await?;
    let head = Head { number: window.number, hash: hash(&window.hash) };
    let links = seal_all(head.number, head.hash, &events);
    let all_seen = links.len() < usize::try_from(BATCH).unwrap_or(usize::MAX);
    let looked_at = all_seen.then_some(window.now);
    let moved = append(pool, &head, &links, looked_at, looked_at.filter(|_| window.sweeps)).await?;
    Ok(if moved { Sealed::Events(links.len()) } else { Sealed::Overtaken })
}

/// Moves the chain on from `head`, which must still be its end. The times say how far was looked; none: as before.
async fn append(
    pool: &Pool,
    head: &Head,
    links: &[Link],
    looked_at: Option<DateTime<Utc>>,
    swept_at: Option<DateTime<Utc>>,
) -> Result<bool, StoreError> {
    let events: Vec<Uuid> = links.iter().map(|link| link.event_id).collect();
    let numbers: Vec<i64> = links.iter().map(|link| link.number).collect();
    let hashes: Vec<Vec<u8>> = links.iter().map(|link| link.hash.to_vec()).collect();
    let previous: Vec<Vec<u8>> = links.iter().map(|link| link.previous_hash.to_vec()).collect();
    let last = links.last();
    let moved = sqlx::query_scalar!(
        r#"WITH head AS (
            UPDATE audit_chain_head SET number = $3, hash = $4,
                   looked_at = coalesce($5, looked_at), swept_at = coalesce($6, swept_at)
            WHERE number = $1 AND hash = $2
            RETURNING 1
        ), links AS (
            INSERT INTO audit_chain (event_id, number, hash, previous_hash)
            SELECT l.event_id, l.number, l.hash, l.previous_hash
            FROM head, unnest($7::uuid[], $8::bigint[], $9::bytea[], $10::bytea[])
                AS l (event_id, number, hash, previous_hash)
        )
        SELECT count(*) AS "count!" FROM head"#,
        head.number,
        &head.hash[..],
        last.map_or(head.number, |link| link.number),
        &last.map_or(head.hash, |link| link.hash)[..],
        looked_at,
        swept_at,
        &events,
        &numbers,
        &hashes,
        &previous,
    )
    .fetch_one(pool)
    .await?;
    Ok(moved == 1)
}

/// Events between two times (none: from the first, to the last) that were not sealed, oldest first.
///
/// # Errors
/// The database is away.
pub async fn unsealed(
    pool: &Pool,
    from: Option<DateTime<Utc>>,
    to: Option<DateTime<Utc>>,
    limit: i64,
) -> Result<Vec<SealedEvent>, StoreError> {
    Ok(sqlx::query_as!(
        SealedEvent,
        r#"SELECT e.event_id, (extract(epoch FROM e.at) * 1000000)::bigint AS "at_micros!", e.client_id, e.actor,
                  e.action, e.run_id, e.ip_address::text, e.outcome, e.details::text AS "details!"
           FROM audit_events e
           WHERE e.event_id >= coalesce(uuid7_floor($1), '00000000-0000-0000-0000-000000000000')
             AND e.event_id < coalesce(uuid7_floor($2), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
             AND NOT EXISTS (SELECT FROM audit_chain c WHERE c.event_id = e.event_id)
           ORDER BY e.event_id LIMIT $3"#,
        from,
        to,
        limit,
    )
    .fetch_all(pool)
    .await?)
}

/// The links after a number in their order, each with its event if that is there; `limit` at most.
///
/// # Errors
/// The database is away.
pub async fn links(pool: &Pool, after: i64, limit: i64) -> Result<Vec<(Link, Option<SealedEvent>)>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT c.number, c.event_id, c.hash, c.previous_hash,
                  e.event_id AS "found?", (extract(epoch FROM e.at) * 1000000)::bigint AS at_micros, e.client_id,
                  e.actor AS "actor?", e.action AS "action?", e.run_id, e.ip_address::text AS ip_address,
                  e.outcome AS "outcome?", e.details::text AS details
           FROM (SELECT * FROM audit_chain WHERE number > $1 ORDER BY number LIMIT $2) AS c
           LEFT JOIN audit_events e ON e.event_id = c.event_id
           ORDER BY c.number"#,
        after,
        limit,
    )
    .fetch_all(pool)
    .await?;
    let links = rows.into_iter().map(|row| {
        let link = link(row.number, row.event_id, &row.hash, &row.previous_hash);
        let event = row.found.map(|event_id| SealedEvent {
            event_id,
            at_micros: row.at_micros.unwrap_or_default(),
            client_id: row.client_id,
            actor: row.actor.unwrap_or_default(),
            action: row.action.unwrap_or_default(),
            run_id: row.run_id,
            ip_address: row.ip_address,
            outcome: row.outcome.unwrap_or_default(),
            details: row.details.unwrap_or_default(),
        });
        (link, event)
    });
    Ok(links.collect())
}

/// Where what is kept of the chain begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Oldest {
    /// The first link that is kept.
    pub link: Link,
    /// Where months before it are gone by their term: links of events before this id may have had links of the month
    /// before between them, since what comes late is sealed late. None: no month is gone.
    pub seam: Option<Uuid>,
}

/// Where what is kept of the chain begins; none: nothing was sealed.
///
/// # Errors
/// The database is away.
pub async fn oldest(pool: &Pool) -> Result<Option<Oldest>, StoreError> {
    let Some(row) = sqlx::query!(
        r#"SELECT c.number, c.event_id, c.hash, c.previous_hash,
                  (SELECT uuid7_floor((m.oldest + 1)::timestamp AT TIME ZONE 'UTC')
                   FROM (SELECT min(to_date(right(p.relname, 7), 'YYYY_MM')) AS oldest
                         FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid
                         WHERE i.inhparent = 'audit_chain'::regclass) AS m, audit_chain_head h
                   WHERE h.first_month < m.oldest) AS seam
           FROM audit_chain c ORDER BY c.number LIMIT 1"#
    )
    .fetch_optional(pool)
    .await?
    else {
        return Ok(None);
    };
    let link = link(row.number, row.event_id, &row.hash, &row.previous_hash);
    Ok(Some(Oldest { link, seam: row.seam }))
}

fn link(number: i64, event_id: Uuid, seal: &[u8], before: &[u8]) -> Link {
    Link { number, event_id, hash: hash(seal), previous_hash: hash(before) }
}

pub(super) fn hash(bytes: &[u8]) -> Hash {
    // The column's CHECK lets no other length in.
    bytes.try_into().unwrap_or_default()
}
