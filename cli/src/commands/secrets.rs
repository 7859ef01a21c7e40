//! `rb-ocr secrets rotate`: a new signing secret; the older ones sign on for a while, so that the receiver can
//! change over without a gap.

use std::time::Duration;

use anyhow::{Context, bail};
use clap::Subcommand;
use serde_json::json;
use shared::run_view::rfc3339;
use shared::secrets::{Sealer, make_signing_secret};
use shared::settings;
use shared::store::{client_secrets, clients};

use crate::output::show;
use crate::store::{note, open};

/// What to do with secrets.
#[derive(Subcommand, Debug)]
pub enum Secrets {
    /// Makes a new secret
    Rotate {
        /// Its name
        client: String,
        /// How long the older secrets sign on: 30s, 15m, 24h, 7d
        #[arg(long, default_value = "24h", value_parser = settings::duration)]
        retire_after: Duration,
    },
}

impl Secrets {
    /// Does it.
    ///
    /// # Errors
    /// The database is away, there is no such client, or no key to encrypt with.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        let Self::Rotate { client: name, retire_after } = self;
        let (settings, pool) = open().await?;
        let key = settings.secrets_key.context("SECRETS_KEY is not set: secrets are kept encrypted with it")?;
        let Some(client) = clients::find(&pool, &name).await? else { bail!("there is no client {name}") };
        let secret = make_signing_secret();
        let sealed =
            Sealer::new(&key).seal(secret.expose().as_bytes(), &client_secrets::secret_context(client.client_id));
        let retire_at = client_secrets::rotate(&pool, client.client_id, &sealed, retire_after).await?;
        note(&pool, Some(client.client_id), "secret.rotated", json!({})).await?;
        let retire_at = retire_at.map(rfc3339);
        let answer = json!({ "client": name, "callback_secret": secret.expose(), "older_retire_at": retire_at });
        show(json, &answer, || {
            let older = retire_at.map(|at| format!("\nThe older secrets sign until {at}.")).unwrap_or_default();
            format!("callback_secret  {}\nIt is not shown again.{older}", secret.expose())
        });
        Ok(())
    }
}
