//! `rb-ocr keys create|list|revoke`: API keys. A key is shown once, when it is made.

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;
use shared::access::{Scope, key_hash, make_key, shown_letters};
use shared::run_view::rfc3339;
use shared::secrets::{Sealer, make_signing_secret, random_bytes};
use shared::settings::Settings;
use shared::store::{Pool, api_keys, client_secrets, clients};
use uuid::Uuid;

use crate::output::{show, table};
use crate::store::{note, open};

/// What to do with keys.
#[derive(Subcommand, Debug)]
pub enum Keys {
    /// Makes a key, and the client if it is new
    Create {
        /// Whose key: lower-case letters, digits, dots, dashes
        #[arg(long)]
        name: String,
        /// What it may do, comma between: submit, read, admin, operator
        #[arg(long, value_delimiter = ',', required = true)]
        scopes: Vec<Scope>,
    },
    /// Lists keys, newest first
    List {
        /// Of this client only
        #[arg(long)]
        name: Option<String>,
    },
    /// Makes a key stop working, within 5 seconds
    Revoke {
        /// Its id or its first letters, as `keys list` shows them
        key: String,
    },
}

impl Keys {
    /// Does it.
    ///
    /// # Errors
    /// The database is away, or there is no such key.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        let (settings, pool) = open().await?;
        match self {
            Self::Create { name, scopes } => create(&settings, &pool, &name, scopes, json).await,
            Self::List { name } => list(&pool, name.as_deref(), json).await,
            Self::Revoke { key } => revoke(&pool, &key, json).await,
        }
    }
}

async fn create(
    settings: &Settings,
    pool: &Pool,
    name: &str,
    mut scopes: Vec<Scope>,
    json: bool,
) -> anyhow::Result<()> {
    scopes.sort_by_key(|scope| scope.as_str());
    scopes.dedup();
    let ensured = clients::ensure(pool, Uuid::new_v4(), name).await;
    let (client_id, is_new) = match ensured {
        Err(refused) if refused.constraint() == Some("clients_name_check") => {
            bail!("{name} cannot be a client's name: lower-case letters, digits, dots, dashes, 64 at most")
        }
        other => other.context("the client cannot be made")?,
    };
    let secret = match &settings.secrets_key {
        Some(key) if is_new => {
            let secret = make_signing_secret();
            let sealed = Sealer::new(key).seal(secret.expose().as_bytes(), &client_secrets::secret_context(client_id));
            client_secrets::rotate(pool, client_id, &sealed, std::time::Duration::ZERO).await?;
            Some(secret)
        }
        _ => None,
    };
    let key = make_key(random_bytes());
    let (key_id, prefix) = (Uuid::new_v4(), shown_letters(key.expose()));
    api_keys::add(pool, key_id, client_id, &key_hash(key.expose()), prefix, &scopes).await?;
    note(pool, Some(client_id), "key.created", json!({ "key_id": key_id })).await?;
    let callback_secret = secret.as_ref().map(|secret| secret.expose());
    let answer = json!({
        "client": name, "key": key.expose(), "key_id": key_id, "scopes": scopes, "callback_secret": callback_secret,
    });
    show(json, &answer, || {
        let secret = match (callback_secret, is_new) {
            (Some(secret), _) => format!("callback_secret  {secret}\nNeither is shown again."),
            (None, true) => {
                "No callback secret could be made: SECRETS_KEY is not set. Set it (`openssl rand -base64 32`), \
                then `rb-ocr secrets rotate` makes one. The key is not shown again."
                    .into()
            }
            (None, false) => "The key is not shown again.".into(),
        };
        format!("client           {name}\nkey              {}\n{secret}", key.expose())
    });
    Ok(())
}

async fn list(pool: &Pool, name: Option<&str>, json: bool) -> anyhow::Result<()> {
    let keys = api_keys::list(pool, name).await?;
    let items: Vec<_> = keys
        .iter()
        .map(|key| {
            json!({
                "key_id": key.key_id, "client": key.client, "prefix": key.prefix, "scopes": key.scopes,
                "created_at": rfc3339(key.created_at), "revoked_at": key.revoked_at.map(rfc3339),
            })
        })
        .collect();
    show(json, &json!({ "items": items }), || {
        let row = |key: &api_keys::ListedKey| {
            let revoked = key.revoked_at.map(rfc3339).unwrap_or_default();
            vec![key.client.clone(), key.prefix.clone(), key.scopes.join(","), rfc3339(key.created_at), revoked]
        };
        table(&["client", "key", "scopes", "created", "revoked"], &keys.iter().map(row).collect::<Vec<_>>())
    });
    Ok(())
}

async fn revoke(pool: &Pool, key: &str, json: bool) -> anyhow::Result<()> {
    // A whole key may be given too: it is what a person has at hand who found one where it should not be.
    let revoked = api_keys::revoke(pool, key.parse().ok(), shown_letters(key)).await?;
    if revoked.is_empty() {
        bail!("there is no live key {}", shown_letters(key));
    }
    for key in &revoked {
        let client = clients::find(pool, &key.client).await?.context("the key's client is gone")?;
        note(pool, Some(client.client_id), "key.revoked", json!({ "key_id": key.key_id })).await?;
    }
    let ids: Vec<Uuid> = revoked.iter().map(|key| key.key_id).collect();
    show(json, &json!({ "revoked": ids }), || format!("{} revoked; it stops working within 5 seconds.", ids.len()));
    Ok(())
}
