//! The whole system of one test: real apis and workers with a database, queues, a document store and a
//! temporary folder of their own.

use std::path::{Path, PathBuf};

use serde_json::Value;
use tempfile::TempDir;

use crate::binaries::{self, Server, command_line};
use crate::caller::Caller;
use crate::pooler::Pooler;
use crate::process::Environment;
use crate::services::{Database, Queues, Services};

/// What is started.
#[derive(Clone, Debug)]
pub struct Plan {
    services: Option<Services>,
    apis: usize,
    workers: usize,
    settings: Environment,
    pooled: Option<usize>,
}

/// The running system; gone with the test. Processes are public, to be signalled and killed.
#[derive(Debug)]
pub struct Stack {
    /// Its apis.
    pub apis: Vec<Server>,
    /// Its workers.
    pub workers: Vec<Server>,
    database: Database,
    environment: Environment,
    folder: TempDir,
    /// Processes that were started: each has a log of its own.
    started: usize,
    /// Between its processes and the database.
    pub pooler: Option<Pooler>,
    // Last: queues can be deleted when nobody consumes them.
    _queues: Queues,
}

impl Plan {
    /// On these services instead of the checkout's.
    #[must_use]
    pub fn on(mut self, services: &Services) -> Self {
        self.services = Some(services.clone());
        self
    }

    /// So many apis instead of one.
    #[must_use]
    pub fn apis(mut self, count: usize) -> Self {
        self.apis = count;
        self
    }

    /// So many workers instead of one.
    #[must_use]
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// Behind PgBouncer in transaction mode, which has so many connections to the database.
    #[must_use]
    pub fn pooled(mut self, connections: usize) -> Self {
        self.pooled = Some(connections);
        self
    }

    /// With a setting of every process.
    #[must_use]
    pub fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        self.settings = self.settings.with(name, value);
        self
    }

    /// Documents are read by this OCR service.
    #[must_use]
    pub fn ocr(self, base_url: impl Into<String>) -> Self {
        self.set("OCR_ENGINE", "http").set("OCR_BASE_URL", base_url)
    }

    /// Documents are analysed by this model.
    #[must_use]
    pub fn llm(self, base_url: impl Into<String>) -> Self {
        self.set("ANALYZER", "llm").set("LLM_BASE_URL", base_url).set("LLM_MODEL", "stand-in")
    }

    /// Starts all and waits until they are ready.
    ///
    /// # Panics
    /// Where that does not succeed.
    pub async fn start(self) -> Stack {
        let (database, queues) = match &self.services {
            Some(services) => (Database::fresh_on(services).await, Queues::fresh()),
            None => (Database::fresh().await, Queues::fresh()),
        };
        let folder = tempfile::tempdir().expect("a folder");
        for name in ["documents", "tmp"] {
            std::fs::create_dir(folder.path().join(name)).expect("a folder can be made");
        }
        let mut environment = binaries::environment(&database, &queues, &folder.path().join("documents"))
            .with("TMPDIR", folder.path().join("tmp").display().to_string())
            .with("CALLBACK_ALLOW_HOSTS", "127.0.0.1");
        if let Some(services) = &self.services {
            environment = environment.with("AMQP_URL", services.amqp_url.as_str());
        }
        let pooler = match self.pooled {
            Some(connections) => Some(Pooler::before(database.url(), connections).await.expect("a pooler starts")),
            None => None,
        };
        if let Some(pooler) = &pooler {
            environment = environment
                .with("DATABASE_URL", pooler.url())
                .with("DATABASE_POOLED", "1")
                .with("DATABASE_DIRECT_URL", database.url());
        }
        for (name, value) in self.settings.iter() {
            environment = environment.with(name, value);
        }
        let mut stack = Stack {
            apis: Vec::new(),
            workers: Vec::new(),
            database,
            environment,
            folder,
            started: 0,
            pooler,
            _queues: queues,
        };
        for _ in 0..self.apis {
            stack.add_api().await;
        }
        for _ in 0..self.workers {
            stack.add_worker().await;
        }
        stack
    }
}

impl Stack {
    /// One api, one worker, short pauses, a rate that no test reaches.
    pub fn plan() -> Plan {
        // A caller that tries again at once while a service is away would soon be over the usual rate.
        let settings = Environment::new()
            .with("RETRY_PAUSES", "1s,1s")
            .with("CALLBACK_PAUSES", "1s,1s")
            .with("RATE_LIMIT", "100000/60");
        Plan { services: None, apis: 1, workers: 1, settings, pooled: None }
    }

    /// [`Stack::plan`], started.
    pub async fn start() -> Self {
        Self::plan().start().await
    }

    /// One more api, ready.
    pub async fn add_api(&mut self) {
        let log = self.log("api");
        self.apis.push(Server::api(&self.environment, &log).await.expect("an api starts"));
    }

    /// One more worker, ready.
    pub async fn add_worker(&mut self) {
        let log = self.log("worker");
        self.workers.push(Server::worker(&self.environment, &log).await.expect("a worker starts"));
    }

    /// One more api that is not waited for.
    pub fn spawn_api(&mut self) {
        let log = self.log("api");
        let api = Server::start("rb-ocr-api", "API_LISTEN", &self.environment, &log);
        self.apis.push(api.expect("an api can be started"));
    }

    /// The same api again, on its port, after it has ended; not waited for.
    pub fn respawn_api(&mut self, number: usize) {
        let address = self.apis[number].address.to_string();
        let environment = self.environment.clone().with("API_LISTEN", address);
        let log = self.log("api");
        let api = Server::start("rb-ocr-api", "API_LISTEN", &environment, &log);
        self.apis[number] = api.expect("an api can be started");
    }

    /// One more worker that is not waited for.
    pub fn spawn_worker(&mut self) {
        let log = self.log("worker");
        let worker = Server::start("rb-ocr-worker", "WORKER_LISTEN", &self.environment, &log);
        self.workers.push(worker.expect("a worker can be started"));
    }

    /// A new client, or another key of one that there is, and its callback secret if it is new.
    pub async fn client(&self, name: &str, scopes: &str) -> (Caller, Option<String>) {
        let made = self.rb_ocr(&["keys", "create", "--name", name, "--scopes", scopes]).await;
        let key = made["key"].as_str().expect("a key");
        (Caller::new(&self.apis[0].url(), key), made["callback_secret"].as_str().map(str::to_owned))
    }

    /// A client `bank` that may do everything with its runs.
    pub async fn bank(&self) -> Caller {
        self.client("bank", "submit,read,admin").await.0
    }

    /// What the command line answers.
    pub async fn rb_ocr(&self, arguments: &[&str]) -> Value {
        self.rb_ocr_as("", arguments).await
    }

    /// The same for a caller of the api with this key.
    pub async fn rb_ocr_as(&self, key: &str, arguments: &[&str]) -> Value {
        let arguments: Vec<&str> = arguments.iter().copied().chain(["--json"]).collect();
        let output = command_line(&arguments, &self.environment_of(key)).await.expect("the command succeeds");
        serde_json::from_slice(&output.stdout).expect("it answers JSON")
    }

    /// Why a command fails for a caller of the api with this key.
    pub async fn rb_ocr_fails(&self, key: &str, arguments: &[&str]) -> String {
        command_line(arguments, &self.environment_of(key)).await.expect_err("the command fails").to_string()
    }

    /// The settings of its processes, for commands of one's own.
    pub fn environment(&self) -> Environment {
        self.environment.clone()
    }

    fn environment_of(&self, key: &str) -> Environment {
        let environment = self.environment.clone().with("RB_OCR_KEY", key);
        match self.apis.first() {
            Some(api) => environment.with("RB_OCR_URL", api.url()),
            None => environment,
        }
    }

    /// Its database, to look at.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// Rows of a table.
    pub async fn count(&self, table: &str) -> i64 {
        let query = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        sqlx::query_scalar(query).fetch_one(self.database.pool()).await.expect("rows can be counted")
    }

    /// The folder of the document store.
    pub fn documents(&self) -> PathBuf {
        self.folder.path().join("documents")
    }

    /// Files in the document store.
    pub fn stored(&self) -> usize {
        files(&self.documents())
    }

    /// Files in the processes' temporary folder.
    pub fn temporary(&self) -> usize {
        files(&self.folder.path().join("tmp"))
    }

    fn log(&mut self, name: &str) -> PathBuf {
        self.started += 1;
        self.folder.path().join(format!("{name}-{}.log", self.started))
    }
}

fn files(folder: &Path) -> usize {
    // What goes away while it is counted is gone.
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let entries = entries.flatten().map(|entry| entry.path());
    entries.map(|path| if path.is_dir() { files(&path) } else { 1 }).sum()
}
