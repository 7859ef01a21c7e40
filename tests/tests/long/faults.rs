//! The long form of `resilience`: random restarts of the broker, the database and the workers while
//! submissions go on for minutes.

use std::time::Duration;

use harness::ledger::Ledger;
use harness::own_services::{Action, OwnServices, Service};
use harness::papers::certificate;
use harness::stack::Stack;
use harness::standins::ocr::{Behaviour, Ocr};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};

const FAULTS: usize = 15;
const SUBMISSIONS_A_FAULT: usize = 20;

/// Longer than a worker may take to end.
const END: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
enum Fault {
    Restart(Service, Action),
    KillWorker(usize),
    StopWorker(usize),
}

fn any(random: &mut StdRng, workers: usize) -> Fault {
    let action = if random.random() { Action::Crash } else { Action::Stop };
    match random.random_range(0..5) {
        0 | 1 => Fault::Restart(Service::RabbitMq, action),
        2 => Fault::Restart(Service::Postgres, action),
        3 => Fault::KillWorker(random.random_range(0..workers)),
        _ => Fault::StopWorker(random.random_range(0..workers)),
    }
}

#[tokio::test(flavor = "multi_thread")]
#[expect(clippy::print_stderr, reason = "the seed is what the same faults are chosen with again")]
async fn three_hundred_submissions_survive_fifteen_random_faults() {
    let seed = std::env::var("RB_OCR_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().expect("a number"));
    eprintln!("the seed is {seed}");
    let mut random = StdRng::seed_from_u64(seed);
    let own = OwnServices::start().expect("both start");
    let reading = Behaviour { delay: Duration::from_millis(300), ..Behaviour::reading(&[&certificate()]) };
    let service = Ocr::start(reading).await;
    // A run may meet several faults: it has its five attempts.
    let plan = Stack::plan().on(&own.services).workers(2).ocr(service.base_url());
    let mut stack = plan.set("LEASE_SECONDS", "5").set("RETRY_PAUSES", "1s,1s,1s,1s").start().await;
    let mut ledger = Ledger::open(&stack).await;
    for _ in 0..FAULTS {
        let fault = any(&mut random, stack.workers.len());
        eprintln!("{fault:?}");
        match fault {
            Fault::Restart(service, action) => {
                let restart = || {
                    own.act(service, action).expect("it ends");
                    own.act(service, Action::Start).expect("it starts");
                };
                std::thread::scope(|scope| {
                    scope.spawn(restart);
                    let submitting = ledger.submit(SUBMISSIONS_A_FAULT);
                    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(submitting));
                });
            }
            Fault::KillWorker(number) => {
                stack.workers[number].process.kill();
                stack.workers.remove(number);
                tokio::join!(stack.add_worker(), ledger.submit(SUBMISSIONS_A_FAULT));
            }
            Fault::StopWorker(number) => {
                let mut worker = stack.workers.remove(number);
                worker.process.signal(libc::SIGTERM);
                tokio::join!(stack.add_worker(), ledger.submit(SUBMISSIONS_A_FAULT));
                let status = worker.process.wait(END).await.expect("it ends");
                assert!(status.success(), "{status}");
            }
        }
    }
    ledger.settle(&stack).await;
    assert_eq!(stack.count("dead_jobs").await, 0);
}
