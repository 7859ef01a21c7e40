//! Callers that submit, repeat, cancel, erase and wait, whatever goes wrong, and write down what they were promised.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::api::Api;
use super::documents::Document;
use super::ledger::{Ledger, Promise, Since};
use super::outside::Outside;

/// Before a request is tried again that got no definite answer.
const AGAIN: Duration = Duration::from_millis(250);

/// What callers share.
#[derive(Debug)]
pub struct Callers {
    /// The api.
    pub api: Api,
    /// What they were promised.
    pub ledger: Arc<Ledger>,
    /// Where callbacks go, and whether the model lies.
    pub outside: Arc<Outside>,
    /// The number of the next submission.
    pub next: AtomicU64,
    /// No new submission from now on.
    pub stop: CancellationToken,
    /// Every request is given up from now on.
    pub end: CancellationToken,
    /// What is still done to runs that were submitted: it has ended before anybody judges.
    pub meddling: TaskTracker,
}

impl Callers {
    /// One caller; what it does follows from its seed.
    pub async fn one(self: Arc<Self>, seed: u64, pause: Duration) {
        let mut random = StdRng::seed_from_u64(seed);
        while !self.stop.is_cancelled() {
            let number = self.next.fetch_add(1, Ordering::Relaxed);
            let (repeat, fate): (f64, f64) = (random.random(), random.random());
            let later = Duration::from_millis(random.random_range(0..600));
            let Some(run_id) = self.submit(number).await else { return };
            if repeat < 0.1 {
                self.repeat(number, &run_id).await;
            }
            if fate < 0.2 {
                let callers = Arc::clone(&self);
                self.meddling.spawn(async move {
                    tokio::time::sleep(later).await;
                    callers.meddle(number, &run_id, fate).await;
                });
            }
            tokio::time::sleep(pause.mul_f64(random.random_range(0.5..1.5))).await;
        }
    }

    async fn meddle(&self, number: u64, run_id: &str, fate: f64) {
        if fate < 0.05 {
            self.cancel(number, run_id).await;
        } else if fate < 0.1 {
            self.erase(number, run_id).await;
        } else {
            self.look(number, run_id).await;
        }
    }

    /// Submits until it is accepted, under the same key.
    async fn submit(&self, number: u64) -> Option<String> {
        let (document, url) = (Document::new(number), self.outside.endpoint.url(number));
        loop {
            match self.api.submit(&document, number, &url).await {
                Ok((202, answer)) => {
                    let run_id = answer["run_id"].as_str()?.to_owned();
                    self.ledger.promised(Promise {
                        number,
                        run_id: run_id.clone(),
                        kind: document.kind,
                        accepted_at: Instant::now(),
                        lied_to: self.outside.lies(),
                        since: Since::Nothing,
                        seen: None,
                    });
                    return Some(run_id);
                }
                Ok((409 | 429 | 500..=599, _)) | Err(_) => self.ledger.refused(),
                Ok((status, answer)) => {
                    self.ledger.broken(format!("submission {number} was answered {status} {}", answer["code"]));
                    return None;
                }
            }
            self.again().await?;
        }
    }

    /// The same submission again: it must name the same run. That the first were still arriving is no answer any more.
    async fn repeat(&self, number: u64, run_id: &str) {
        let (document, url) = (Document::new(number), self.outside.endpoint.url(number));
        match self.api.submit(&document, number, &url).await {
            Ok((202, answer)) if answer["run_id"] == run_id => {}
            Ok((429 | 500..=599, _)) | Err(_) => {}
            Ok((status, answer)) => {
                let made = format!("{status} {} {}", answer["code"], answer["run_id"]);
                self.ledger.broken(format!("the repeat of {run_id} was answered {made}"));
            }
        }
    }

    async fn cancel(&self, number: u64, run_id: &str) {
        self.ledger.update(number, |promise| promise.since = Since::CancelAsked);
        loop {
            match self.api.cancel(run_id).await {
                Ok((200, run)) if run["error_code"] == "CANCELLED" => {
                    return self.ledger.update(number, |promise| promise.since = Since::Cancelled);
                }
                // It has ended: as it should, or by an earlier try whose answer was lost.
                Ok((409, _)) => return,
                Ok((500..=599, _)) | Err(_) => {}
                Ok((status, _)) => return self.ledger.broken(format!("cancelling {run_id} was answered {status}")),
            }
            if self.again().await.is_none() {
                return;
            }
        }
    }

    async fn erase(&self, number: u64, run_id: &str) {
        self.ledger.update(number, |promise| promise.since = Since::EraseAsked);
        loop {
            match self.api.erase(run_id).await {
                Ok((204 | 410, _)) => return self.ledger.update(number, |promise| promise.since = Since::Erased),
                Ok((500..=599, _)) | Err(_) => {}
                Ok((status, _)) => return self.ledger.broken(format!("erasing {run_id} was answered {status}")),
            }
            if self.again().await.is_none() {
                return;
            }
        }
    }

    /// Keeps the finished run as it is seen first.
    async fn look(&self, number: u64, run_id: &str) {
        loop {
            if let Ok((200, run)) = self.api.finished(run_id).await
                && run["status"] != "processing"
            {
                return self.ledger.update(number, |promise| promise.seen = Some(run));
            }
            if self.again().await.is_none() {
                return;
            }
        }
    }

    /// A pause; none when it is time to give up.
    async fn again(&self) -> Option<()> {
        tokio::select! {
            () = self.end.cancelled() => None,
            () = tokio::time::sleep(AGAIN) => Some(()),
        }
    }
}
