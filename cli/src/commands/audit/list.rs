//! `rb-ocr audit list`.

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use serde_json::{Map, Value, json};
use shared::run_view::rfc3339;
use shared::secrets::ValueHasher;
use shared::store::audit::list::{Filter, Listed, newest};
use shared::store::clients;
use uuid::Uuid;

use crate::output::{show, table};
use crate::store::{actor, open};

/// Which events.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Of this run
    #[arg(long)]
    run: Option<Uuid>,
    /// Of this client's data or settings
    #[arg(long)]
    client: Option<String>,
    /// By this API key (its id), worker or account
    #[arg(long)]
    actor: Option<String>,
    /// Such as document.read
    #[arg(long)]
    action: Option<String>,
    /// Not before (RFC 3339)
    #[arg(long)]
    from: Option<DateTime<Utc>>,
    /// Before (RFC 3339)
    #[arg(long)]
    to: Option<DateTime<Utc>>,
    /// Searches for this value, such as iin=012345678901 or fio='Иванов'; needs the SECRETS_KEY of the time
    #[arg(long, value_name = "FILTER=VALUE")]
    searched_for: Option<String>,
    /// How many
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(i64).range(1..=10_000))]
    limit: i64,
}

/// Lists them.
///
/// # Errors
/// The database is away; there is no such client; a searched value cannot be hidden without `SECRETS_KEY`.
pub async fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let (settings, pool) = open().await?;
    let client_id = match &args.client {
        Some(name) => Some(clients::find(&pool, name).await?.context("there is no such client")?.client_id),
        None => None,
    };
    let details = match &args.searched_for {
        Some(searched) => {
            let hasher = settings.secrets_key.as_ref().map(ValueHasher::new);
            Some(json!({ "filters": hidden(searched, &hasher.context("SECRETS_KEY is not set")?)? }))
        }
        None => None,
    };
    let filter = Filter {
        run_id: args.run,
        client_id,
        actor: args.actor.clone(),
        action: args.action.clone().or_else(|| details.is_some().then(|| "runs.searched".into())),
        from: args.from,
        to: args.to,
        details,
    };
    let events = newest(&pool, &filter, args.limit).await?;
    // Who looks at the audit is part of it.
    let looked = shared::store::audit::Event {
        client_id,
        actor: &actor(),
        action: "audit.listed",
        run_id: args.run,
        ip_address: None,
        outcome: "done",
        details: json!({ "events": events.len() }),
    };
    shared::store::audit::add(&pool, &looked).await?;
    show(json, &json!({ "items": events.iter().map(item).collect::<Vec<_>>() }), || {
        table(
            &["at", "actor", "action", "run", "from", "outcome", "details"],
            &events.iter().map(row).collect::<Vec<_>>(),
        )
    });
    Ok(())
}

/// A filter with the hash that the audit keeps of its value.
fn hidden(searched: &str, hasher: &ValueHasher) -> anyhow::Result<Value> {
    let Some((name, value)) = searched.split_once('=') else { bail!("--searched-for needs FILTER=VALUE") };
    let value = shared::searched::one_form(name, value);
    Ok(Value::Object(Map::from_iter([(name.to_owned(), Value::from(hasher.hash(name, &value)))])))
}

fn item(event: &Listed) -> Value {
    json!({
        "event_id": event.event_id, "at": rfc3339(event.at), "client": event.client, "actor": event.actor,
        "actor_name": event.actor_name, "action": event.action, "run_id": event.run_id,
        "ip_address": event.ip_address, "outcome": event.outcome, "details": event.details,
    })
}

fn row(event: &Listed) -> Vec<String> {
    let text = |value: Option<String>| value.unwrap_or_default();
    let details = if event.details == json!({}) { String::new() } else { event.details.to_string() };
    vec![
        rfc3339(event.at),
        event.actor_name.clone().unwrap_or_else(|| event.actor.clone()),
        event.action.clone(),
        text(event.run_id.map(|id| id.to_string())),
        text(event.ip_address.map(|address| address.to_string())),
        event.outcome.clone(),
        details,
    ]
}
