//! One attempt at a run, bounded by everything that may end it.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use futures::FutureExt as _;
use shared::domain::{ErrorCode, Stage};
use shared::queue::events::{RunEvent, StageState, What};
use shared::store::budgets::OverBudget;
use shared::store::jobs::RunClaim;
use uuid::Uuid;

use super::duplicates::{self, Seen};
use super::ending::{Ended, Outcome};
use super::pictures;
use crate::app::App;
use crate::leases::LeaseGuard;
use crate::outside::on_behalf_of;
use crate::pipeline::{Failure, Origin, Progress, Subject, Work};

/// What came of an attempt.
pub(super) enum Came {
    /// A verdict or a failure.
    Ended(Box<Ended>),
    /// Somebody else has the run.
    Lost,
    /// The worker stops before it is done.
    GivenUp,
}

pub(super) async fn attempt(app: &App, claim: &RunClaim, guard: &LeaseGuard) -> Came {
    // A panic is a failure of this run and of no other.
    let running = AssertUnwindSafe(on_behalf_of(claim.run_id, pipeline(app, claim, guard))).catch_unwind();
    tokio::select! {
        () = guard.lost() => Came::Lost,
        () = app.deadline.cancelled() => Came::GivenUp,
        ended = tokio::time::timeout(claim.time_left, running) => {
            Came::Ended(Box::new(match ended {
                Ok(Ok(ended)) => ended,
                Ok(Err(_)) => Ended::without_work(Outcome::Crashed, Instant::now()),
                Err(_) => Ended::without_work(Outcome::OutOfTime, Instant::now()),
            }))
        }
    }
}

async fn pipeline(app: &App, claim: &RunClaim, guard: &LeaseGuard) -> Ended {
    let scratch = match app.scratch.folder() {
        Ok(scratch) => scratch,
        Err(error) => {
            let reason = format!("no folder can be made: {}", error.kind());
            return Ended::without_work(
                Outcome::Failed(Failure::new(ErrorCode::FileSaveFailed, reason)),
                Instant::now(),
            );
        }
    };
    let Ok(content_type) = claim.content_type.parse() else {
        let failure = Failure::new(ErrorCode::DocumentUnreadable, "its content type is not known");
        return Ended::without_work(Outcome::Failed(failure), Instant::now());
    };
    let told = Told { app, run_id: claim.run_id, attempt: claim.attempt, guard };
    let subject = Subject {
        origin: Origin::Store(&app.documents, &claim.document_key),
        content_type,
        fio: &claim.fio,
        today: claim.validity_day,
        scratch: scratch.path(),
    };
    let mut work = Work::default();
    let over_budget = over_budget(app, claim).await;
    let by_rules = over_budget.then(|| app.pipeline.by_rules());
    let pipeline = by_rules.as_ref().unwrap_or(&app.pipeline);
    let judged = pipeline.run(&subject, &told, &mut work).await;
    let mut seen = Seen::default();
    let kept = match judged {
        Ok(mut judged) => {
            seen = duplicates::look(app, claim, &work, &mut judged).await;
            pictures::keep(app, &work).await.map(|pictures| (judged, pictures))
        }
        Err(failure) => Err(failure),
    };
    match kept {
        Ok((judged, pictures)) => {
            Ended { pictures, over_budget, seen, ..Ended::new(Outcome::Judged(Box::new(judged)), work, Instant::now()) }
        }
        Err(failure) => Ended { over_budget, ..Ended::new(Outcome::Failed(failure), work, Instant::now()) },
    }
}

/// Whether the client's budget is spent and it chose the rules then. Where nobody can say, the model is asked: a budget
/// is no promise to the cent, and a run is.
async fn over_budget(app: &App, claim: &RunClaim) -> bool {
    if app.pipeline.analyzer.model().is_none() {
        return false;
    }
    let asked = app.budgets.spent(&app.pool, claim.client_id, app.settings.time_zone).await;
    asked.map(|spent| spent == Some(OverBudget::Rules)).unwrap_or_else(|error| {
        tracing::warn!(%error, "nobody knows how the client's budget stands");
        false
    })
}

/// Tells the api processes, the metrics and the lease of the run's stages.
struct Told<'a> {
    app: &'a App,
    run_id: Uuid,
    attempt: i32,
    guard: &'a LeaseGuard,
}

impl Told<'_> {
    fn send(&self, stage: Stage, state: StageState) {
        let (run_id, attempt, at) = (self.run_id, self.attempt, self.app.clock.now());
        self.app.events.send(RunEvent { run_id, what: What::Stage { stage, state, attempt, at } });
    }
}

impl Progress for Told<'_> {
    fn started(&self, stage: Stage) {
        self.guard.at(stage);
        self.send(stage, StageState::Started);
    }

    fn ended(&self, stage: Stage, error: Option<ErrorCode>, took: Duration) {
        self.app.metrics.stage_ended(stage, error, took);
        self.send(stage, StageState::Ended);
    }
}
