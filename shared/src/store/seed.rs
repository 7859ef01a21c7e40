//! Rows of [`crate::seed`], by `COPY`.

use std::sync::Arc;

use futures::{StreamExt as _, stream};

use super::{Pool, StoreError};
use crate::seed::{BATCH, Batch, Plan};

const RUNS: &str = "COPY verification_runs (run_id, client_id, created_at, completed_at, fio, fio_search, iin, \
    external_request_id, metadata, original_filename, document_key, content_type, file_size_bytes, sha256, page_count, \
    status, stage, attempts, error_code, verdict, extracted_fio, extracted_doc_date, extracted_doc_type, \
    single_doc_type, doc_type_known, validation_checks, evidence, stage_timings, flags, validity_day, ocr_engine, \
    analyzer, model, pipeline_version, duration_seconds, queue_seconds, ocr_seconds, llm_seconds, trace_id, \
    document_deleted_at) FROM STDIN";
const ERRORS: &str = "COPY verification_errors (run_id, generation, int_code, code, detail) FROM STDIN";
const PAGES: &str = "COPY ocr_pages (run_id, generation, page_number, text_content, confidence, source) FROM STDIN";
const CALLS: &str = "COPY llm_calls (run_id, generation, call_number, call_type, model, started_at, duration_seconds, \
    prompt_tokens, completion_tokens, total_tokens, outcome) FROM STDIN";
const JOBS: &str = "COPY jobs (job_id, kind, run_id, client_id, available_at) FROM STDIN";

/// The months that a plan needs.
async fn make_months(pool: &Pool, plan: &Plan) -> Result<(), StoreError> {
    sqlx::query_scalar!(
        r#"SELECT make_month_partitions($1, $2) AS "made!""#,
        plan.from.date_naive(),
        plan.until.date_naive()
    )
    .fetch_one(pool)
    .await?;
    Ok(())
}

/// Writes all of a plan, so many batches at once; `told` hears after each how many runs are written. Batches that were
/// written before an error stay.
///
/// # Errors
/// The database is away, or some of these runs are there already.
pub async fn write_all(pool: &Pool, plan: &Arc<Plan>, writers: usize, told: impl Fn(u64)) -> Result<(), StoreError> {
    make_months(pool, plan).await?;
    let batches = stream::iter(0..plan.batches()).map(|number| {
        let plan = Arc::clone(plan);
        async move {
            // Making rows is work for a processor: beside the writing of others, on a thread for such.
            let made = tokio::task::spawn_blocking(move || plan.batch(number)).await;
            write(pool, &made.map_err(|_| sqlx::Error::WorkerCrashed)?).await
        }
    });
    let mut written = batches.buffered(writers.max(1));
    let mut runs = 0;
    while let Some(batch) = written.next().await {
        batch?;
        runs = (runs + BATCH).min(plan.runs);
        told(runs);
    }
    Ok(())
}

/// Writes a batch, all of it or nothing.
async fn write(pool: &Pool, batch: &Batch) -> Result<(), StoreError> {
    let mut transaction = pool.begin().await?;
    let tables = [
        (RUNS, &batch.runs),
        (ERRORS, &batch.errors),
        (PAGES, &batch.pages),
        (CALLS, &batch.calls),
        (JOBS, &batch.jobs),
    ];
    for (statement, lines) in tables {
        if !lines.is_empty() {
            let mut copy = transaction.copy_in_raw(statement).await?;
            copy.send(lines.as_bytes()).await?;
            copy.finish().await?;
        }
    }
    transaction.commit().await?;
    Ok(())
}

/// Has the planner know the new rows.
///
/// # Errors
/// The database is away.
pub async fn settle(pool: &Pool) -> Result<(), StoreError> {
    let mut connection = pool.acquire().await?;
    // Of millions of rows it takes minutes; the setting goes with the connection.
    sqlx::raw_sql("SET statement_timeout = 0").execute(&mut *connection).await?;
    for table in ["verification_runs", "verification_errors", "ocr_pages", "llm_calls", "jobs"] {
        let statement = format!("VACUUM (ANALYZE) {table}");
        sqlx::raw_sql(sqlx::AssertSqlSafe(statement)).execute(&mut *connection).await?;
    }
    connection.close_on_drop();
    Ok(())
}
