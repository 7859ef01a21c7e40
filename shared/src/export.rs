//! A day for the warehouse: a Parquet file of the runs of a day (of their creation, in `TIME_ZONE`), a row for each,
//! without anything that says who somebody is.

use std::path::Path;

use chrono::{DateTime, NaiveDate, Utc};
use uuid::Uuid;

use crate::archive::{ArchiveError, Cell, Column, Kind, Row, TableWriter, blocking};
use crate::domain::terms::{Terms, bounds_of};
use crate::store::export::{self, ExportedRun};
use crate::store::{self, Pool};

/// Runs that are read at once.
const READ: i64 = 2000;

/// A column: its name, its kind, and what a run has there.
type Exported = (&'static str, Kind, fn(&ExportedRun) -> Cell);

const COLUMNS: [Exported; 35] = [
    ("run_id", Kind::Text, |run| Cell::Text(run.run_id.to_string())),
    ("client", Kind::Text, |run| Cell::Text(run.client.clone())),
    ("external_request_id", Kind::Text, |run| text(run.external_request_id.as_ref())),
    ("created_at", Kind::Time, |run| time(Some(run.created_at))),
    ("completed_at", Kind::Time, |run| time(run.completed_at)),
    ("status", Kind::Text, |run| Cell::Text(run.status.clone())),
    ("verdict", Kind::Bool, |run| yes(run.verdict)),
    ("error_code", Kind::Text, |run| text(run.error_code.as_ref())),
    ("error_codes", Kind::Text, |run| text(run.error_codes.as_ref())),
    ("fio_match", Kind::Bool, |run| yes(run.fio_match)),
    ("doc_date_valid", Kind::Bool, |run| yes(run.doc_date_valid)),
    ("single_doc_type", Kind::Bool, |run| yes(run.single_doc_type)),
    ("doc_type_known", Kind::Bool, |run| yes(run.doc_type_known)),
    ("doc_type", Kind::Text, |run| text(run.doc_type.as_ref())),
    ("doc_date", Kind::Date, |run| {
        run.doc_date.map_or(Cell::Null, |day| Cell::Int((day - NaiveDate::default()).num_days()))
    }),
    ("flags", Kind::Text, |run| Cell::Text(run.flags.clone())),
    ("priority", Kind::Text, |run| Cell::Text(run.priority.clone())),
    ("content_type", Kind::Text, |run| text(run.content_type.as_ref())),
    ("file_size_bytes", Kind::Int, |run| run.file_size_bytes.map_or(Cell::Null, Cell::Int)),
    ("page_count", Kind::Int, |run| run.page_count.map_or(Cell::Null, |pages| Cell::Int(pages.into()))),
    ("generation", Kind::Int, |run| Cell::Int(run.generation.into())),
    ("attempts", Kind::Int, |run| Cell::Int(run.attempts.into())),
    ("ocr_engine", Kind::Text, |run| text(run.ocr_engine.as_ref())),
    ("analyzer", Kind::Text, |run| text(run.analyzer.as_ref())),
    ("model", Kind::Text, |run| text(run.model.as_ref())),
    ("prompt_version", Kind::Text, |run| text(run.prompt_version.as_ref())),
    ("pipeline_version", Kind::Text, |run| text(run.pipeline_version.as_ref())),
    ("duration_seconds", Kind::Double, |run| number(run.duration_seconds)),
    ("queue_seconds", Kind::Double, |run| number(run.queue_seconds)),
    ("ocr_seconds", Kind::Double, |run| number(run.ocr_seconds)),
    ("llm_seconds", Kind::Double, |run| number(run.llm_seconds)),
    ("duplicate_of", Kind::Text, |run| text(run.duplicate_of.map(|run_id| run_id.to_string()).as_ref())),
    ("llm_calls", Kind::Int, |run| Cell::Int(run.llm_calls)),
    ("llm_tokens", Kind::Int, |run| Cell::Int(run.llm_tokens)),
    ("llm_cost", Kind::Text, |run| text(run.llm_cost.as_ref())),
];

fn text(value: Option<&String>) -> Cell {
    value.map_or(Cell::Null, |text| Cell::Text(text.clone()))
}

fn time(value: Option<DateTime<Utc>>) -> Cell {
    value.map_or(Cell::Null, |at| Cell::Int(at.timestamp_micros()))
}

fn yes(value: Option<bool>) -> Cell {
    value.map_or(Cell::Null, Cell::Bool)
}

fn number(value: Option<f64>) -> Cell {
    value.map_or(Cell::Null, Cell::Double)
}

/// Where a day lies in the document store.
#[must_use]
pub fn key(day: NaiveDate) -> String {
    format!("export/{day}.parquet")
}

/// Writes the runs of a day into a file of this machine; how many they are. Runs past their term are left out.
///
/// # Errors
/// The database is away, or the file cannot be written.
pub async fn write_day(pool: &Pool, terms: &Terms, day: NaiveDate, file: &Path) -> Result<u64, ArchiveError> {
    let cutoffs = terms.at(store::now(pool).await?);
    let span = bounds_of(day, terms.zone);
    let columns = COLUMNS.iter().map(|(name, kind, _)| Column::new(*name, *kind)).collect();
    let mut writer = TableWriter::create(file, columns)?;
    let mut after = Uuid::nil();
    loop {
        let runs = export::runs(pool, span, after, cutoffs, READ).await?;
        let Some(last) = runs.last() else { break };
        after = last.run_id;
        writer = blocking(move || {
            for run in &runs {
                writer.push(COLUMNS.iter().map(|(_, _, of)| of(run)).collect::<Row>())?;
            }
            Ok(writer)
        })
        .await?;
    }
    blocking(move || Ok(writer.finish()?)).await
}
