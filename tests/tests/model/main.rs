//! The states of jobs: the real statements of the store, driven in PostgreSQL through generated interleavings of two
//! workers, the relay, upkeep, a broker that loses and doubles messages, callers and operators, beside a reference
//! that says what each must do. After every step the rows are compared with it; at the end, without faults, every
//! job must come to its end.
//!
//! `MODEL_SEED=…` repeats a run, `PROPTEST_CASES=…` tries so many interleavings.

mod observed;
mod operation;
mod reference;
mod world;

use harness::services::Database;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestRng, TestRunner};

use operation::Operation;
use world::World;

/// Enough that each pair of operations meets many times; more are for `PROPTEST_CASES`.
const CASES: u32 = 48;

#[test]
fn whatever_happens_to_a_job_in_whatever_order_it_is_picked_up_and_ends_once() {
    let seed = std::env::var("MODEL_SEED").map_or_else(|_| rand::random(), |seed| seed.parse().expect("a number"));
    say_seed(seed);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let database = runtime.block_on(Database::fresh());
    let cases = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(CASES);
    let default = Config::default();
    // As far as it has to go, and no farther than PROPTEST_MAX_SHRINK_ITERS says.
    let max_shrink_iters = default.max_shrink_iters.min(400);
    let config = Config { cases, failure_persistence: None, max_shrink_iters, ..default };
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&u64::to_le_bytes(seed));
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let tried = TestRunner::new_with_rng(config, random)
        .run(&operation::plans(), |plan| runtime.block_on(follow(&database, &plan)).map_err(TestCaseError::fail));
    if let Err(found) = tried {
        panic!("MODEL_SEED={seed}: {found}");
    }
}

/// One interleaving from the beginning to the end of all its jobs.
async fn follow(database: &Database, plan: &[Operation]) -> Result<(), String> {
    let mut world = World::new(database.pool()).await?;
    for operation in plan {
        world.step(operation).await.map_err(|wrong| format!("{operation:?}: {wrong}"))?;
    }
    world.come_to_an_end().await
}

#[expect(clippy::print_stderr, reason = "how to repeat it, shown with a failure")]
fn say_seed(seed: u64) {
    eprintln!("MODEL_SEED={seed}");
}
