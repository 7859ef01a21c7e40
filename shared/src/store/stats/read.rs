//! Reading the figures: what was added up, and the deltas that were not yet, in one statement.

use chrono::NaiveDate;
use sqlx::PgTransaction;
use uuid::Uuid;

use super::super::{Pool, StoreError};
use super::ONE_MOMENT;

/// Runs in a list of slow or failed ones, at most.
pub const LONGEST_LIST: i64 = 50;

/// Which figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The first day.
    pub from: NaiveDate,
    /// The last day.
    pub to: NaiveDate,
    /// Whose; all clients' where none.
    pub client_id: Option<Uuid>,
}

/// What is counted of each day.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayCounts {
    /// Which day.
    pub day: NaiveDate,
    /// Generations that ended.
    pub ended: i64,
    /// Those of them that were not a run's first.
    pub retries: i64,
    /// With the verdict true.
    pub accepted: i64,
    /// With the verdict false.
    pub refused: i64,
    /// Without a verdict.
    pub errors: i64,
    /// Runs with the same file as an earlier one.
    pub duplicates: i64,
    /// Pages of what ended with a verdict.
    pub pages: i64,
}

/// What is counted of an hour of the day, over all days.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HourCounts {
    /// 0 to 23.
    pub hour: i16,
    /// Generations that ended.
    pub ended: i64,
    /// Without a verdict.
    pub errors: i64,
}

/// Outcomes of a type of document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DocType {
    /// Its title; none where no type was found.
    pub doc_type: Option<String>,
    /// With the verdict true.
    pub accepted: i64,
    /// With the verdict false.
    pub refused: i64,
    /// Without a verdict.
    pub errors: i64,
}

/// What `daily` answers, of one moment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Figures {
    /// Days with anything, in order.
    pub days: Vec<DayCounts>,
    /// Hours with anything, in order.
    pub hours: Vec<HourCounts>,
    /// The most frequent first.
    pub doc_types: Vec<DocType>,
}

/// How often an error came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Codes {
    /// Which.
    pub code: String,
    /// Ended with it among their errors.
    pub runs: i64,
    /// Ended with it as the first.
    pub first: i64,
}

/// What a span of time is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Measure {
    /// From submission to end.
    Duration,
    /// Not worked on.
    Queue,
    /// Reading.
    Ocr,
    /// Analysis by a model.
    Llm,
}

impl Measure {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Duration, Self::Queue, Self::Ocr, Self::Llm];

    /// Its word in the tables.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Duration => "duration",
            Self::Queue => "queue",
            Self::Ocr => "ocr",
            Self::Llm => "llm",
        }
    }
}

/// How long something took.
#[derive(Clone, Debug, PartialEq)]
pub struct Latency {
    /// Of which day; none: of all.
    pub day: Option<NaiveDate>,
    /// [`Measure`] as a word.
    pub measure: String,
    /// How many that were.
    pub runs: i64,
    /// Their sum in seconds, exact.
    pub sum: f64,
    /// The median, within [`super::PERCENTILE_ERROR`] as the next ones.
    pub p50: f64,
    /// Nine of ten took no longer.
    pub p90: f64,
    /// 99 of 100 took no longer.
    pub p99: f64,
}

/// The model's calls of a day.
#[derive(Clone, Debug, PartialEq)]
pub struct Calls {
    /// Of which day; none: of all.
    pub day: Option<NaiveDate>,
    /// Which model.
    pub model: String,
    /// How many.
    pub calls: i64,
    /// Whose answer could not be used.
    pub failed: i64,
    /// Tokens of the prompts.
    pub prompt_tokens: i64,
    /// Tokens of the answers.
    pub completion_tokens: i64,
    /// Tokens in all.
    pub total_tokens: i64,
    /// In the currency of the price list; none where no call had a price.
    pub cost: Option<f64>,
    /// What they took together.
    pub seconds: f64,
}

/// Counts by day, by hour of the day and by type of document.
///
/// # Errors
/// The database is away.
pub async fn daily(pool: &Pool, span: Span) -> Result<Figures, StoreError> {
    let mut moment = pool.begin_with(ONE_MOMENT).await?;
    let figures = Figures {
        days: days(&mut moment, span).await?,
        hours: hours(&mut moment, span).await?,
        doc_types: doc_types(&mut moment, span).await?,
    };
    moment.rollback().await?;
    Ok(figures)
}

async fn days(moment: &mut PgTransaction<'_>, span: Span) -> Result<Vec<DayCounts>, StoreError> {
    Ok(sqlx::query_as!(
        DayCounts,
        r#"SELECT day AS "day!", sum(ended)::bigint AS "ended!", sum(retries)::bigint AS "retries!",
                  sum(accepted)::bigint AS "accepted!", sum(refused)::bigint AS "refused!",
                  sum(errors)::bigint AS "errors!", sum(duplicates)::bigint AS "duplicates!",
                  sum(pages)::bigint AS "pages!"
           FROM stats_all_hours WHERE day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR client_id = $3)
           GROUP BY day ORDER BY day"#,
        span.from,
        span.to,
        span.client_id
    )
    .fetch_all(&mut **moment)
    .await?)
}

async fn hours(moment: &mut PgTransaction<'_>, span: Span) -> Result<Vec<HourCounts>, StoreError> {
    Ok(sqlx::query_as!(
        HourCounts,
        r#"SELECT hour AS "hour!", sum(ended)::bigint AS "ended!", sum(errors)::bigint AS "errors!"
           FROM stats_all_hours WHERE day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR client_id = $3)
           GROUP BY hour ORDER BY hour"#,
        span.from,
        span.to,
        span.client_id
    )
    .fetch_all(&mut **moment)
    .await?)
}

async fn doc_types(moment: &mut PgTransaction<'_>, span: Span) -> Result<Vec<DocType>, StoreError> {
    Ok(sqlx::query_as!(
        DocType,
        r#"SELECT nullif(doc_type, '') AS doc_type, sum(accepted)::bigint AS "accepted!",
                  sum(refused)::bigint AS "refused!", sum(errors)::bigint AS "errors!"
           FROM stats_all_doc_types WHERE day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR client_id = $3)
           GROUP BY doc_type ORDER BY sum(accepted + refused + errors) DESC, doc_type"#,
        span.from,
        span.to,
        span.client_id
    )
    .fetch_all(&mut **moment)
    .await?)
}

/// How many ended, and how often each error came, the most frequent first.
///
/// # Errors
/// The database is away.
pub async fn codes(pool: &Pool, span: Span) -> Result<(i64, Vec<Codes>), StoreError> {
    let mut moment = pool.begin_with(ONE_MOMENT).await?;
    let ended = days(&mut moment, span).await?.iter().map(|day| day.ended).sum();
    let codes = sqlx::query_as!(
        Codes,
        r#"SELECT code AS "code!", sum(runs)::bigint AS "runs!", sum(first)::bigint AS "first!"
           FROM stats_all_codes WHERE day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR client_id = $3)
           GROUP BY code ORDER BY sum(runs) DESC, code"#,
        span.from,
        span.to,
        span.client_id
    )
    .fetch_all(&mut *moment)
    .await?;
    moment.rollback().await?;
    Ok((ended, codes))
}

/// How long things took: of all days together, then day by day.
///
/// # Errors
/// The database is away.
pub async fn latency(pool: &Pool, span: Span) -> Result<Vec<Latency>, StoreError> {
    Ok(sqlx::query_as!(
        Latency,
        r#"WITH buckets AS (
            SELECT day, measure, bucket, sum(runs) AS runs, sum(seconds) AS seconds
            FROM stats_all_seconds WHERE day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR client_id = $3)
            GROUP BY GROUPING SETS ((measure, bucket), (day, measure, bucket))
        ), ranked AS (
            SELECT *, sum(runs) OVER (PARTITION BY day, measure ORDER BY bucket) AS upto,
                   sum(runs) OVER (PARTITION BY day, measure) AS total
            FROM buckets
        )
        SELECT day AS "day?", measure AS "measure!", total::bigint AS "runs!", sum(seconds)::float8 AS "sum!",
               stats_bucket_seconds(min(bucket) FILTER (WHERE upto >= 0.50 * total)) AS "p50!",
               stats_bucket_seconds(min(bucket) FILTER (WHERE upto >= 0.90 * total)) AS "p90!",
               stats_bucket_seconds(min(bucket) FILTER (WHERE upto >= 0.99 * total)) AS "p99!"
        FROM ranked GROUP BY day, measure, total ORDER BY day NULLS FIRST, measure"#,
        span.from,
        span.to,
        span.client_id
    )
    .fetch_all(pool)
    .await?)
}

/// The model's calls: of each model on all days together, then day by day.
///
/// # Errors
/// The database is away.
pub async fn llm(pool: &Pool, span: Span) -> Result<Vec<Calls>, StoreError> {
    Ok(sqlx::query_as!(
        Calls,
        r#"SELECT day AS "day?", model AS "model!", sum(calls)::bigint AS "calls!", sum(failed)::bigint AS "failed!",
                  sum(prompt_tokens)::bigint AS "prompt_tokens!", sum(completion_tokens)::bigint AS "completion_tokens!",
                  sum(total_tokens)::bigint AS "total_tokens!",
                  (CASE WHEN sum(priced) > 0 THEN sum(cost) END)::float8 AS cost, sum(seconds)::float8 AS "seconds!"
           FROM stats_all_calls WHERE day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR client_id = $3)
           GROUP BY GROUPING SETS ((model), (day, model)) ORDER BY day NULLS FIRST, model"#,
        span.from,
        span.to,
        span.client_id
    )
    .fetch_all(pool)
    .await?)
}

/// The slowest runs of these days that are still there as they ended, the slowest first.
///
/// # Errors
/// The database is away.
pub async fn slow_runs(pool: &Pool, span: Span, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    Ok(sqlx::query_scalar!(
        r#"SELECT s.run_id AS "run_id!"
           FROM stats_all_slow_runs s
           JOIN verification_runs r ON r.run_id = s.run_id AND r.generation = s.generation AND r.status <> 'processing'
           WHERE s.day BETWEEN $1 AND $2 AND ($3::uuid IS NULL OR s.client_id = $3)
           ORDER BY s.duration_seconds DESC, s.run_id LIMIT $4"#,
        span.from,
        span.to,
        span.client_id,
        limit.min(LONGEST_LIST)
    )
    .fetch_all(pool)
    .await?)
}

/// The newest runs of these days that ended in an error, the newest first. They are found by the codes that end a
/// run in an error: among millions of runs failures may be few.
///
/// # Errors
/// The database is away.
pub async fn recent_failures(pool: &Pool, span: Span, limit: i64) -> Result<Vec<Uuid>, StoreError> {
    let codes = crate::domain::ErrorCode::ALL.iter().filter(|code| code.status() == crate::domain::Status::Error);
    let codes: Vec<String> = codes.map(|code| code.as_str().to_owned()).collect();
    Ok(sqlx::query_scalar!(
        r#"WITH days AS (
            SELECT uuid7_floor($1::date::timestamp AT TIME ZONE time_zone) AS first,
                   uuid7_floor(($2::date + 1)::timestamp AT TIME ZONE time_zone) AS after
            FROM stats_state
        )
        SELECT failed.run_id AS "run_id!"
        FROM unnest($4::text[]) AS codes (code), LATERAL (
            SELECT e.run_id FROM verification_errors e JOIN verification_runs r
                ON r.run_id = e.run_id AND r.generation = e.generation AND r.status = 'error'
            WHERE e.code = codes.code AND ($3::uuid IS NULL OR r.client_id = $3)
              AND e.run_id >= (SELECT first FROM days) AND e.run_id < (SELECT after FROM days)
            ORDER BY e.run_id DESC LIMIT $5
        ) AS failed
        ORDER BY failed.run_id DESC LIMIT $5"#,
        span.from,
        span.to,
        span.client_id,
        &codes,
        limit.min(LONGEST_LIST)
    )
    .fetch_all(pool)
    .await?)
}
