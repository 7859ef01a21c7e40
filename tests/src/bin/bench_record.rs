//! The benchmark of the record. deploy/local/bench.sh builds what it needs and calls it.

use std::io::{self, Write};
use std::sync::Arc;
use std::time::Instant;

use anyhow::Context as _;
use chrono::Months;
use clap::Parser;
use harness::bench::machine;
use harness::bench::report::Table;
use harness::record::options::Options;
use harness::record::{questions, sizes};
use harness::services::{Database, Services};
use shared::seed::Plan;
use shared::store::{self, Pool, clients, seed};
use sqlx::postgres::PgPoolOptions;
use sqlx::{Connection as _, PgConnection};
use uuid::Uuid;

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    say(&conditions().await?)?;
    if let Some(name) = &options.keep {
        let pool = kept(name).await?;
        return measure(&pool, &options).await;
    }
    let database = Database::fresh().await;
    measure(database.pool(), &options).await
}

async fn measure(pool: &Pool, options: &Options) -> anyhow::Result<()> {
    let mut owners = Vec::new();
    for name in ["seed-1", "seed-2", "seed-3"] {
        owners.push(clients::ensure(pool, Uuid::now_v7(), name).await?.0);
    }
    let small = owners.last().copied();
    let there: i64 = sqlx::query_scalar("SELECT count(*) FROM verification_runs").fetch_one(pool).await?;
    let runs = if there == 0 {
        let until = store::now(pool).await?;
        let from = until.checked_sub_months(Months::new(options.months)).context("too many months")?;
        let plan = Plan { runs: options.runs, from, until, seed: 1, text_bytes: options.text_bytes, clients: owners };
        let begun = Instant::now();
        seed::write_all(pool, &Arc::new(plan), 2, |_| {}).await?;
        let seconds = begun.elapsed().as_secs_f64();
        say(&format!(
            "{} runs written in {seconds:.0} s: {:.0} a second\n",
            options.runs,
            options.runs as f64 / seconds
        ))?;
        seed::settle(pool).await?;
        options.runs
    } else {
        u64::try_from(there)?
    };
    say(&format!("{runs} runs"))?;
    say(&sizes::measure(pool, runs).await?)?;
    if !options.sizes {
        say(&questions::measure(pool, small, options).await?)?;
    }
    Ok(())
}

/// The database of this name, made where there is none.
async fn kept(name: &str) -> anyhow::Result<Pool> {
    let services = Services::get();
    let mut admin = PgConnection::connect(services.database_url.as_str()).await?;
    let known: bool = sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)")
        .bind(name)
        .fetch_one(&mut admin)
        .await?;
    if !known {
        anyhow::ensure!(name.chars().all(|sign| sign.is_ascii_lowercase() || sign == '_'), "a name of a-z and _");
        sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).execute(&mut admin).await?;
    }
    let pool = Pool::from(PgPoolOptions::new().max_connections(5).connect(services.database(name).as_str()).await?);
    store::migrate(&pool).await?;
    store::months::make_ahead(&pool).await?;
    Ok(pool)
}

/// What the figures hold for.
async fn conditions() -> anyhow::Result<String> {
    let mut table = Table::new(["measured on", ""]);
    for (name, value) in machine::describe() {
        table.row([name.to_owned(), value]);
    }
    let mut connection = PgConnection::connect(Services::get().database_url.as_str()).await?;
    let settings: String = sqlx::query_scalar(
        "SELECT current_setting('server_version') || ', shared_buffers ' || current_setting('shared_buffers')",
    )
    .fetch_one(&mut connection)
    .await?;
    table.row(["PostgreSQL", &settings]);
    Ok(table.to_string())
}

fn say(text: &str) -> io::Result<()> {
    writeln!(io::stdout(), "{text}")
}
