//! An api in this process, on a port of its own.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::StoreAnswer;
use api::backlog::Backlog;
use api::key_cache::KeyCache;
use api::live::Hub;
use api::rate_limit::RateLimiter;
use api::reads::Reads;
use api::state::{App, AppState, Rules};
use harness::services::Database;
use reqwest::multipart::{Form, Part};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::{Value, json};
use shared::access::{Scope, key_hash, make_key, shown_letters};
use shared::budgets::Budgets;
use shared::clock::DatabaseClock;
use shared::documents::Documents;
use shared::paused::Paused;
use shared::relay::RelayHandle;
use shared::secrets::ValueHasher;
use shared::settings::Settings;
use shared::store::search::Slots;
use shared::store::{Pool, api_keys, clients};
use shared::telemetry::Metrics;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub const PDF: &[u8] = b"%PDF-1.4\n1 0 obj << >> endobj\ntrailer << >>\n%%EOF\n";

pub struct Service {
    pub app: App,
    pub url: String,
    pub folder: tempfile::TempDir,
    pub http: reqwest::Client,
    stopping: CancellationToken,
    database: Arc<Database>,
}

/// A client with a key of these scopes.
pub struct Key {
    pub client_id: Uuid,
    pub key_id: Uuid,
    pub key: String,
}

impl Service {
    pub async fn start() -> Self {
        Self::start_with(&[]).await
    }

    pub async fn start_with(settings: &[(&str, &str)]) -> Self {
        Self::on(Arc::new(Database::fresh().await), settings).await
    }

    /// Another api on the same database, with a document store of its own.
    pub async fn another(&self, settings: &[(&str, &str)]) -> Self {
        Self::on(Arc::clone(&self.database), settings).await
    }

    async fn on(database: Arc<Database>, settings: &[(&str, &str)]) -> Self {
        shared::tls::install();
        let folder = tempfile::tempdir().expect("a folder");
        let storage = format!("file://{}", folder.path().display());
        let own = [("DATABASE_URL", database.url()), ("STORAGE_URL", storage.as_str()), ("DATABASE_CONNECTIONS", "5")];
        let given: Vec<(String, String)> =
            own.iter().chain(settings).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let settings =
            Settings::read(&|name| given.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.clone()));
        let settings = settings.expect("good settings");
        let pool = database.pool().clone();
        let clock = DatabaseClock::default();
        clock.measure(&pool).await.expect("the database is there");
        let stopping = CancellationToken::new();
        let app = Arc::new(AppState {
            read_pool: pool.clone(),
            pool,
            searches: Slots::of(settings.database.connections),
            documents: Documents::open(&settings.storage_url).expect("a store"),
            clock,
            relay: RelayHandle::default(),
            hub: Arc::new(Hub::default()),
            keys: KeyCache::default(),
            rate: RateLimiter::default(),
            budgets: Budgets::default(),
            reads: Reads::default(),
            searched: settings.secrets_key.as_ref().map(ValueHasher::new),
            backlog: Arc::new(Backlog::new(settings.limits.backlog_max)),
            tell: Box::new(|_| {}),
            metrics: Metrics::default(),
            broker_is_up: Box::new(|| false),
            store_answer: StoreAnswer::default(),
            paused: Paused::default(),
            comment_every: Duration::from_millis(500),
            rules: Rules::from(&settings),
            stopping: stopping.clone(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let router = api::router(Arc::clone(&app));
        tokio::spawn(api::server::serve(listener, router, stopping.clone(), Duration::from_secs(5)));
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { app, url, folder, http, stopping, database }
    }

    pub fn pool(&self) -> &Pool {
        &self.app.pool
    }

    /// A new client of this name (or the one there is) and a key.
    pub async fn key(&self, client: &str, scopes: &[Scope]) -> Key {
        let (client_id, _) = clients::ensure(self.pool(), Uuid::new_v4(), client).await.expect("a client");
        let (key, key_id) = (make_key(rand::random()), Uuid::new_v4());
        let key = key.expose().to_owned();
        api_keys::add(self.pool(), key_id, client_id, &key_hash(&key), shown_letters(&key), scopes)
            .await
            .expect("a key");
        Key { client_id, key_id, key }
    }

    /// A key that may do everything with its own runs.
    pub async fn bank(&self) -> Key {
        self.key("bank", &[Scope::Read, Scope::Submit, Scope::Admin]).await
    }

    pub fn get(&self, key: &Key, path: &str) -> RequestBuilder {
        self.http.get(format!("{}{path}", self.url)).bearer_auth(&key.key)
    }

    pub fn post(&self, key: &Key, path: &str) -> RequestBuilder {
        self.http.post(format!("{}{path}", self.url)).bearer_auth(&key.key)
    }

    pub fn delete(&self, key: &Key, path: &str) -> RequestBuilder {
        self.http.delete(format!("{}{path}", self.url)).bearer_auth(&key.key)
    }

    pub fn submission(&self, key: &Key, form: Form) -> RequestBuilder {
        self.post(key, "/v1/runs").multipart(form)
    }

    /// Submits a good document; answers the run's id.
    pub async fn submit(&self, key: &Key) -> Uuid {
        let answer = self.submission(key, good()).send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::ACCEPTED);
        run_id(&json_of(answer).await)
    }

    /// Every file in the document store.
    pub fn stored(&self) -> usize {
        files(self.folder.path())
    }

    pub async fn count(&self, table: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(query).fetch_one(self.pool()).await.expect("a count")
    }

    pub async fn execute(&self, sql: &str, run_id: Uuid) {
        sqlx::query(sqlx::AssertSqlSafe(sql.to_owned())).bind(run_id).execute(self.pool()).await.expect("is executed");
    }

    /// Ends a run as a worker would, with a verdict.
    pub async fn succeed(&self, run_id: Uuid) {
        self.execute("DELETE FROM jobs WHERE run_id = $1 AND kind = 'run'", run_id).await;
        self.execute(
            "UPDATE verification_runs SET status = 'success', stage = 'done', completed_at = now(), verdict = false,
                error_code = 'FIO_MISMATCH', attempts = 1, page_count = 1, single_doc_type = true, doc_type_known = true,
                validation_checks = '{\"fio_match\": false, \"doc_type_known\": true, \"doc_date_valid\": true, \"single_doc_type\": true}'
             WHERE run_id = $1",
            run_id,
        )
        .await;
        self.execute("INSERT INTO verification_errors VALUES ($1, 1, 4, 'FIO_MISMATCH', 'not the same')", run_id).await;
        self.execute(
            "INSERT INTO ocr_pages VALUES ($1, 1, 1, 'Справка о неполучении доходов', 0.9, 'tesseract', 'pages/' || $1::text)",
            run_id,
        )
        .await;
    }

    /// Ends a run as a worker would, with this error.
    pub async fn fail(&self, run_id: Uuid, code: &str, int_code: i32) {
        self.execute("DELETE FROM jobs WHERE run_id = $1 AND kind = 'run'", run_id).await;
        let sql = format!(
            "UPDATE verification_runs SET status = 'error', stage = 'done', completed_at = now(), attempts = 5,
                error_code = '{code}' WHERE run_id = $1"
        );
        self.execute(&sql, run_id).await;
        let sql = format!(
            "INSERT INTO verification_errors SELECT run_id, generation, {int_code}, '{code}', 'failed'
             FROM verification_runs WHERE run_id = $1"
        );
        self.execute(&sql, run_id).await;
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.stopping.cancel();
    }
}

/// A form that is good.
pub fn good() -> Form {
    Form::new().text("fio", "Иванов Иван Иванович").part("file", file(PDF))
}

pub fn file(bytes: &'static [u8]) -> Part {
    Part::bytes(bytes).file_name("приказ.pdf")
}

pub async fn json_of(answer: Response) -> Value {
    let text = answer.text().await.expect("a body");
    serde_json::from_str(&text).unwrap_or_else(|_| panic!("no JSON: {text}"))
}

pub fn run_id(run: &Value) -> Uuid {
    run["run_id"].as_str().expect("a run_id").parse().expect("an id")
}

/// The code of a problem, which must be a whole one.
pub async fn problem(answer: Response) -> (u16, String) {
    let status = answer.status().as_u16();
    assert_eq!(answer.headers()["content-type"], "application/problem+json");
    let body = json_of(answer).await;
    assert_eq!(body["status"], json!(status));
    let trace_id = body["trace_id"].as_str().expect("a trace_id");
    assert!(trace_id.len() == 32 && body["detail"].is_string(), "{body}");
    (status, body["code"].as_str().expect("a code").to_owned())
}

fn files(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}
