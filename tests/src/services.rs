//! The private PostgreSQL and RabbitMQ that `make test` starts: each test takes a database and a
//! queue prefix of its own from them, so that tests run in parallel and leave nothing behind.

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use lapin::options::{ExchangeDeleteOptions, QueueDeleteOptions};
use shared::store::Pool;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, PgConnection};
use url::Url;

/// Where the two services are.
#[derive(Clone, Debug)]
pub struct Services {
    /// Of a role that may create databases.
    pub database_url: Url,
    /// Of the broker.
    pub amqp_url: String,
}

impl Services {
    /// What `DATABASE_URL` and `AMQP_URL` say, else the checkout's `.local/env`.
    ///
    /// # Panics
    /// With one sentence where neither is there.
    pub fn get() -> &'static Self {
        static SERVICES: OnceLock<Services> = OnceLock::new();
        SERVICES.get_or_init(|| {
            let file = std::fs::read_to_string(checkout().join(".local/env")).unwrap_or_default();
            let setting = |name: &str| {
                std::env::var(name).ok().or_else(|| file_setting(&file, name)).unwrap_or_else(|| {
                    panic!("the tests need PostgreSQL and RabbitMQ ({name} is not set): run `make test`, or `make up` once before `cargo test`")
                })
            };
            Self {
                database_url: setting("DATABASE_URL").parse().expect("DATABASE_URL is a URL"),
                amqp_url: setting("AMQP_URL"),
            }
        })
    }
}

impl Services {
    /// The connection string of another database of the same server.
    pub fn database(&self, name: &str) -> Url {
        let mut url = self.database_url.clone();
        url.set_path(name);
        url
    }

    /// What a file that `deploy/local/up.sh` wrote says; `None` where something is missing.
    pub fn in_file(text: &str) -> Option<Self> {
        Some(Self {
            database_url: file_setting(text, "DATABASE_URL")?.parse().ok()?,
            amqp_url: file_setting(text, "AMQP_URL")?,
        })
    }
}

/// The checkout's folder, as it was when the tests were built.
pub fn checkout() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a folder of the checkout").to_owned()
}

/// The value of `name` in the text of a `NAME='value'` file.
pub fn file_setting(text: &str, name: &str) -> Option<String> {
    text.lines()
        .find_map(|line| line.strip_prefix(name)?.strip_prefix('='))
        .map(|value| value.trim().trim_matches('\'').to_owned())
}

/// A database of one test, migrated, dropped with it.
#[derive(Debug)]
pub struct Database {
    name: String,
    services: Services,
    url: Url,
    pool: Pool,
}

impl Database {
    /// A new database with every migration applied.
    ///
    /// The migrations run once into a template, kept for this build of the tests; a copy of it takes a
    /// fraction of the time.
    pub async fn fresh() -> Self {
        let services = Services::get();
        let mut admin = admin(services).await;
        let template = template(&mut admin).await;
        let name = new_name();
        execute(&mut admin, format!("CREATE DATABASE {name} TEMPLATE {template}")).await;
        Self::open(services, name).await
    }

    /// The same on other services than the checkout's, without a template.
    pub async fn fresh_on(services: &Services) -> Self {
        let name = new_name();
        execute(&mut admin(services).await, format!("CREATE DATABASE {name}")).await;
        migrate(&services.database(&name)).await;
        Self::open(services, name).await
    }

    async fn open(services: &Services, name: String) -> Self {
        let url = services.database(&name);
        let pool = PgPoolOptions::new()
            .max_connections(5)
            .connect(url.as_str())
            .await
            .expect("the new database accepts connections");
        Self { name, services: services.clone(), url, pool: pool.into() }
    }

    /// Its connection string, for a binary's `DATABASE_URL`.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// A small pool on it.
    pub fn pool(&self) -> &Pool {
        &self.pool
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        let (name, services) = (self.name.clone(), self.services.clone());
        // The test's own runtime may be ending: a thread with another one drops the database. What
        // cannot be dropped now (the server is gone) is, when the next template is made.
        in_a_runtime(async move {
            let Ok(mut admin) = try_admin(&services).await else {
                return;
            };
            let _ = sqlx::raw_sql(sqlx::AssertSqlSafe(format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)")))
                .execute(&mut admin)
                .await;
        });
    }
}

/// The queues of one test: a prefix for their names, and their end.
#[derive(Debug)]
pub struct Queues {
    prefix: String,
    own_policies: bool,
}

impl Queues {
    /// A prefix that nobody else has. The general policies hold for its queues; what they set aside
    /// goes to the exchange `rb-ocr.dead`.
    pub fn fresh() -> Self {
        Self { prefix: format!("t{}x{:08x}", std::process::id(), rand::random::<u32>()), own_policies: false }
    }

    /// The same with policies of their own, so that what is set aside goes to the prefix's own
    /// dead-letter exchange. It takes seconds: for tests of dead letters only.
    pub fn with_dead_letters() -> Self {
        let mut queues = Self::fresh();
        policies(&[&queues.prefix]).expect("the private broker takes the policies: is it up (`make up`)?");
        queues.own_policies = true;
        queues
    }

    /// What stands for `rb-ocr` in the names of queues and exchanges.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }
}

fn policies(arguments: &[&str]) -> std::io::Result<()> {
    let script = checkout().join("deploy/local/policies.sh");
    let output = std::process::Command::new(script).args(arguments).output()?;
    if output.status.success() {
        return Ok(());
    }
    Err(std::io::Error::other(String::from_utf8_lossy(&output.stderr).into_owned()))
}

impl Drop for Queues {
    fn drop(&mut self) {
        if self.own_policies {
            // What stays of a policy matches no other prefix.
            let _ = policies(&[&self.prefix, "--clear"]);
        }
        let prefix = self.prefix.clone();
        in_a_runtime(async move {
            let Ok(connection) =
                lapin::Connection::connect(&Services::get().amqp_url, lapin::ConnectionProperties::default()).await
            else {
                return;
            };
            if let Ok(channel) = connection.create_channel().await {
                for queue in ["runs.high", "runs.normal", "callbacks", "erase", "dead"] {
                    let name = format!("{prefix}.{queue}");
                    let _ = channel.queue_delete(name.as_str().into(), QueueDeleteOptions::default()).await;
                }
                for exchange in ["dead", "events"] {
                    let name = format!("{prefix}.{exchange}");
                    let _ = channel.exchange_delete(name.as_str().into(), ExchangeDeleteOptions::default()).await;
                }
            }
            let _ = connection.close(200, "the test has ended".into()).await;
        });
    }
}

fn in_a_runtime(work: impl Future<Output = ()> + Send + 'static) {
    let thread = std::thread::spawn(move || {
        if let Ok(runtime) = tokio::runtime::Builder::new_current_thread().enable_all().build() {
            let limit = std::time::Duration::from_secs(20);
            let _ = runtime.block_on(async { tokio::time::timeout(limit, work).await });
        }
    });
    let _ = thread.join();
}

fn new_name() -> String {
    format!("rb_ocr_test_{}_{:08x}", std::process::id(), rand::random::<u32>())
}

async fn try_admin(services: &Services) -> sqlx::Result<PgConnection> {
    let options: PgConnectOptions = services.database_url.as_str().parse()?;
    options.connect().await
}

async fn admin(services: &Services) -> PgConnection {
    try_admin(services)
        .await
        .expect("the private PostgreSQL does not answer: run `make test`, or `make up` once before `cargo test`")
}

async fn execute(connection: &mut PgConnection, statement: String) {
    sqlx::raw_sql(sqlx::AssertSqlSafe(statement.as_str()))
        .execute(connection)
        .await
        .unwrap_or_else(|error| panic!("`{statement}`: {error}"));
}

/// The name of a migrated database to copy, made by whichever test comes first.
async fn template(admin: &mut PgConnection) -> String {
    static TEMPLATE: tokio::sync::OnceCell<String> = tokio::sync::OnceCell::const_new();
    TEMPLATE.get_or_init(|| make_template(admin)).await.clone()
}

/// One test executable at a time looks and makes: the lock is the session's and goes with it.
const TEMPLATE_LOCK: i64 = 0x7262_6f63_7274;

async fn make_template(admin: &mut PgConnection) -> String {
    sqlx::query("SELECT pg_advisory_lock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut *admin)
        .await
        .expect("the lock is free soon");
    let month: String = sqlx::query_scalar("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
        .fetch_one(&mut *admin)
        .await
        .expect("the database knows the month");
    let name = format!("rb_ocr_template_{month}_{:016x}", schema());
    let databases: Vec<String> =
        sqlx::query_scalar("SELECT datname::text FROM pg_database WHERE datname LIKE 'rb\\_ocr\\_te%'")
            .fetch_all(&mut *admin)
            .await
            .expect("the databases can be listed");
    if !databases.contains(&name) {
        for left in databases.iter().filter(|database| abandoned(database)) {
            execute(admin, format!("DROP DATABASE IF EXISTS {left} WITH (FORCE)")).await;
        }
        let unfinished = format!("rb_ocr_test_{}_template", std::process::id());
        execute(admin, format!("CREATE DATABASE {unfinished}")).await;
        migrate(&Services::get().database(&unfinished)).await;
        execute(admin, format!("ALTER DATABASE {unfinished} RENAME TO {name}")).await;
    }
    sqlx::query("SELECT pg_advisory_unlock($1)")
        .bind(TEMPLATE_LOCK)
        .execute(&mut *admin)
        .await
        .expect("the lock is ours");
    name
}

/// A template of another schema or month, or the database of a test process that is gone.
fn abandoned(database: &str) -> bool {
    match database.strip_prefix("rb_ocr_test_").and_then(|rest| rest.split('_').next()) {
        Some(process) => !Path::new("/proc").join(process).exists(),
        None => true,
    }
}

/// Tells schemas apart: all test executables with the same migrations share a template.
fn schema() -> u64 {
    let mut hash = DefaultHasher::new();
    for step in shared::store::MIGRATIONS.iter() {
        (step.version, &step.checksum).hash(&mut hash);
    }
    hash.finish()
}

async fn migrate(url: &Url) {
    let connected = PgPoolOptions::new().max_connections(1).connect(url.as_str()).await;
    let pool = Pool::from(connected.expect("the new database accepts connections"));
    shared::store::migrate(&pool).await.expect("the migrations apply");
    shared::store::months::make_ahead(&pool).await.expect("the months ahead can be made");
    pool.close().await;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_by_its_whole_name() {
        let text = "DATABASE_URL_X='a'\nDATABASE_URL='postgres://h/d?x=y'\n";
        assert_eq!(file_setting(text, "DATABASE_URL").as_deref(), Some("postgres://h/d?x=y"));
        assert_eq!(file_setting(text, "AMQP_URL"), None);
    }

    #[test]
    fn the_database_of_a_living_test_is_not_abandoned() {
        assert!(!abandoned(&format!("rb_ocr_test_{}_0a", std::process::id())));
        assert!(abandoned("rb_ocr_test_4194305_0a"), "no process has an id over the kernel's largest");
        assert!(abandoned("rb_ocr_template_00"));
    }

    #[tokio::test]
    async fn a_fresh_database_goes_with_its_test() {
        let database = Database::fresh().await;
        let name = database.name.clone();
        sqlx::raw_sql("CREATE TABLE mine (id int)").execute(database.pool()).await.expect("the database is ours");
        let other = Database::fresh().await;
        let found: Option<String> =
            sqlx::query_scalar("SELECT to_regclass('mine')::text").fetch_one(other.pool()).await.expect("answers");
        assert_eq!(found, None);
        drop(database);
        let left: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_database WHERE datname = $1")
            .bind(name)
            .fetch_one(other.pool())
            .await
            .expect("the databases can be listed");
        assert_eq!(left, 0);
    }
}
