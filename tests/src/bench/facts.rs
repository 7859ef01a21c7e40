//! What database and broker say of themselves: how durable they are, and how often they were asked.

use std::collections::BTreeMap;

use anyhow::{Context, bail};
use sqlx::PgConnection;

/// Settings of the database that durability hangs on.
pub async fn durability(connection: &mut PgConnection) -> anyhow::Result<Vec<(String, String)>> {
    let names = ["server_version", "wal_level", "fsync", "synchronous_commit", "full_page_writes"].map(str::to_owned);
    let found: Vec<(String, String)> =
        sqlx::query_as("SELECT name, setting FROM pg_settings WHERE name = ANY($1) ORDER BY array_position($1, name)")
            .bind(&names[..])
            .fetch_all(connection)
            .await?;
    if found.len() != names.len() {
        bail!("PostgreSQL does not tell all of {names:?}");
    }
    Ok(found)
}

/// What the database has counted.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseCounters {
    /// Transactions, statements on their own among them; told up to ten seconds late.
    pub commits: f64,
    /// Those that changed something; told at once.
    pub writes: f64,
    /// Bytes of the log that is synced at each commit.
    pub wal_bytes: f64,
}

impl DatabaseCounters {
    /// Now.
    ///
    /// # Errors
    /// The database is away.
    pub async fn read(connection: &mut PgConnection) -> sqlx::Result<Self> {
        let (commits, writes, wal_bytes) = sqlx::query_as(
            "SELECT xact_commit::float8, pg_snapshot_xmax(pg_current_snapshot())::text::float8,
                    (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::float8
             FROM pg_stat_database WHERE datname = current_database()",
        )
        .fetch_one(connection)
        .await?;
        Ok(Self { commits, writes, wal_bytes })
    }
}

/// What the broker says.
#[derive(Clone, Debug, Default)]
pub struct BrokerFacts {
    /// Its version.
    pub version: String,
    /// The queues of the prefix, each with its type.
    pub queues: BTreeMap<String, String>,
    /// Its counters by their names.
    pub counters: BTreeMap<String, f64>,
}

impl BrokerFacts {
    /// Asks the private broker of this checkout. It takes seconds, also of the broker's CPU.
    ///
    /// # Errors
    /// What deploy/local/broker_facts.sh says.
    pub async fn ask(prefix: &str) -> anyhow::Result<Self> {
        let script = crate::services::checkout().join("deploy/local/broker_facts.sh");
        let output = tokio::process::Command::new(script).arg(prefix).kill_on_drop(true).output().await?;
        if !output.status.success() {
            bail!("{}", String::from_utf8_lossy(&output.stderr).trim());
        }
        Self::read(&String::from_utf8_lossy(&output.stdout)).context("deploy/local/broker_facts.sh said something else")
    }

    fn read(text: &str) -> Option<Self> {
        let mut facts = Self::default();
        for line in text.lines() {
            match line.split(' ').collect::<Vec<_>>()[..] {
                ["version", version] => version.clone_into(&mut facts.version),
                ["queue", name, kind] => drop(facts.queues.insert(name.to_owned(), kind.to_owned())),
                [name, count] => drop(facts.counters.insert(name.to_owned(), count.parse().ok()?)),
                _ => return None,
            }
        }
        let counted = facts.counters.contains_key(RECEIVED) && facts.counters.contains_key(CONFIRMED);
        (!facts.version.is_empty() && counted).then_some(facts)
    }

    /// The type of the queue of runs.
    pub fn queue_type(&self, prefix: &str) -> &str {
        self.queues.get(&format!("{prefix}.runs.normal")).map_or("unknown", String::as_str)
    }

    /// How many messages came since `before`: all, and those that the broker was to confirm.
    pub fn received_since(&self, before: &Self) -> (f64, f64) {
        let since = |name| self.counters.get(name).unwrap_or(&0.0) - before.counters.get(name).unwrap_or(&0.0);
        (since(RECEIVED), since(CONFIRMED))
    }
}

const RECEIVED: &str = "messages_received_total";
const CONFIRMED: &str = "messages_received_confirm_total";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_broker_is_understood() {
        let before =
            "version 3.10.8\nqueue p.runs.normal quorum\nmessages_received_total 5\nmessages_received_confirm_total 4";
        let after = before.replace(" 5", " 25").replace("total 4", "total 14");
        let (before, after) = (BrokerFacts::read(before).expect("good"), BrokerFacts::read(&after).expect("good"));
        assert_eq!(after.queue_type("p"), "quorum");
        assert_eq!(after.received_since(&before), (20.0, 10.0));
        assert!(BrokerFacts::read("version 3.10.8").is_none());
    }
}
