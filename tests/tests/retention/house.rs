//! A database, a document store, and runs of long ago.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use chrono::{DateTime, Datelike, NaiveDate, TimeDelta, Utc};
use harness::binaries::command_line;
use harness::process::Environment;
use harness::services::Database;
use serde_json::Value;
use shared::archive::{Archive, Column, Row, TableReader, folder};
use shared::documents::Documents;
use shared::domain::names::fio_search;
use shared::domain::terms::Terms;
use shared::retention::{DUTY, Keeper, Report, TERM};
use shared::store::{self, Pool, duties};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub struct House {
    pub database: Database,
    pub store: TempDir,
    pub documents: Documents,
    pub now: DateTime<Utc>,
    pub terms: Terms,
}

/// A run of long ago, and what is in it.
#[derive(Clone, Debug)]
pub struct Old {
    pub days: i64,
    pub status: &'static str,
    pub fio: &'static str,
    pub iin: Option<&'static str>,
    pub document: bool,
    pub retain_from: Option<DateTime<Utc>>,
}

impl Old {
    /// One that was accepted so many days ago, and whose document is gone.
    pub fn success(days: i64) -> Self {
        Self {
            days, status: "success", fio: "Тестова Тест Тестовна", iin: None, document: false, retain_from: None
        }
    }

    pub fn error(days: i64) -> Self {
        Self { status: "error", ..Self::success(days) }
    }
}

impl House {
    pub async fn new() -> Self {
        let (database, store) = (Database::fresh().await, TempDir::new().unwrap());
        let documents = Documents::open(&format!("file://{}", store.path().display())).unwrap();
        let now = store::now(database.pool()).await.unwrap();
        let days = |days: u64| Duration::from_secs(days * 24 * 3600);
        let terms = Terms {
            success: days(90),
            error: days(180),
            document: days(30),
            audit: days(1826),
            zone: chrono_tz::Asia::Almaty,
        };
        Self { database, store, documents, now, terms }
    }

    pub fn pool(&self) -> &Pool {
        self.database.pool()
    }

    /// So many days ago, at noon where days are counted: no day begins between that and `now`'s.
    pub fn ago(&self, days: i64) -> DateTime<Utc> {
        let day = self.now.with_timezone(&self.terms.zone).date_naive() - TimeDelta::days(days);
        let noon = day.and_hms_opt(12, 0, 0).unwrap().and_local_timezone(self.terms.zone).unwrap();
        noon.with_timezone(&Utc)
    }

    /// The month of so many days ago.
    pub fn month(&self, days: i64) -> NaiveDate {
        self.ago(days).date_naive().with_day(1).unwrap()
    }

    /// So many days ago or a few more, so that the month is wholly older than that.
    pub fn in_a_month_older_than(&self, days: i64) -> i64 {
        (days..).find(|days| self.month(*days) != self.month(*days - 1)).unwrap() + 1
    }

    pub async fn client(&self, name: &str) -> Uuid {
        harness::records::client(self.pool(), name).await
    }

    /// Writes a run of long ago, with everything that may belong to one.
    pub async fn add(&self, client_id: Uuid, old: Old) -> Uuid {
        let at = DateTime::from_timestamp_millis(self.ago(old.days).timestamp_millis()).unwrap();
        let millis = u64::try_from(at.timestamp_millis()).unwrap();
        let run_id = uuid::Builder::from_unix_timestamp_millis(millis, &rand::random()).into_uuid();
        let success = old.status == "success";
        sqlx::query("SELECT make_month_partitions($1, $1)").bind(at.date_naive()).execute(self.pool()).await.unwrap();
        sqlx::query(
            "INSERT INTO verification_runs (run_id, client_id, created_at, completed_at, fio, fio_search, iin, metadata,
                 external_request_id, original_filename, document_key, document_deleted_at, content_type,
                 file_size_bytes, sha256, page_count, status, stage, error_code, verdict, extracted_fio,
                 extracted_doc_date, extracted_doc_type, single_doc_type, doc_type_known, validation_checks, evidence,
                 flags, validity_day, duration_seconds, ip_address, retain_from)
             VALUES ($1, $2, $3, $3 + interval '1.25 seconds', $4, $5, $6, jsonb_build_object('note', $4), 'A-17',
                 $4 || '.pdf', $7, CASE WHEN $7 IS NULL THEN $3 + interval '30 days' END, 'application/pdf', 17,
                 sha256('x'), 1, $8, 'done', CASE WHEN $8 = 'error' THEN 'OCR_FAILED' END, CASE WHEN $9 THEN true END,
                 CASE WHEN $9 THEN $4 END, CASE WHEN $9 THEN DATE '2020-02-29' END,
                 CASE WHEN $9 THEN 'Справка об инвалидности' END, CASE WHEN $9 THEN true END,
                 CASE WHEN $9 THEN true END,
                 CASE WHEN $9 THEN '{\"fio_match\": true, \"doc_type_known\": true, \"doc_date_valid\": true, \"single_doc_type\": true}'::jsonb END,
                 CASE WHEN $9 THEN jsonb_build_object('fio', jsonb_build_object('quote', $4)) END,
                 '{name_near_miss}', $3::date, 1.25, '10.1.2.3', $10)",
        )
        .bind(run_id)
        .bind(client_id)
        .bind(at)
        .bind(old.fio)
        .bind(fio_search(old.fio))
        .bind(old.iin)
        .bind(old.document.then(|| format!("documents/test/{run_id}")))
        .bind(old.status)
        .bind(success)
        .bind(old.retain_from)
        .execute(self.pool())
        .await
        .unwrap();
        for statement in [
            "INSERT INTO ocr_pages (run_id, generation, page_number, text_content, confidence, source, image_key)
             VALUES ($1, 1, 1, 'выдана гражданке: ' || $2, 0.75, 'tesseract', $3)",
            "INSERT INTO llm_calls VALUES ($1, 1, 1, 'extractor', 'm', now(), 1.5, 10, 5, 15, 0.002, 'ok')",
            "INSERT INTO callbacks (run_id, sequence, webhook_id, type, form, url, body, state, ended_at)
             VALUES ($1, 1, 'w', 'run.completed', 'full', 'https://bank.example/', '{\"fio\": \"' || $2 || '\"}', 'delivered', now())",
            "INSERT INTO callback_attempts VALUES ($1, 1, 1, now(), 0.5, 200, 'delivered')",
            "INSERT INTO reviews VALUES ($1, 1, true, 'по телефону', gen_random_uuid(), now())",
        ] {
            let key = old.document.then(|| format!("pages/test/{run_id}"));
            let query = sqlx::query(statement).bind(run_id);
            let query = if statement.contains("$2") { query.bind(old.fio) } else { query };
            let query = if statement.contains("$3") { query.bind(key) } else { query };
            query.execute(self.pool()).await.unwrap();
        }
        if old.status == "error" {
            let error = "INSERT INTO verification_errors VALUES ($1, 1, 20, 'OCR_FAILED', 'The OCR service failed.')";
            sqlx::query(error).bind(run_id).execute(self.pool()).await.unwrap();
        }
        if old.document {
            for kind in ["documents", "pages"] {
                self.documents.put(&format!("{kind}/test/{run_id}"), (&b"x"[..]).into()).await.unwrap();
            }
        }
        run_id
    }

    /// Something that is owed for a run.
    pub async fn owe(&self, run_id: Uuid, kind: &str) {
        sqlx::query("INSERT INTO jobs (job_id, kind, run_id, client_id) SELECT gen_random_uuid(), $2, $1, $1")
            .bind(run_id)
            .bind(kind)
            .execute(self.pool())
            .await
            .unwrap();
    }

    /// As if the workers had done all erasures.
    pub async fn files_are_erased(&self) {
        let keys: Vec<String> =
            sqlx::query_scalar("DELETE FROM jobs WHERE kind = 'erase' RETURNING payload ->> 'keys'")
                .fetch_all(self.pool())
                .await
                .unwrap();
        for keys in keys {
            for key in serde_json::from_str::<Vec<String>>(&keys).unwrap() {
                self.documents.delete(&key).await.unwrap();
            }
        }
    }

    pub fn keeper(&self, scratch: &Path) -> Keeper {
        let (pool, documents) = (self.pool().clone(), self.documents.clone());
        Keeper::new(pool, documents, scratch, self.terms.clone(), "test", CancellationToken::new())
    }

    /// Does what a worker does every day.
    pub async fn keep(&self) -> Report {
        let scratch = TempDir::new().unwrap();
        assert!(duties::take(self.pool(), DUTY, "test", TERM).await.unwrap());
        let report = self.keeper(scratch.path()).keep().await.unwrap();
        duties::done(self.pool(), DUTY, "test").await.unwrap();
        assert_eq!(std::fs::read_dir(scratch.path()).unwrap().count(), 0, "nothing is left behind");
        report
    }

    pub async fn count(&self, statement: &'static str) -> i64 {
        harness::records::count(self.pool(), statement).await
    }

    /// The ids of the runs in the database.
    pub async fn runs(&self) -> Vec<Uuid> {
        sqlx::query_scalar("SELECT run_id FROM verification_runs ORDER BY run_id").fetch_all(self.pool()).await.unwrap()
    }

    /// A table of a month's archive, as its manifest names it.
    pub async fn archived(&self, month: NaiveDate, table: &str) -> (Vec<Column>, Vec<Row>) {
        let scratch = TempDir::new().unwrap();
        let archive = Archive::new(self.documents.clone(), scratch.path());
        let manifest = archive.manifest(month).await.unwrap().expect("the month has an archive");
        let entry = &manifest.tables[table];
        let reader = TableReader::open(&archive.fetch(month, entry).await.unwrap(), None).unwrap();
        let columns = reader.columns().to_vec();
        let rows: Vec<Row> = reader.map(Result::unwrap).collect();
        assert_eq!((rows.len() as u64, &columns), (entry.rows, &entry.columns), "the manifest says what is there");
        (columns, rows)
    }

    /// The runs of a month's archive.
    pub async fn archived_runs(&self, month: NaiveDate) -> Vec<Uuid> {
        let (columns, rows) = self.archived(month, "verification_runs").await;
        let at = columns.iter().position(|column| column.name == "run_id").unwrap();
        let mut ids: Vec<Uuid> = rows.iter().map(|row| row[at].text().unwrap().parse().unwrap()).collect();
        ids.sort_unstable();
        ids
    }

    /// The files of a month's archive.
    pub fn archive_files(&self, month: NaiveDate) -> Vec<String> {
        let entries = std::fs::read_dir(self.store.path().join(folder(month))).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort_unstable();
        names
    }

    fn environment(&self) -> Environment {
        Environment::new()
            .with("DATABASE_URL", self.database.url())
            .with("STORAGE_URL", format!("file://{}", self.store.path().display()))
            .with("USER", "aigerim")
            .with("SUDO_USER", "")
    }

    /// The answer of a command.
    pub async fn told(&self, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let output = command_line(&arguments, &self.environment()).await.unwrap();
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Why a command refused.
    pub async fn refused(&self, arguments: &[&str]) -> String {
        command_line(arguments, &self.environment()).await.expect_err("it refuses").to_string()
    }
}

/// Rows by the text of their run's id, as `to_jsonb` has them in the database: to be held against what was archived.
pub fn by_name(columns: &[Column], row: &Row) -> BTreeMap<String, shared::archive::Cell> {
    columns.iter().map(|column| column.name.clone()).zip(row.iter().cloned()).collect()
}
