//! `rb-ocr callbacks test`: one event of type `test`, signed and sent as any other but kept nowhere.

use anyhow::{Context, anyhow, bail};
use clap::Subcommand;
use serde_json::json;
use shared::callback_target::check_url;
use shared::clock::DatabaseClock;
use shared::secrets::Sealer;
use shared::settings::Secret;
use shared::store::{client_secrets, clients};
use shared::telemetry::Metrics;
use worker::callbacks::{AttemptOutcome, Sender, test_event};

use crate::output::show;
use crate::store::open;

/// What to do with callbacks.
#[derive(Subcommand, Debug)]
pub enum Callbacks {
    /// Sends a test event to an address, signed with the client's secrets
    Test {
        /// Its name
        client: String,
        /// Where to
        url: String,
    },
}

impl Callbacks {
    /// Does it.
    ///
    /// # Errors
    /// The database is away, there is no such client, its secrets cannot be opened, or the event was not
    /// delivered.
    pub async fn run(self, json: bool) -> anyhow::Result<()> {
        let Self::Test { client: name, url } = self;
        let (settings, pool) = open().await?;
        let key =
            settings.secrets_key.as_ref().context("SECRETS_KEY is not set: callbacks are signed with what it opens")?;
        let Some(client) = clients::find(&pool, &name).await? else { bail!("there is no client {name}") };
        let (sealer, context) = (Sealer::new(key), client_secrets::secret_context(client.client_id));
        let mut secrets = Vec::new();
        for sealed in client_secrets::live(&pool, client.client_id).await? {
            secrets
                .push(Secret::new(String::from_utf8(sealer.open(&sealed, &context)?).context("a secret is no text")?));
        }
        // What is refused without being sent is refused with its reason, as a submission would be.
        check_url(&url, &settings.callbacks.allow_hosts).map_err(|refused| anyhow!("the address {refused}"))?;
        let clock = DatabaseClock::default();
        clock.measure(&pool).await?;
        let sender = Sender::new(&settings.callbacks, Metrics::default())?;
        let attempt = test_event(&sender, &url, &secrets, None, uuid::Uuid::new_v4(), clock.now()).await?;
        let (outcome, seconds) = (attempt.outcome.as_str(), attempt.duration.as_secs_f64());
        let answer = json!({ "outcome": outcome, "status_code": attempt.status_code, "duration_seconds": seconds });
        show(json, &answer, || {
            let status = attempt.status_code.map(|code| format!(", status {code}")).unwrap_or_default();
            format!("{outcome}{status}, {seconds:.3} s")
        });
        if attempt.outcome == AttemptOutcome::Delivered { Ok(()) } else { bail!("the event was not delivered") }
    }
}
