//! Runs that must end although no worker holds them: out of attempts, of work or of age.

use shared::domain::ErrorCode;
use shared::store::StoreError;
use shared::store::finish::{Finish, finish};
use shared::store::jobs::{self, EndedJob, Ending};

use crate::app::App;
use crate::{artifacts, runs};

pub(super) async fn end_runs(app: &App) -> Result<(), StoreError> {
    let timing = &app.settings.timing;
    let due =
        jobs::take_timed_out(&app.pool, &app.name, timing.lease, timing.max_attempts(), timing.run_work_budget).await?;
    for job in due {
        let ended = ending(&job, &app.name);
        match finish(&app.pool, job.lease, job.run_id, &ended).await {
            Ok(Some(finished)) => {
                runs::finished(app, job.run_id, &ended, &finished);
                artifacts::keep(app, job.run_id).await;
            }
            Ok(None) => {}
            // One run that cannot be ended keeps no other from its end.
            Err(error) => tracing::error!(run_id = %job.run_id, %error, "a run cannot be ended"),
        }
    }
    Ok(())
}

fn ending(job: &EndedJob, upkeep: &str) -> Finish {
    let (code, reason, dead) = match job.ending {
        Ending::Crashed => {
            let reason =
                format!("its lease ran out on each of {} attempts: it crashed or hung its worker", job.attempts);
            (ErrorCode::UnknownError, reason, true)
        }
        Ending::TimedOut => {
            (ErrorCode::TimedOut, "its attempts, its work budget or its age are used up".to_owned(), false)
        }
    };
    Finish {
        errors: vec![code],
        dead_reason: dead.then(|| reason.clone()),
        last_worker: job.last_owner.clone(),
        error_details: Some(reason),
        worker: upkeep.to_owned(),
        ..Finish::default()
    }
}
