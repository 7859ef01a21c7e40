//! A callback from its delivery by the broker to its settlement: claim, send, record.

use std::time::Duration;

use shared::queue::Delivered;
use shared::secrets::{Sealer, SecretError};
use shared::settings::Secret;
use shared::store::callback_attempts::{NewAttempt, Then, give_up, record};
use shared::store::client_secrets::secret_context;
use shared::store::clients::basic_context;
use shared::store::jobs::{self, CallbackClaim, Kind};
use shared::telemetry;
use tracing::Instrument as _;

use super::{Attempt, AttemptOutcome, Delivery, NotSent, next_pause};
use crate::app::App;
use crate::claiming::{claim, give_back, trace};
use crate::lanes::AsyncWork;
use crate::patience::until_done;

/// A delivery may take 15 s and wait 2 s for its host; no lease needs to be renewed for it.
const LEASE: Duration = Duration::from_secs(60);
/// How long a delivery waits whose host is busy.
const HOST_BUSY_PAUSE: Duration = Duration::from_secs(2);
/// How long a delivery waits that cannot be signed: an operator has to mend the secrets.
const UNSIGNED_PAUSE: Duration = Duration::from_secs(300);

/// Of a host's outage so much is added to it by the deliveries that were given back meanwhile …
const OF_OUTAGE: u32 = 4;
/// … but no more than this: 10,000 of them then cost a dozen statements a second.
const LONGEST_AWAY: Duration = Duration::from_secs(15 * 60);
/// Deliveries are spread over this share of a pause.
const SPREAD: f64 = 0.25;
/// A delivery that is given back costs no try, so its tries alone would not end it. This much longer than the
/// schedule takes (a tenth of jitter) …
const LONGER: f64 = 1.1;
/// … and this is what it may wait in all.
const GRACE: Duration = Duration::from_secs(3600);

/// Delivers callbacks.
#[derive(Clone, Copy, Debug)]
pub struct Deliver;

impl AsyncWork for Deliver {
    async fn work(&self, app: &App, delivered: Delivered) {
        let message = delivered.message;
        let claiming = until_done(app, "a callback cannot be claimed", || {
            jobs::claim_callback(&app.pool, (message.job_id, message.run_id), &app.name, LEASE)
        });
        let claimed = claim(app, Kind::Callback, &delivered, claiming).await;
        match claimed {
            Some(Ok(Some(claim))) => {
                let span = tracing::error_span!(
                    "callback", run_id = %claim.run_id, sequence = claim.sequence, otel.kind = "consumer"
                );
                telemetry::start(&span, trace(&delivered, claim.trace_context.as_deref()));
                deliver(app, claim).instrument(span).await;
            }
            Some(Ok(None)) => {}
            Some(Err(error)) => tracing::error!(%error, "a callback cannot be claimed"),
            None => return delivered.settle.put_back().await,
        }
        delivered.settle.done().await;
    }
}

async fn deliver(app: &App, claim: CallbackClaim) {
    let sent = tokio::select! {
        () = app.deadline.cancelled() => return later(app, &claim, Duration::ZERO).await,
        sent = send(app, &claim) => sent,
    };
    match sent {
        Ok(attempt) => settle(app, &claim, &attempt).await,
        Err(not_sent) if claim.age > longest_age(&app.settings.callbacks.pauses) => {
            tracing::warn!(reason = %not_sent, "a callback has waited too long and is given up");
            give_up_on(app, &claim).await;
        }
        Err(NotSent::HostBusy) => later(app, &claim, HOST_BUSY_PAUSE.mul_f64(1.0 + rand::random::<f64>())).await,
        Err(NotSent::HostAway { wait, failing_for }) => {
            later(app, &claim, until_probed(wait, failing_for, rand::random())).await;
        }
        Err(NotSent::Unsigned(error)) => {
            tracing::error!(%error, "a callback cannot be signed");
            later(app, &claim, UNSIGNED_PAUSE).await;
        }
    }
}

async fn send(app: &App, claim: &CallbackClaim) -> Result<Attempt, NotSent> {
    let (secrets, basic) = open(app.sealer.as_ref(), claim)?;
    let delivery = Delivery {
        run_id: claim.run_id,
        url: &claim.url,
        webhook_id: &claim.webhook_id,
        body: &claim.body,
        secrets: &secrets,
        basic: basic.as_ref(),
    };
    app.sender.send(delivery, app.clock.now()).await
}

fn open(sealer: Option<&Sealer>, claim: &CallbackClaim) -> Result<(Vec<Secret>, Option<Secret>), SecretError> {
    let open = |sealed: &Vec<u8>, context: &[u8]| {
        let plain = sealer.ok_or(SecretError::WrongKey)?.open(sealed, context)?;
        String::from_utf8(plain).map(Secret::new).map_err(|_| SecretError::UnknownForm)
    };
    let secret_context = secret_context(claim.client_id);
    let secrets = claim.secrets.iter().map(|sealed| open(sealed, &secret_context)).collect::<Result<_, _>>()?;
    let basic = claim.basic.as_ref().map(|sealed| open(sealed, &basic_context(claim.client_id))).transpose()?;
    Ok((secrets, basic))
}

/// Records a try and what becomes of the delivery.
async fn settle(app: &App, claim: &CallbackClaim, attempt: &Attempt) {
    let then = after(attempt, claim.attempt, &app.settings.callbacks.pauses, rand::random());
    let new = NewAttempt {
        run_id: claim.run_id,
        sequence: claim.sequence,
        duration: attempt.duration,
        status_code: attempt.status_code.map(i32::from),
        outcome: attempt.outcome.as_str(),
    };
    let recorded =
        until_done(app, "a callback's try cannot be recorded", || record(&app.pool, claim.lease, &new, then)).await;
    match recorded {
        Some(Ok(true)) => {
            tracing::info!(
                outcome = attempt.outcome.as_str(),
                status_code = attempt.status_code,
                "a callback was sent"
            );
            if let Then::Again(pause) = then {
                app.relay.due_in(pause);
            }
        }
        Some(Ok(false)) => tracing::warn!("the lease was lost; the try is not recorded"),
        Some(Err(error)) => tracing::error!(%error, "a callback's try cannot be recorded"),
        None => tracing::warn!("a callback's try could not be recorded before the shutdown"),
    }
}

/// What becomes of a delivery after its n-th try. Pure.
fn after(attempt: &Attempt, tries: i32, pauses: &[Duration], jitter: f64) -> Then {
    match attempt.outcome {
        AttemptOutcome::Delivered => Then::Delivered,
        // 410 means never again.
        AttemptOutcome::Gone => Then::Failed,
        _ => {
            let tries = u32::try_from(tries).unwrap_or(u32::MAX);
            next_pause(tries, pauses, attempt.retry_after, jitter).map_or(Then::Failed, Then::Again)
        }
    }
}

/// How long a delivery waits whose host is left alone: until a probe may go, and longer the longer the host has
/// been away. Pure.
fn until_probed(wait: Duration, failing_for: Duration, jitter: f64) -> Duration {
    let pause = wait.max(failing_for / OF_OUTAGE).max(HOST_BUSY_PAUSE).min(LONGEST_AWAY);
    pause.mul_f64(1.0 + SPREAD * jitter.clamp(0.0, 1.0))
}

/// How old a delivery may become that is given back again and again. Pure.
fn longest_age(pauses: &[Duration]) -> Duration {
    pauses.iter().sum::<Duration>().mul_f64(LONGER) + GRACE
}

/// No try more; it is kept for `redeliver`.
async fn give_up_on(app: &App, claim: &CallbackClaim) {
    let given_up = until_done(app, "a callback cannot be given up", || {
        give_up(&app.pool, claim.lease, claim.run_id, claim.sequence)
    });
    if let Some(Err(error)) = given_up.await {
        tracing::error!(%error, "a callback cannot be given up");
    }
}

async fn later(app: &App, claim: &CallbackClaim, pause: Duration) {
    give_back(app, Kind::Callback, claim.lease, pause).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn after_try(outcome: AttemptOutcome, tries: i32) -> Then {
        let attempt = Attempt { outcome, status_code: None, duration: Duration::ZERO, retry_after: None };
        after(&attempt, tries, &[Duration::from_secs(5), Duration::from_secs(300)], 0.5)
    }

    #[test]
    fn what_was_not_delivered_is_tried_again_until_the_schedule_ends() {
        assert_eq!(after_try(AttemptOutcome::Rejected, 1), Then::Again(Duration::from_secs(5)));
        assert_eq!(after_try(AttemptOutcome::TimedOut, 2), Then::Again(Duration::from_secs(300)));
        assert_eq!(after_try(AttemptOutcome::Unreachable, 3), Then::Failed);
    }

    #[test]
    fn the_longer_a_host_is_away_the_longer_its_deliveries_wait_up_to_a_bound() {
        let seconds = Duration::from_secs;
        let pause = |failing_for| until_probed(seconds(30), seconds(failing_for), 0.0).as_secs();
        assert_eq!([0, 60, 240, 3600, 86_400].map(pause), [30, 30, 60, 900, 900]);
        assert_eq!(until_probed(Duration::ZERO, Duration::ZERO, 1.0), seconds(2).mul_f64(1.25));
    }

    #[test]
    fn a_delivery_that_is_only_ever_given_back_ends_an_hour_after_its_schedule_would_have() {
        let three_days = Duration::from_secs(72 * 3600);
        assert_eq!(longest_age(&[three_days / 2, three_days / 2]), three_days.mul_f64(1.1) + GRACE);
    }

    #[test]
    fn gone_is_never_tried_again() {
        assert_eq!(after_try(AttemptOutcome::Gone, 1), Then::Failed);
        assert_eq!(after_try(AttemptOutcome::Delivered, 1), Then::Delivered);
    }
}
