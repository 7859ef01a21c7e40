//! Callers: they submit, cancel, want things again, and erase.

use harness::records::{begin, new_run};
use shared::store::callbacks;
use shared::store::cancel::{self, Canceller};
use shared::store::erasures::{self, Eraser};
use shared::store::retry::{self, Retrier};
use uuid::Uuid;

use super::{AGE, MOST_RUNS, TRACE, World, chosen, refused, same};
use crate::reference::{Job, Place, Run};

impl World<'_> {
    pub(super) async fn submit(&mut self, callback: bool) -> Result<(), String> {
        if self.runs.len() == MOST_RUNS {
            return Ok(());
        }
        let mut run = new_run(self.client_id);
        run.callback_url = callback.then(|| "https://callbacks.example/".to_owned());
        run.max_age = AGE;
        begin(self.pool, &run).await;
        self.runs.push(run.run_id);
        let new = Run { status: "processing".into(), generation: 1, error_code: None, told: callback, events: 0 };
        self.must_be.runs.insert(run.run_id, new);
        self.must_be.owed.insert((run.run_id, "run"), Job::new(Uuid::nil(), 1));
        Ok(())
    }

    /// Whatever the state of its job, a run that is processing ends now, once, and whoever asked to be told of its end
    /// is. One that has ended, or is erased, stays as it is.
    pub(super) async fn cancel(&mut self, number: usize) -> Result<(), String> {
        let Some(run_id) = chosen(&self.runs, number) else { return Ok(()) };
        let canceller = Canceller { actor: "a", ip_address: None };
        let cancelled = cancel::cancel(self.pool, run_id, self.client_id, &canceller).await.map_err(refused)?;
        let job = self.must_be.owed.get(&(run_id, "run")).cloned();
        same("cancelled", cancelled.is_some(), job.is_some())?;
        let (Some(cancelled), Some(job)) = (cancelled, job) else { return Ok(()) };
        self.must_be.cancelled.insert((run_id, job.generation), job.place.word());
        self.finished(run_id, &cancel::ending("a"), cancelled.callback_owed)
    }

    pub(super) async fn new_generation(&mut self, number: usize, operator: bool) -> Result<(), String> {
        let Some(run_id) = chosen(&self.runs, number) else { return Ok(()) };
        let retrier = Retrier { actor: "a", operator, ip_address: None, trace_context: TRACE, max_age: AGE };
        let begun = retry::begin(self.pool, run_id, self.client_id, &retrier).await.map_err(refused)?;
        let may = |run: &&mut Run| run.status == "error" && (operator || run.callers_may_retry());
        let run = self.must_be.runs.get_mut(&run_id).filter(may);
        same("generation", begun, run.as_ref().map(|run| run.generation + 1))?;
        if let Some(run) = run {
            (run.status, run.error_code, run.generation) = ("processing".into(), None, run.generation + 1);
            self.must_be.owed.insert((run_id, "run"), Job::new(Uuid::nil(), run.generation));
        }
        Ok(())
    }

    pub(super) async fn redeliver(&mut self, number: usize) -> Result<(), String> {
        let Some(run_id) = chosen(&self.runs, number) else { return Ok(()) };
        let owed = callbacks::redeliver(self.pool, run_id, self.client_id, "a", None, TRACE).await.map_err(refused)?;
        let events = self.must_be.runs.get(&run_id).map(|run| run.events).filter(|events| *events > 0);
        same("redelivered", owed, events)?;
        if events.is_some() {
            let job = self.must_be.owed.entry((run_id, "callback")).or_insert_with(|| Job::new(Uuid::nil(), 1));
            if !matches!(job.place, Place::Leased(_)) {
                (job.place, job.attempts) = (Place::Waiting, 0);
            }
        }
        Ok(())
    }

    pub(super) async fn erase(&mut self, number: usize) -> Result<(), String> {
        let Some(run_id) = chosen(&self.runs, number) else { return Ok(()) };
        let eraser = Eraser { actor: "a", ip_address: None, trace_context: TRACE };
        let erased = erasures::erase(self.pool, run_id, self.client_id, &eraser).await.map_err(refused)?;
        same("erased", erased, self.must_be.runs.remove(&run_id).is_some())?;
        if erased {
            for kind in ["run", "callback"] {
                self.must_be.owed.remove(&(run_id, kind));
            }
            self.must_be.owed.insert((run_id, "erase"), Job::new(Uuid::nil(), 1));
        }
        Ok(())
    }
}
