//! Events for people: of one run over the api, of anything on the command line.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use uuid::Uuid;

use crate::store::{Pool, StoreError};

/// An event as people are told of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Listed {
    /// Its id.
    pub event_id: Uuid,
    /// When.
    pub at: DateTime<Utc>,
    /// Whose data or settings, by name.
    pub client: Option<String>,
    /// The api key's id, the worker's name or the operator's account.
    pub actor: String,
    /// Of an api key: its client and its first letters.
    pub actor_name: Option<String>,
    /// What was done.
    pub action: String,
    /// With which run.
    pub run_id: Option<Uuid>,
    /// From where.
    pub ip_address: Option<IpAddr>,
    /// How it ended.
    pub outcome: String,
    /// What else was kept.
    pub details: serde_json::Value,
}

/// Which events. Everything given must hold.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this run.
    pub run_id: Option<Uuid>,
    /// Of this client's data or settings.
    pub client_id: Option<Uuid>,
    /// By this key, worker or account.
    pub actor: Option<String>,
    /// This was done.
    pub action: Option<String>,
    /// Not before.
    pub from: Option<DateTime<Utc>>,
    /// Before.
    pub to: Option<DateTime<Utc>>,
    /// Members that the details have, such as a search's filter with its hash.
    pub details: Option<serde_json::Value>,
}

/// The newest events, newest first; `limit` at most.
///
/// # Errors
/// The database is away.
pub async fn newest(pool: &Pool, filter: &Filter, limit: i64) -> Result<Vec<Listed>, StoreError> {
    let rows = sqlx::query!(
        r#"SELECT e.event_id, e.at, c.name AS "client?", e.actor, k.name || ' ' || k.prefix AS actor_name, e.action,
                  e.run_id, e.ip_address, e.outcome, e.details
           FROM audit_events e
           LEFT JOIN clients c ON c.client_id = e.client_id
           LEFT JOIN (SELECT a.key_id::text AS id, a.prefix, owner.name
                      FROM api_keys a JOIN clients owner ON owner.client_id = a.client_id) AS k ON k.id = e.actor
           WHERE ($1::uuid IS NULL OR e.run_id = $1) AND ($2::uuid IS NULL OR e.client_id = $2)
             AND ($3::text IS NULL OR e.actor = $3) AND ($4::text IS NULL OR e.action = $4)
             AND e.event_id >= coalesce(uuid7_floor($5), '00000000-0000-0000-0000-000000000000')
             AND e.event_id < coalesce(uuid7_floor($6), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
             AND ($7::jsonb IS NULL OR e.details @> $7)
           ORDER BY e.event_id DESC LIMIT $8"#,
        filter.run_id,
        filter.client_id,
        filter.actor,
        filter.action,
        filter.from,
        filter.to,
        filter.details,
        limit,
    )
    .fetch_all(pool)
    .await?;
    let listed = rows.into_iter().map(|row| Listed {
        event_id: row.event_id,
        at: row.at,
        client: row.client,
        actor: row.actor,
        actor_name: row.actor_name,
        action: row.action,
        run_id: row.run_id,
        ip_address: row.ip_address.map(|network| network.ip()),
        outcome: row.outcome,
        details: row.details,
    });
    Ok(listed.collect())
}
