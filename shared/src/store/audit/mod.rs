//! Who did what. Events are only ever inserted; they hold nothing of a document, no name and no IIN.

pub mod chain;
pub mod heads;
pub mod list;

use std::net::IpAddr;

use uuid::Uuid;

use super::StoreError;

/// For how long the same read of the same run by the same key is one event.
pub const ONE_READ: std::time::Duration = std::time::Duration::from_secs(600);

/// What was done.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Whose data or settings.
    pub client_id: Option<Uuid>,
    /// The api key, the worker or the operator's account.
    pub actor: &'a str,
    /// Such as `run.read`.
    pub action: &'a str,
    /// Which run.
    pub run_id: Option<Uuid>,
    /// Where the request came from.
    pub ip_address: Option<IpAddr>,
    /// How it ended.
    pub outcome: &'a str,
    /// What else is worth keeping.
    pub details: serde_json::Value,
}

/// Adds an event, with a connection of its own or in a transaction.
///
/// # Errors
/// The database is unavailable.
pub async fn add(database: impl sqlx::PgExecutor<'_>, event: &Event<'_>) -> Result<(), StoreError> {
    sqlx::query!(
        "INSERT INTO audit_events (client_id, actor, action, run_id, ip_address, outcome, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7)",
        event.client_id,
        event.actor,
        event.action,
        event.run_id,
        event.ip_address.map(ipnetwork::IpNetwork::from),
        event.outcome,
        event.details,
    )
    .execute(database)
    .await?;
    Ok(())
}

/// A key looked at a run, or at a part of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    /// Whose run.
    pub client_id: Uuid,
    /// The api key.
    pub actor: Uuid,
    /// What was looked at, such as `document.read`.
    pub action: &'static str,
    /// The run.
    pub run_id: Uuid,
    /// Where the request came from.
    pub ip_address: Option<IpAddr>,
}

/// Adds reads in one statement; one that repeats another of the last [`ONE_READ`], also by way of another api
/// process, is that one's.
///
/// # Errors
/// The database is unavailable.
pub async fn add_reads(database: impl sqlx::PgExecutor<'_>, reads: &[Read]) -> Result<(), StoreError> {
    let clients: Vec<Uuid> = reads.iter().map(|read| read.client_id).collect();
    let actors: Vec<String> = reads.iter().map(|read| read.actor.to_string()).collect();
    let actions: Vec<String> = reads.iter().map(|read| read.action.to_owned()).collect();
    let runs: Vec<Uuid> = reads.iter().map(|read| read.run_id).collect();
    let addresses: Vec<Option<ipnetwork::IpNetwork>> =
        reads.iter().map(|read| read.ip_address.map(ipnetwork::IpNetwork::from)).collect();
    sqlx::query!(
        "INSERT INTO audit_events (client_id, actor, action, run_id, ip_address, outcome)
         SELECT DISTINCT ON (n.run_id, n.actor, n.action) n.client_id, n.actor, n.action, n.run_id, n.ip_address, 'done'
         FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[], $5::inet[])
             AS n (client_id, actor, action, run_id, ip_address)
         WHERE NOT EXISTS (
             SELECT FROM audit_events e
             WHERE e.run_id = n.run_id AND e.actor = n.actor AND e.action = n.action
               AND e.event_id >= uuid7_floor(now() - $6::float8 * interval '1 second'))",
        &clients,
        &actors,
        &actions,
        &runs,
        &addresses as &[Option<ipnetwork::IpNetwork>],
        ONE_READ.as_secs_f64(),
    )
    .execute(database)
    .await?;
    Ok(())
}
