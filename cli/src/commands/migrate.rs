//! `rb-ocr migrate`: brings the schema up to date, past a pooler where `DATABASE_DIRECT_URL` is set.

use anyhow::Context;
use serde_json::json;
use shared::settings::{Database, Settings};
use shared::store;

use crate::output::show;

/// Applies the steps that are missing.
///
/// # Errors
/// The database is away, or a step failed; that step then left nothing.
pub async fn run(json: bool) -> anyhow::Result<()> {
    let database = Settings::from_env()?.database;
    let url = database.direct_url.clone().unwrap_or_else(|| database.url.clone());
    store::reach(&url).await.context("the database cannot be reached")?;
    let pool = store::connect(&Database { url, pooled: false, ..database }, "rb-ocr migrate")?;
    let applied = store::pending_migrations(&pool).await?;
    store::migrate(&pool).await.context("the schema cannot be brought up to date")?;
    show(json, &json!({ "applied": applied }), || match applied {
        0 => "The schema is up to date.".to_owned(),
        applied => format!("The schema is up to date: {applied} steps were applied."),
    });
    Ok(())
}
