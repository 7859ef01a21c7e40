//! Figures against the rows that they are of, with the real statements of the store: whatever ends how and whenever
//! it is added up, what is read is what the rows say.
#![expect(clippy::unwrap_used, reason = "a test that fails has failed")]

use std::collections::BTreeMap;
use std::time::Duration;

use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use chrono_tz::Tz;
use harness::records::{LEASE, accepted, begin, claim, claimed, client, count, new_run, published, time_passes};
use harness::services::Database;
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use shared::domain::{ErrorCode, Priority};
use shared::store::cancel::{self, Canceller};
use shared::store::erasures::{self, Eraser};
use shared::store::finish::{Finish, FinishedCall, finish};
use shared::store::intake::NewRun;
use shared::store::stats::{self, Span};
use shared::store::{Pool, retry};
use uuid::Uuid;

const ALMATY: Tz = chrono_tz::Asia::Almaty;
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// A span that holds every day of these tests.
fn ever(client_id: Option<Uuid>) -> Span {
    let today = Utc::now().date_naive();
    Span { from: today - TimeDelta::days(40), to: today + TimeDelta::days(2), client_id }
}

/// A run of a moment in the last three weeks, as far as there are partitions for it.
fn run_of_some_day(owner: Uuid, dice: &mut StdRng) -> NewRun {
    let created_at = DateTime::from_timestamp_millis(
        Utc::now().timestamp_millis() - dice.random_range(0..21 * 24 * 3600 * 1000_i64),
    )
    .unwrap();
    let millis = u64::try_from(created_at.timestamp_millis()).unwrap();
    let run_id = uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
    let sha256 = if dice.random_bool(0.2) { [7; 32] } else { rand::random() };
    NewRun { run_id, created_at, sha256, priority: Priority::Normal, ..new_run(owner) }
}

fn some_calls(dice: &mut StdRng) -> Vec<FinishedCall> {
    let count = dice.random_range(0..4);
    (0..count)
        .map(|number| FinishedCall {
            call_type: if number == 0 { "doc_type_check" } else { "extractor" },
            model: ["small", "large"][dice.random_range(0..2)].into(),
            began_seconds_ago: 1.0,
            duration_seconds: dice.random_range(0.0..30.0),
            prompt_tokens: dice.random_bool(0.9).then(|| dice.random_range(1..4000)),
            completion_tokens: Some(dice.random_range(1..400)),
            total_tokens: dice.random_bool(0.9).then(|| dice.random_range(1..5000)),
            cost: dice.random_bool(0.7).then(|| dice.random_range(0.0..3.0)),
            outcome: if dice.random_bool(0.8) { "ok" } else { "schema" }.into(),
        })
        .collect()
}

/// An end of any kind, that a worker may write.
fn some_end(dice: &mut StdRng) -> Finish {
    let mut end = match dice.random_range(0..4) {
        0 => accepted(),
        1 | 2 => {
            let mut end = accepted();
            end.verdict.as_mut().unwrap().verdict = false;
            end.errors = vec![ErrorCode::DocDateTooOld];
            if dice.random_bool(0.5) {
                end.errors.push(ErrorCode::FioMismatch);
            }
            end.verdict.as_mut().unwrap().doc_type =
                [None, Some("Справка об инвалидности"), Some("Приказ о призыве")][dice.random_range(0..3)];
            end
        }
        _ => Finish {
            errors: vec![
                [ErrorCode::OcrFailed, ErrorCode::LlmFailed, ErrorCode::PdfTooManyPages][dice.random_range(0..3)],
            ],
            worker: "worker".into(),
            ..Finish::default()
        },
    };
    end.page_count = dice.random_bool(0.8).then(|| dice.random_range(1..20));
    end.ocr_seconds = dice.random_bool(0.8).then(|| dice.random_range(0.0..90.0));
    end.llm_seconds = dice.random_bool(0.5).then(|| 10_f64.powf(dice.random_range(-4.0..2.5)));
    end.llm_calls = some_calls(dice);
    end
}

async fn retried(pool: &Pool, run: &NewRun) -> bool {
    let retrier = retry::Retrier {
        actor: "operator",
        operator: true,
        ip_address: None,
        trace_context: TRACE,
        max_age: Duration::from_secs(60),
    };
    retry::begin(pool, run.run_id, run.client_id, &retrier).await.unwrap().is_some()
}

/// Begins a run and ends it somehow: by a worker, by its client, or out of time; sometimes once more after a retry.
async fn some_life(pool: &Pool, owner: Uuid, dice: &mut StdRng) {
    let run = run_of_some_day(owner, dice);
    begin(pool, &run).await;
    end(pool, &run, dice).await;
    while dice.random_bool(0.5) && retried(pool, &run).await {
        if dice.random_bool(0.9) {
            end(pool, &run, dice).await;
        } else {
            break;
        }
    }
}

async fn end(pool: &Pool, run: &NewRun, dice: &mut StdRng) {
    if dice.random_bool(0.15) {
        let canceller = Canceller { actor: "key", ip_address: None };
        assert!(cancel::cancel(pool, run.run_id, run.client_id, &canceller).await.unwrap().is_some());
        return;
    }
    let job = loop {
        if let Some(job) = published(pool).await.into_iter().find(|job| job.run_id == run.run_id) {
            break job;
        }
    };
    let claim = claim(pool, &job, LEASE).await.unwrap();
    assert!(finish(pool, claim.lease, run.run_id, &some_end(dice)).await.unwrap().is_some());
}

/// Rows of a statement as text, to compare figures with rows without a type for each.
async fn rows(pool: &Pool, statement: &str) -> Vec<String> {
    let all = format!("SELECT row_to_json(t)::text FROM ({statement}) AS t ORDER BY 1");
    sqlx::query_scalar(sqlx::AssertSqlSafe(all)).fetch_all(pool).await.unwrap()
}

/// The figures as whoever reads them sees them, table by table.
async fn figures(pool: &Pool) -> BTreeMap<&'static str, Vec<String>> {
    let statements = [
        (
            "hours",
            "SELECT day, hour, client_id, sum(ended) AS ended, sum(retries) AS retries, sum(accepted) AS accepted,
                sum(refused) AS refused, sum(errors) AS errors, sum(duplicates) AS duplicates, sum(pages) AS pages
             FROM stats_all_hours GROUP BY 1, 2, 3",
        ),
        (
            "codes",
            "SELECT day, client_id, code, sum(runs) AS runs, sum(first) AS first FROM stats_all_codes GROUP BY 1, 2, 3",
        ),
        (
            "types",
            "SELECT day, client_id, doc_type, sum(accepted) AS accepted, sum(refused) AS refused, sum(errors) AS errors
             FROM stats_all_doc_types GROUP BY 1, 2, 3",
        ),
        (
            "seconds",
            "SELECT day, client_id, measure, bucket, sum(runs) AS runs, trim_scale(sum(seconds)) AS seconds
             FROM stats_all_seconds GROUP BY 1, 2, 3, 4",
        ),
        (
            "calls",
            "SELECT day, client_id, model, call_type, sum(calls) AS calls, sum(failed) AS failed,
                sum(prompt_tokens) AS prompt, sum(completion_tokens) AS completion, sum(total_tokens) AS total,
                sum(priced) AS priced, trim_scale(sum(cost)) AS cost, trim_scale(sum(seconds)) AS seconds
             FROM stats_all_calls GROUP BY 1, 2, 3, 4",
        ),
    ];
    let mut figures = BTreeMap::new();
    for (name, statement) in statements {
        figures.insert(name, rows(pool, statement).await);
    }
    figures
}

/// The same from the rows of runs, written by another hand: by the day in Almaty of each run that stands in its end.
async fn truth(pool: &Pool) -> BTreeMap<&'static str, Vec<String>> {
    const RUNS: &str = "(SELECT *, (created_at + interval '5 hours') AT TIME ZONE 'UTC' AS local FROM verification_runs
                         WHERE status <> 'processing') AS r";
    let of_runs = |columns: &str, rest: &str| format!("SELECT r.local::date AS day, {columns} FROM {RUNS} {rest}");
    let mut truth = BTreeMap::new();
    let hours = of_runs(
        "extract(hour FROM r.local)::int AS hour, client_id, count(*) AS ended, count(*) FILTER (WHERE generation > 1) AS retries,
         count(*) FILTER (WHERE verdict) AS accepted, count(*) FILTER (WHERE NOT verdict) AS refused,
         count(*) FILTER (WHERE status = 'error') AS errors, count(duplicate_of) FILTER (WHERE generation = 1) AS duplicates,
         coalesce(sum(page_count) FILTER (WHERE status = 'success'), 0) AS pages",
        "GROUP BY 1, 2, 3",
    );
    truth.insert("hours", rows(pool, &hours).await);
    let codes = of_runs(
        "client_id, code, count(*) AS runs, count(*) FILTER (WHERE code = error_code) AS first",
        "JOIN verification_errors e USING (run_id, generation) GROUP BY 1, 2, 3",
    );
    truth.insert("codes", rows(pool, &codes).await);
    let types = of_runs(
        "client_id, coalesce(extracted_doc_type, '') AS doc_type, count(*) FILTER (WHERE verdict) AS accepted,
         count(*) FILTER (WHERE NOT verdict) AS refused, count(*) FILTER (WHERE status = 'error') AS errors",
        "GROUP BY 1, 2, 3",
    );
    truth.insert("types", rows(pool, &types).await);
    let mut seconds = Vec::new();
    for measure in ["duration", "queue", "ocr", "llm"] {
        let column = format!("{measure}_seconds");
        let statement = of_runs(
            &format!(
                "client_id, '{measure}' AS measure, stats_bucket({column}) AS bucket, count(*) AS runs,
                      trim_scale(sum({column}::numeric)) AS seconds"
            ),
            &format!("WHERE {column} IS NOT NULL GROUP BY 1, 2, 3, 4"),
        );
        seconds.extend(rows(pool, &statement).await);
    }
    seconds.sort();
    truth.insert("seconds", seconds);
    let calls = of_runs(
        "client_id, c.model, call_type, count(*) AS calls, count(*) FILTER (WHERE outcome <> 'ok') AS failed,
         coalesce(sum(prompt_tokens), 0) AS prompt, coalesce(sum(completion_tokens), 0) AS completion,
         coalesce(sum(total_tokens), 0) AS total, count(cost) AS priced, trim_scale(coalesce(sum(cost), 0)) AS cost,
         trim_scale(sum(c.duration_seconds::numeric)) AS seconds",
        "JOIN llm_calls c USING (run_id, generation) GROUP BY 1, 2, 3, 4",
    );
    truth.insert("calls", rows(pool, &calls).await);
    truth
}

fn sorted(figures: BTreeMap<&'static str, Vec<String>>) -> BTreeMap<&'static str, Vec<String>> {
    figures
        .into_iter()
        .map(|(name, mut rows)| {
            rows.sort();
            (name, rows)
        })
        .collect()
}

async fn are_true(pool: &Pool, when: &str) {
    let (figures, truth) = (sorted(figures(pool).await), sorted(truth(pool).await));
    for (name, rows) in truth {
        assert!(!rows.is_empty(), "there is something to compare of {name}");
        assert_eq!(figures[name], rows, "{name} {when}");
    }
}

/// Partitions for the weeks that these tests go back.
async fn months(pool: &Pool) {
    sqlx::query("SELECT make_month_partitions((now() - interval '2 months')::date, now()::date)")
        .execute(pool)
        .await
        .unwrap();
}

#[tokio::test]
async fn figures_equal_the_rows_however_runs_end_and_whenever_they_are_added_up() {
    let database = Database::fresh().await;
    let pool = database.pool();
    months(pool).await;
    let owners = [client(pool, "bank").await, client(pool, "shop").await];
    let seed = rand::random();
    let mut dice = StdRng::seed_from_u64(seed);
    for _ in 0..60 {
        let run = run_of_some_day(owners[dice.random_range(0..2)], &mut dice);
        begin(pool, &run).await;
        end(pool, &run, &mut dice).await;
        if dice.random_bool(0.1) {
            stats::fold(pool, ALMATY).await.unwrap();
        }
    }
    are_true(pool, &format!("before the last are added up, seed {seed}")).await;
    let left = count(pool, "SELECT count(*) FROM stats_deltas").await;
    assert_eq!(stats::fold(pool, ALMATY).await.unwrap(), left.unsigned_abs());
    assert_eq!(count(pool, "SELECT count(*) FROM stats_deltas").await, 0);
    are_true(pool, &format!("afterwards, seed {seed}")).await;
}

#[tokio::test]
async fn what_ends_while_others_are_added_up_is_counted_once() {
    let database = Database::fresh().await;
    let pool = database.pool();
    months(pool).await;
    let owner = client(pool, "bank").await;
    let done = tokio_util::sync::CancellationToken::new();
    let ending = async {
        let lives = (0..4).map(|seed| async move {
            let mut dice = StdRng::seed_from_u64(seed);
            for _ in 0..25 {
                let run = run_of_some_day(owner, &mut dice);
                begin(pool, &run).await;
                // Each takes whatever is due, so that none waits for another's publishing.
                for job in published(pool).await {
                    let claim = claim(pool, &job, LEASE).await.unwrap();
                    assert!(finish(pool, claim.lease, job.run_id, &some_end(&mut dice)).await.unwrap().is_some());
                }
            }
        });
        futures::future::join_all(lives).await;
        done.cancel();
    };
    let folding = async {
        let mut read = Vec::new();
        while !done.is_cancelled() {
            // Two at once, as when a holder of the duty wakes up too late, and a reader beside them.
            let (one, two, days) =
                tokio::join!(stats::fold(pool, ALMATY), stats::fold(pool, ALMATY), stats::daily(pool, ever(None)));
            one.and(two).unwrap();
            read.push(days.unwrap().days.iter().map(|day| day.ended).sum::<i64>());
        }
        read
    };
    let ((), read) = tokio::join!(ending, folding);
    assert!(read.is_sorted(), "nothing is missing or doubled while it moves: {read:?}");
    are_true(pool, "with what was not added up").await;
    while stats::fold(pool, ALMATY).await.unwrap() > 0 {}
    are_true(pool, "at the end").await;
}

async fn rebuild(pool: &Pool) -> u64 {
    let Some((mut day, last)) = stats::days_to_rebuild(pool, ALMATY).await.unwrap() else { return 0 };
    let mut counted = 0;
    while day <= last {
        counted += stats::rebuild_day(pool, day, ALMATY).await.unwrap();
        day = day.succ_opt().unwrap();
    }
    counted
}

#[tokio::test]
async fn a_rebuild_finds_what_was_counted_also_of_runs_that_were_retried() {
    let database = Database::fresh().await;
    let pool = database.pool();
    months(pool).await;
    let owner = client(pool, "bank").await;
    let mut dice = StdRng::seed_from_u64(5);
    for _ in 0..40 {
        some_life(pool, owner, &mut dice).await;
    }
    stats::fold(pool, ALMATY).await.unwrap();
    let mut counted = sorted(figures(pool).await);
    let retries = count(pool, "SELECT sum(retries)::bigint FROM stats_hours").await;
    assert!(retries > 0);
    let ended = count(pool, "SELECT sum(ended)::bigint FROM stats_hours").await;
    assert_eq!(rebuild(pool).await, ended.unsigned_abs());
    let mut anew = sorted(figures(pool).await);
    // How long an earlier generation took is not kept with its run.
    counted.remove("seconds");
    anew.remove("seconds");
    assert_eq!(anew, counted);
    rebuild(pool).await;
    let mut again = sorted(figures(pool).await);
    again.remove("seconds");
    assert_eq!(again, counted, "as often as one likes");
}

#[tokio::test]
async fn a_rebuild_counts_what_a_process_of_the_version_before_ended() {
    let database = Database::fresh().await;
    let pool = database.pool();
    months(pool).await;
    let owner = client(pool, "bank").await;
    let mut dice = StdRng::seed_from_u64(6);
    for number in 0..30 {
        let run = run_of_some_day(owner, &mut dice);
        begin(pool, &run).await;
        end(pool, &run, &mut dice).await;
        if number == 9 {
            // Ended without a row for the figures.
            sqlx::query("DELETE FROM stats_deltas").execute(pool).await.unwrap();
        }
    }
    rebuild(pool).await;
    are_true(pool, "after a rebuild").await;
}

#[tokio::test]
async fn runs_that_end_during_a_rebuild_are_counted_once() {
    let database = Database::fresh().await;
    let pool = database.pool();
    months(pool).await;
    let owner = client(pool, "bank").await;
    let mut dice = StdRng::seed_from_u64(7);
    let ending = async {
        for _ in 0..40 {
            let run = run_of_some_day(owner, &mut dice);
            begin(pool, &run).await;
            end(pool, &run, &mut dice).await;
        }
    };
    let rebuilding = async {
        for _ in 0..4 {
            rebuild(pool).await;
            stats::fold(pool, ALMATY).await.unwrap();
        }
    };
    tokio::join!(ending, rebuilding);
    are_true(pool, "after all").await;
}

#[tokio::test]
async fn figures_outlive_their_runs_and_an_erased_run_is_named_nowhere() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    let (early, late) = (new_run(owner), new_run(owner));
    for run in [&early, &late] {
        let claim = claimed(pool, run).await;
        finish(pool, claim.lease, run.run_id, &accepted()).await.unwrap();
        if run.run_id == early.run_id {
            stats::fold(pool, ALMATY).await.unwrap();
            assert_eq!(stats::slow_runs(pool, ever(Some(owner)), 5).await.unwrap(), [early.run_id]);
        }
        let eraser = Eraser { actor: "key", ip_address: None, trace_context: TRACE };
        assert!(erasures::erase(pool, run.run_id, owner, &eraser).await.unwrap());
    }
    stats::fold(pool, ALMATY).await.unwrap();
    let days = stats::daily(pool, ever(Some(owner))).await.unwrap().days;
    assert_eq!((days.len(), days[0].ended, days[0].accepted), (1, 2, 2));
    assert_eq!(count(pool, "SELECT count(*) FROM stats_slow_runs").await, 0);
    assert_eq!(stats::slow_runs(pool, ever(Some(owner)), 5).await.unwrap(), Vec::<Uuid>::new());
}

/// Deltas with these durations, as if so many runs had ended; names no run.
async fn took(pool: &Pool, owner: Uuid, seconds: &[f64]) {
    sqlx::query(
        "INSERT INTO stats_deltas (run_id, client_id, created_at, generation, status, verdict, duplicate, codes, duration_seconds)
         SELECT gen_random_uuid(), $1, now(), 1, 'success', true, false, '{}', s FROM unnest($2::float8[]) AS s",
    )
    .bind(owner)
    .bind(seconds)
    .execute(pool)
    .await
    .unwrap();
}

#[tokio::test]
async fn percentiles_are_within_two_percent_of_the_true_ones() {
    let database = Database::fresh().await;
    let pool = database.pool();
    for seed in 0..20 {
        let owner = client(pool, &format!("client-{seed}")).await;
        let mut dice = StdRng::seed_from_u64(seed);
        let (least, most) = (dice.random_range(-3.0..1.0), dice.random_range(1.0..5.0));
        let mut all: Vec<f64> =
            (0..dice.random_range(1..400)).map(|_| 10_f64.powf(dice.random_range(least..most))).collect();
        took(pool, owner, &all).await;
        if seed % 2 == 0 {
            stats::fold(pool, ALMATY).await.unwrap();
        }
        all.sort_by(f64::total_cmp);
        let found = stats::latency(pool, ever(Some(owner))).await.unwrap();
        let [of_all, of_the_day] = &found[..] else { panic!("one measure on one day: {found:?}") };
        assert_eq!((of_all.day, of_all.p99, of_all.runs), (None, of_the_day.p99, of_the_day.runs));
        for (part, value) in [(50, of_all.p50), (90, of_all.p90), (99, of_all.p99)] {
            let rank = (all.len() * part).div_ceil(100);
            let exact = all[rank - 1];
            let off = (value - exact).abs() / exact;
            assert!(off <= stats::PERCENTILE_ERROR, "p{part} of {} values: {value} for {exact}", all.len());
        }
        let sum: f64 = all.iter().sum();
        assert!((of_all.sum - sum).abs() < 1e-6 * sum);
    }
}

#[tokio::test]
async fn every_value_is_within_two_percent_of_what_its_bucket_stands_for() {
    let database = Database::fresh().await;
    let worst: f64 = sqlx::query_scalar(
        "SELECT max(abs(stats_bucket_seconds(stats_bucket(s)) - s) / s)
         FROM (SELECT 0.001 * 1.0007 ^ n AS s FROM generate_series(0, 30000) AS n) AS values",
    )
    .fetch_one(database.pool())
    .await
    .unwrap();
    assert!(worst > 0.015 && worst < stats::PERCENTILE_ERROR, "{worst}");
    let edges: Vec<i16> =
        sqlx::query_scalar("SELECT stats_bucket(s) FROM unnest(ARRAY[0, 0.0009, 0.001, 1e300::float8]) AS s")
            .fetch_all(database.pool())
            .await
            .unwrap();
    assert_eq!(edges[..3], [0, 0, 1]);
}

#[tokio::test]
async fn a_client_is_told_its_own_figures() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let (bank, shop) = (client(pool, "bank").await, client(pool, "shop").await);
    let mut dice = StdRng::seed_from_u64(8);
    for owner in [bank, bank, shop] {
        let run = new_run(owner);
        begin(pool, &run).await;
        let end = Finish { llm_calls: some_calls(&mut dice), ..failed(ErrorCode::OcrFailed) };
        let job = published(pool).await.pop().unwrap();
        let lease = claim(pool, &job, LEASE).await.unwrap().lease;
        finish(pool, lease, run.run_id, &end).await.unwrap();
    }
    for folded in [false, true] {
        if folded {
            stats::fold(pool, ALMATY).await.unwrap();
        }
        for (whose, ended) in [(Some(bank), 2), (Some(shop), 1), (None, 3)] {
            let span = ever(whose);
            let figures = stats::daily(pool, span).await.unwrap();
            assert_eq!(figures.days.iter().map(|day| day.ended).sum::<i64>(), ended);
            assert_eq!(figures.hours.iter().map(|hour| hour.ended).sum::<i64>(), ended);
            assert_eq!(figures.doc_types.iter().map(|kind| kind.errors).sum::<i64>(), ended);
            let (all, codes) = stats::codes(pool, span).await.unwrap();
            assert_eq!((all, codes.len(), codes[0].runs, codes[0].first), (ended, 1, ended, ended));
            assert_eq!(stats::latency(pool, span).await.unwrap()[0].runs, ended);
            assert_eq!(i64::try_from(stats::slow_runs(pool, span, 50).await.unwrap().len()).unwrap(), ended);
            assert_eq!(i64::try_from(stats::recent_failures(pool, span, 50).await.unwrap().len()).unwrap(), ended);
        }
    }
}

fn failed(code: ErrorCode) -> Finish {
    Finish { errors: vec![code], worker: "worker".into(), ..Finish::default() }
}

#[tokio::test]
async fn a_day_is_one_of_the_time_zone() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    let day: NaiveDate = Utc::now().date_naive();
    // 19:30 in Greenwich is half past midnight in Almaty, and five to ten in Chatham the next day (plus 12:45 or 13:45).
    for (zone, expected) in [
        (ALMATY, day.succ_opt().unwrap()),
        (chrono_tz::UTC, day),
        (chrono_tz::Pacific::Chatham, day.succ_opt().unwrap()),
    ] {
        took(pool, owner, &[1.0]).await;
        sqlx::query("UPDATE stats_deltas SET created_at = $1")
            .bind(day.and_hms_opt(19, 30, 0).unwrap().and_utc())
            .execute(pool)
            .await
            .unwrap();
        stats::fold(pool, zone).await.unwrap();
        let days: Vec<NaiveDate> =
            sqlx::query_scalar("DELETE FROM stats_hours RETURNING day").fetch_all(pool).await.unwrap();
        assert_eq!(days, [expected], "{zone}");
    }
}

#[tokio::test]
async fn the_slowest_are_kept_and_no_more_of_them_than_can_be_asked_for() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    let mut slow = Vec::new();
    for _ in 0..3 {
        for _ in 0..30 {
            let run = new_run(owner);
            let claim = claimed(pool, &run).await;
            finish(pool, claim.lease, run.run_id, &accepted()).await.unwrap();
            slow.push(run.run_id);
        }
        // The later ones are slower.
        sqlx::query("UPDATE stats_deltas SET duration_seconds = 10 + (SELECT count(*) FROM stats_deltas d WHERE d.run_id <= stats_deltas.run_id) + (SELECT count(*) FROM stats_slow_runs)")
            .execute(pool)
            .await
            .unwrap();
        stats::fold(pool, ALMATY).await.unwrap();
    }
    assert_eq!(count(pool, "SELECT count(*) FROM stats_slow_runs").await, stats::LONGEST_LIST);
    let found = stats::slow_runs(pool, ever(Some(owner)), 1000).await.unwrap();
    assert_eq!(found.len(), 50);
    let kept = |run_id: &Uuid| found.contains(run_id);
    assert!(
        slow[60..].iter().all(kept) && !slow[..30].iter().any(kept),
        "of the last 30 all are kept, of the first none"
    );
}

#[tokio::test]
async fn runs_out_of_time_are_counted_as_all_others() {
    let database = Database::fresh().await;
    let pool = database.pool();
    let owner = client(pool, "bank").await;
    let run = new_run(owner);
    begin(pool, &run).await;
    time_passes(pool, 7200).await;
    let due = shared::store::jobs::take_timed_out(pool, "upkeep", LEASE, 5, Duration::from_secs(900)).await.unwrap();
    assert_eq!(due.len(), 1);
    finish(pool, due[0].lease, run.run_id, &failed(ErrorCode::TimedOut)).await.unwrap().unwrap();
    let (ended, codes) = stats::codes(pool, ever(Some(owner))).await.unwrap();
    assert_eq!((ended, codes[0].code.as_str()), (1, "TIMED_OUT"));
}

const VIEWS: [&str; 10] = [
    "common_errors",
    "daily_stats",
    "doc_type_outcomes",
    "duplicate_runs",
    "hourly_activity",
    "latency_percentiles",
    "llm_costs",
    "recent_failures",
    "slow_runs",
    "success_rate_by_day",
];

#[tokio::test]
async fn views_for_bi_show_the_same_figures() {
    let database = Database::fresh().await;
    let pool = database.pool();
    months(pool).await;
    let owners = [client(pool, "bank").await, client(pool, "shop").await];
    let mut dice = StdRng::seed_from_u64(9);
    for number in 0..60 {
        let run = run_of_some_day(owners[number % 2], &mut dice);
        begin(pool, &run).await;
        end(pool, &run, &mut dice).await;
        if number == 40 {
            stats::fold(pool, ALMATY).await.unwrap();
        }
    }
    // Two statements for one figure, of the views and of the rows.
    let day = "((r.created_at + interval '5 hours') AT TIME ZONE 'UTC')::date";
    let of_clients = "verification_runs r JOIN clients c USING (client_id)";
    let pairs = [
        (
            "SELECT day, client, ended, runs, success, accepted, refused, errors, duplicates FROM daily_stats".to_owned(),
            format!(
                "SELECT {day} AS day, c.name AS client, count(*) AS ended, count(*) AS runs, count(verdict) AS success,
                        count(*) FILTER (WHERE verdict) AS accepted, count(*) FILTER (WHERE NOT verdict) AS refused,
                        count(*) FILTER (WHERE status = 'error') AS errors, count(duplicate_of) AS duplicates
                 FROM {of_clients} GROUP BY 1, 2"
            ),
        ),
        (
            "SELECT client, hour, sum(ended) AS ended FROM hourly_activity GROUP BY 1, 2".to_owned(),
            format!(
                "SELECT c.name AS client, extract(hour FROM (r.created_at + interval '5 hours') AT TIME ZONE 'UTC')::int AS hour,
                        count(*) AS ended FROM {of_clients} GROUP BY 1, 2"
            ),
        ),
        (
            "SELECT day, client, success_rate FROM success_rate_by_day".to_owned(),
            format!("SELECT {day} AS day, c.name AS client, avg((status = 'success')::int)::float8 AS success_rate FROM {of_clients} GROUP BY 1, 2"),
        ),
        (
            "SELECT error_code, sum(runs) AS runs, sum(first) AS first FROM common_errors GROUP BY 1".to_owned(),
            "SELECT code AS error_code, count(*) AS runs, count(*) FILTER (WHERE code = error_code) AS first
             FROM verification_errors JOIN verification_runs USING (run_id, generation) GROUP BY 1"
                .to_owned(),
        ),
        (
            "SELECT day, client, model, calls, trim_scale(cost) AS cost FROM llm_costs".to_owned(),
            format!(
                "SELECT {day} AS day, c.name AS client, l.model, count(*) AS calls, trim_scale(sum(l.cost)) AS cost
                 FROM {of_clients} JOIN llm_calls l USING (run_id) GROUP BY 1, 2, 3"
            ),
        ),
        (
            "SELECT client, doc_type, sum(accepted) AS accepted, sum(errors) AS errors FROM doc_type_outcomes GROUP BY 1, 2".to_owned(),
            format!(
                "SELECT c.name AS client, extracted_doc_type AS doc_type, count(*) FILTER (WHERE verdict) AS accepted,
                        count(*) FILTER (WHERE status = 'error') AS errors FROM {of_clients} GROUP BY 1, 2"
            ),
        ),
        (
            "SELECT client, sum(duplicates) AS duplicates FROM duplicate_runs GROUP BY 1".to_owned(),
            format!("SELECT c.name AS client, count(duplicate_of) AS duplicates FROM {of_clients} GROUP BY 1"),
        ),
        (
            "SELECT measure, sum(runs) AS runs FROM latency_percentiles GROUP BY 1".to_owned(),
            "SELECT m.measure, count(m.seconds) AS runs FROM verification_runs, LATERAL (VALUES ('duration', duration_seconds),
                ('queue', queue_seconds), ('ocr', ocr_seconds), ('llm', llm_seconds)) AS m (measure, seconds) GROUP BY 1"
                .to_owned(),
        ),
        (
            "SELECT run_id, error_code FROM recent_failures".to_owned(),
            "SELECT run_id, error_code FROM verification_runs WHERE status = 'error' AND created_at >= now() - interval '7 days'".to_owned(),
        ),
        (
            "SELECT run_id, day, client FROM slow_runs".to_owned(),
            format!("SELECT run_id, {day} AS day, c.name AS client FROM {of_clients}"),
        ),
    ];
    for (of_the_view, of_the_rows) in pairs {
        let truth = rows(pool, &of_the_rows).await;
        assert!(!truth.is_empty());
        assert_eq!(rows(pool, &of_the_view).await, truth, "{of_the_view}");
    }
    let worst: f64 = sqlx::query_scalar(
        "WITH exact AS (
            SELECT ((r.created_at + interval '5 hours') AT TIME ZONE 'UTC')::date AS day, c.name AS client,
                   percentile_disc(0.9) WITHIN GROUP (ORDER BY duration_seconds) AS seconds
            FROM verification_runs r JOIN clients c USING (client_id) GROUP BY 1, 2
        )
        SELECT max(abs(p90_seconds - seconds) / seconds) FROM latency_percentiles JOIN exact USING (day, client)
        WHERE measure = 'duration'",
    )
    .fetch_one(pool)
    .await
    .unwrap();
    assert!(worst <= stats::PERCENTILE_ERROR, "{worst}");
}

#[tokio::test]
async fn views_for_bi_hold_nothing_of_a_person() {
    let database = Database::fresh().await;
    let columns: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns
         WHERE table_schema = 'public' AND table_name = ANY ($1)",
    )
    .bind(VIEWS.map(str::to_owned).to_vec())
    .fetch_all(database.pool())
    .await
    .unwrap();
    let found: std::collections::BTreeSet<&str> = columns.iter().map(|(view, _)| view.as_str()).collect();
    assert_eq!(found.into_iter().collect::<Vec<_>>(), VIEWS);
    for (view, column) in &columns {
        for part in ["fio", "iin", "name", "metadata", "external", "text", "evidence", "ip_", "url", "key", "details"] {
            assert!(!column.contains(part), "{view}.{column}");
        }
    }
}
