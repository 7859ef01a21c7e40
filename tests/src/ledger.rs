//! What was promised to a caller, and whether it was kept.

use std::collections::BTreeMap;

use reqwest::StatusCode;
use serde_json::json;
use uuid::Uuid;

use crate::caller::{self, Caller, run_id, valid_form};
use crate::stack::Stack;
use crate::standins::receiver::Receiver;
use crate::until::until;

/// Submissions that were answered with 202.
#[derive(Debug)]
pub struct Ledger {
    bank: Caller,
    receiver: Receiver,
    runs: Vec<Uuid>,
}

impl Ledger {
    /// Nothing is promised yet.
    pub async fn open(stack: &Stack) -> Self {
        Self { bank: stack.bank().await, receiver: Receiver::start([]).await, runs: Vec::new() }
    }

    /// The caller.
    pub fn bank(&self) -> &Caller {
        &self.bank
    }

    /// Submits so many documents, each under a key of its own and as often as it takes. What is refused
    /// meanwhile must be refused in the contract's words.
    ///
    /// # Panics
    /// On an answer that the contract does not know.
    pub async fn submit(&mut self, count: usize) {
        for _ in 0..count {
            let key = Uuid::new_v4().to_string();
            let run = until("accepted submission", async || {
                let form = valid_form().text("callback_url", self.receiver.url());
                let request = self.bank.post("/v1/runs").header("idempotency-key", &key).multipart(form);
                let (status, body) = caller::json(request.send().await.ok()?).await;
                match status {
                    StatusCode::ACCEPTED => Some(run_id(&body)),
                    StatusCode::SERVICE_UNAVAILABLE | StatusCode::CONFLICT => None,
                    other => panic!("{other}: {body}"),
                }
            })
            .await;
            self.runs.push(run);
        }
    }

    /// Waits for the end of all and looks at everything that was written and told.
    ///
    /// # Panics
    /// Where a promise was not kept.
    pub async fn settle(&self, stack: &Stack) {
        for run_id in &self.runs {
            let run = self.bank.finished(*run_id).await;
            assert_eq!((&run["status"], &run["verdict"]), (&json!("success"), &json!(true)), "{run}");
            assert_eq!(run["generation"], 1);
        }
        until("end of all jobs", async || (stack.count("jobs").await == 0).then_some(())).await;
        let count = i64::try_from(self.runs.len()).expect("few runs");
        for table in ["verification_runs", "ocr_pages", "callbacks", "callbacks WHERE state = 'delivered'"] {
            assert_eq!(stack.count(table).await, count, "one a run: {table}");
        }
        let finished = stack.count("audit_events WHERE action = 'run.finished'").await;
        assert_eq!(finished, count, "each was finished once");
        self.told_alike();
    }

    /// Each run was told of at least once, always with the same webhook-id and body.
    fn told_alike(&self) {
        let mut told: BTreeMap<Uuid, (String, bytes::Bytes)> = BTreeMap::new();
        for event in self.receiver.received() {
            let run_id = run_id(&event.json()["data"]);
            let this = (event.header("webhook-id").expect("an id").to_owned(), event.body.clone());
            assert_eq!(told.entry(run_id).or_insert(this.clone()), &this);
        }
        let mut runs = self.runs.clone();
        runs.sort_unstable();
        assert_eq!(told.into_keys().collect::<Vec<_>>(), runs);
    }
}
