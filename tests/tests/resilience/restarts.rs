//! A service that goes away while submissions go on.

use harness::caller::answer;
use harness::ledger::Ledger;
use harness::own_services::{Action, OwnServices, Service};
use harness::papers::certificate;
use harness::stack::Stack;
use harness::standins::ocr::{Behaviour, Ocr};
use reqwest::StatusCode;

/// Two workers that read by a stand-in: what is tested is not Poppler.
async fn stack(own: &OwnServices) -> (Stack, Ocr) {
    let service = Ocr::start(Behaviour::reading(&[&certificate()])).await;
    let plan = Stack::plan().on(&own.services).workers(2).ocr(service.base_url()).set("LEASE_SECONDS", "5");
    (plan.start().await, service)
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_submissions_are_accepted_and_results_read_and_nothing_is_lost() {
    let own = OwnServices::start().expect("both start");
    let (stack, _service) = stack(&own).await;
    let mut ledger = Ledger::open(&stack).await;
    ledger.submit(8).await;
    own.act(Service::RabbitMq, Action::Crash).expect("it can be crashed");
    ledger.submit(8).await;
    let (status, listed) = answer(ledger.bank().get("/v1/runs?limit=200")).await;
    assert_eq!((status, listed["items"].as_array().map(Vec::len)), (StatusCode::OK, Some(16)));
    own.act(Service::RabbitMq, Action::Start).expect("it starts");
    ledger.submit(8).await;
    ledger.settle(&stack).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn when_the_database_crashes_each_accepted_submission_still_finishes_exactly_once() {
    let own = OwnServices::start().expect("both start");
    let (stack, _service) = stack(&own).await;
    let mut ledger = Ledger::open(&stack).await;
    ledger.submit(8).await;
    let restart = || {
        own.act(Service::Postgres, Action::Crash).expect("it can be crashed");
        own.act(Service::Postgres, Action::Start).expect("it starts");
    };
    // On a thread of its own: submissions go on meanwhile.
    std::thread::scope(|scope| {
        scope.spawn(restart);
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(ledger.submit(16)));
    });
    ledger.settle(&stack).await;
}
