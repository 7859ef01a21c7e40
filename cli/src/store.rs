//! The database, for commands that manage it, and who is noted as their author.

use anyhow::Context;
use shared::settings::Settings;
use shared::store::{self, Pool};

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
