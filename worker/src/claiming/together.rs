//! Runs are claimed together: what is delivered while one statement is under way is claimed by the next. Nobody waits
//! for company; the busier a worker, the fewer statements and commits a run costs.

use std::time::Duration;

use shared::store::StoreError;
use shared::store::jobs::{self, Kind, RunClaim, RunTerms};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::give_back;
use crate::app::{App, Shared};
use crate::patience::until_done;

/// Runs in one statement, at most.
const MOST: usize = 64;

/// What became of a claim; None: the worker's time to stop has come first.
pub type Claimed = Option<Result<Option<RunClaim>, StoreError>>;

/// Asks for runs to be claimed.
#[derive(Debug)]
pub struct RunClaims {
    asks: mpsc::Sender<Ask>,
}

/// Deliveries that wait to be claimed, for [`claim_together`].
#[derive(Debug)]
pub struct Unclaimed(mpsc::Receiver<Ask>);

#[derive(Debug)]
struct Ask {
    job_and_run: (Uuid, Uuid),
    answer: oneshot::Sender<Claimed>,
}

impl RunClaims {
    /// Both ends. `slots`: runs in progress at once.
    pub fn new(slots: usize) -> (Self, Unclaimed) {
        let (asks, asked) = mpsc::channel(slots.max(1));
        (Self { asks }, Unclaimed(asked))
    }

    /// Claims the job of a run.
    pub async fn claim(&self, job_id: Uuid, run_id: Uuid) -> Claimed {
        let (answer, answered) = oneshot::channel();
        self.asks.send(Ask { job_and_run: (job_id, run_id), answer }).await.ok()?;
        answered.await.ok().flatten()
    }
}

/// Claims what is asked for, until the worker has `ended`.
pub async fn claim_together(app: Shared, Unclaimed(mut asked): Unclaimed, ended: CancellationToken) {
    let mut asks = Vec::with_capacity(MOST);
    loop {
        tokio::select! {
            _ = asked.recv_many(&mut asks, MOST) => {}
            () = ended.cancelled() => return,
        }
        let jobs: Vec<_> = asks.iter().map(|ask| ask.job_and_run).collect();
        match claim(&app, &jobs).await {
            Some(Ok(claims)) => {
                for (ask, claim) in asks.drain(..).zip(claims) {
                    answer(&app, ask, Some(Ok(claim))).await;
                }
            }
            // One that the database refuses takes no other with it.
            Some(Err(_)) if asks.len() > 1 => {
                for ask in asks.drain(..) {
                    let alone = claim(&app, &[ask.job_and_run]).await;
                    answer(&app, ask, alone.map(|claims| claims.map(|mut claims| claims.pop().flatten()))).await;
                }
            }
            Some(Err(error)) => {
                if let Some(ask) = asks.pop() {
                    answer(&app, ask, Some(Err(error))).await;
                }
            }
            None => asks.clear(),
        }
    }
}

async fn claim(app: &App, jobs: &[(Uuid, Uuid)]) -> Option<Result<Vec<Option<RunClaim>>, StoreError>> {
    let timing = &app.settings.timing;
    let terms = RunTerms {
        owner: &app.name,
        lease: timing.lease,
        max_attempts: timing.max_attempts(),
        work_budget: timing.run_work_budget,
    };
    until_done(app, "runs cannot be claimed", || jobs::claim_runs(&app.pool, jobs, terms)).await
}

async fn answer(app: &App, ask: Ask, claimed: Claimed) {
    // Nobody waits for it any more: it is not kept from others until its lease runs out.
    if let Err(Some(Ok(Some(claim)))) = ask.answer.send(claimed) {
        give_back(app, Kind::Run, claim.lease, Duration::ZERO).await;
    }
}
