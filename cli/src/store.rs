//! The database, for commands that manage it, and who is noted as their author.

use anyhow::Context;
use serde_json::Value;
use shared::settings::Settings;
use shared::store::audit::{self, Event};
use shared::store::{self, Pool};
use uuid::Uuid;

/// Who the audit names for what is done here: the account that gave the command, where the shell tells it.
pub fn actor() -> String {
    let named = |name: &&str| std::env::var(*name).ok().filter(|account| !account.is_empty());
    match ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(named) {
        Some(account) => format!("command line: {account}"),
        None => "command line".to_owned(),
    }
}

/// Settings and a pool.
///
/// # Errors
/// A setting is wrong, or the database cannot be reached; a pool alone would say no more than that it waited.
pub async fn open() -> anyhow::Result<(Settings, Pool)> {
    let settings = Settings::from_env()?;
    store::reach(&settings.database.url).await.context("the database cannot be reached")?;
    let pool = store::connect(&settings.database, "rb-ocr").context("DATABASE_URL cannot be used")?;
    Ok((settings, pool))
}

/// Keeps in the audit what the account that gave the command has done, and with whose data or settings.
///
/// # Errors
/// The database is away.
pub async fn note(pool: &Pool, client_id: Option<Uuid>, action: &str, details: Value) -> anyhow::Result<()> {
    note_as(pool, client_id, action, "done", details).await
}

/// The same of what ended otherwise than well.
///
/// # Errors
/// The database is away.
pub async fn note_as(
    pool: &Pool,
    client_id: Option<Uuid>,
    action: &str,
    outcome: &str,
    details: Value,
) -> anyhow::Result<()> {
    let event = Event { client_id, actor: &actor(), action, run_id: None, ip_address: None, outcome, details };
    Ok(audit::add(pool, &event).await?)
}
