//! The leases that this worker holds: renewed in one statement for all, given up when they are lost.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shared::domain::Stage;
use shared::store::Pool;
use shared::store::jobs::{self, Lease};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often the stages of running jobs are written down, for those who ask.
const NOTE_PERIOD: Duration = Duration::from_millis(500);

/// All leases of this process.
#[derive(Clone, Debug, Default)]
pub struct Leases(Arc<Mutex<HashMap<Uuid, Held>>>);

#[derive(Debug)]
struct Held {
    lease: Lease,
    stage: Option<Stage>,
    noted: Option<Stage>,
    lost: CancellationToken,
}

/// A lease that is renewed as long as this lives.
#[derive(Debug)]
pub struct LeaseGuard {
    leases: Leases,
    lease: Lease,
    lost: CancellationToken,
}

impl Leases {
    fn held(&self) -> std::sync::MutexGuard<'_, HashMap<Uuid, Held>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps a lease from now on.
    pub fn hold(&self, lease: Lease) -> LeaseGuard {
        let lost = CancellationToken::new();
        let held = Held { lease, stage: None, noted: None, lost: lost.clone() };
        if let Some(earlier) = self.held().insert(lease.job_id, held) {
            // We claimed over a lease of our own that had run out: its work may not go on.
            earlier.lost.cancel();
        }
        LeaseGuard { leases: self.clone(), lease, lost }
    }

    /// How many are held.
    pub fn len(&self) -> usize {
        self.held().len()
    }

    /// Whether none is held.
    pub fn is_empty(&self) -> bool {
        self.held().is_empty()
    }

    fn all(&self) -> Vec<Lease> {
        self.held().values().map(|held| held.lease).collect()
    }

    /// Stages that have changed since they were last written down.
    fn news(&self) -> Vec<(Lease, Stage)> {
        let mut held = self.held();
        let changed = held.values_mut().filter(|held| held.stage != held.noted);
        changed
            .filter_map(|held| {
                held.noted = held.stage;
                Some((held.lease, held.stage?))
            })
            .collect()
    }

    fn lose_all_but(&self, asked: &[Lease], kept: &[Uuid]) {
        let held = self.held();
        for lease in asked.iter().filter(|lease| !kept.contains(&lease.job_id)) {
            if let Some(held) = held.get(&lease.job_id).filter(|held| held.lease == *lease) {
                held.lost.cancel();
            }
        }
    }
}

impl LeaseGuard {
    /// The lease.
    pub const fn lease(&self) -> Lease {
        self.lease
    }

    /// Resolves when the lease is known to be lost: going on would be work for nothing.
    pub async fn lost(&self) {
        self.lost.cancelled().await;
    }

    /// The run has come to this stage.
    pub fn at(&self, stage: Stage) {
        if let Some(held) = self.leases.held().get_mut(&self.lease.job_id).filter(|held| held.lease == self.lease) {
            held.stage = Some(stage);
        }
    }
}

impl Drop for LeaseGuard {
    fn drop(&mut self) {
        let mut held = self.leases.held();
        if held.get(&self.lease.job_id).is_some_and(|held| held.lease == self.lease) {
            held.remove(&self.lease.job_id);
        }
    }
}

/// Renews every lease in each third of its time, and writes stages down, until `stop`.
pub async fn keep(leases: Leases, pool: Pool, lease_time: Duration, stop: CancellationToken) {
    let mut renewals = tokio::time::interval(lease_time / 3);
    let mut notes = tokio::time::interval(NOTE_PERIOD);
    for interval in [&mut renewals, &mut notes] {
        interval.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    }
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = renewals.tick() => renew(&leases, &pool, lease_time).await,
            _ = notes.tick() => note(&leases, &pool).await,
        }
    }
}

async fn renew(leases: &Leases, pool: &Pool, lease_time: Duration) {
    let asked = leases.all();
    if asked.is_empty() {
        return;
    }
    match jobs::renew(pool, &asked, lease_time).await {
        Ok(kept) => leases.lose_all_but(&asked, &kept),
        // Work goes on: if the lease runs out meanwhile, the token keeps us from writing.
        Err(error) => tracing::warn!(%error, "leases cannot be renewed"),
    }
}

async fn note(leases: &Leases, pool: &Pool) {
    let news = leases.news();
    if news.is_empty() {
        return;
    }
    let asked: Vec<Lease> = news.iter().map(|(lease, _)| *lease).collect();
    match jobs::note_stages(pool, &news).await {
        Ok(kept) => leases.lose_all_but(&asked, &kept),
        Err(error) => tracing::debug!(%error, "stages cannot be written down"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lease(n: u128) -> Lease {
        Lease { job_id: Uuid::from_u128(n), token: Uuid::from_u128(n + 100) }
    }

    #[test]
    fn only_a_lease_that_was_asked_for_and_not_kept_is_lost() {
        let leases = Leases::default();
        let (one, two) = (leases.hold(lease(1)), leases.hold(lease(2)));
        let asked = leases.all();
        let later = leases.hold(lease(3));
        leases.lose_all_but(&asked, &[lease(1).job_id]);
        assert!(!one.lost.is_cancelled());
        assert!(two.lost.is_cancelled());
        assert!(!later.lost.is_cancelled(), "a lease taken after the question is not lost by its answer");
    }

    #[test]
    fn a_second_claim_of_the_same_job_ends_the_work_of_the_first() {
        let leases = Leases::default();
        let first = leases.hold(lease(1));
        let second = leases.hold(Lease { token: Uuid::from_u128(999), ..lease(1) });
        assert!(first.lost.is_cancelled());
        drop(first);
        assert_eq!(leases.all(), [second.lease()], "the end of the first does not end the second");
    }

    #[test]
    fn a_stage_is_written_down_once() {
        let leases = Leases::default();
        let guard = leases.hold(lease(1));
        assert!(leases.news().is_empty());
        guard.at(Stage::Read);
        assert_eq!(leases.news(), [(lease(1), Stage::Read)]);
        assert!(leases.news().is_empty());
    }
}
