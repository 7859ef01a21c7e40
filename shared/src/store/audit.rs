//! Who did what. Events are only ever inserted; they hold nothing of a document, no name and no IIN.

use std::net::IpAddr;

use uuid::Uuid;

use super::StoreError;

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
        "INSERT INTO audit_events (event_id, client_id, actor, action, run_id, ip_address, outcome, details)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        super::audit_event_id(),
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
