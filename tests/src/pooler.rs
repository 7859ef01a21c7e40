//! A real PgBouncer in transaction mode between the processes of a test and the database.

use std::fs::Permissions;
use std::net::Ipv4Addr;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sqlx::{Connection as _, PgConnection};
use tempfile::TempDir;
use url::Url;

use crate::binaries::free_port;
use crate::process::{Environment, Process};
use crate::until::until;

/// The running pooler; gone with the test.
#[derive(Debug)]
pub struct Pooler {
    process: Process,
    url: Url,
    _folder: TempDir,
}

impl Pooler {
    /// Before the server of this database, with so many connections to it for any number of clients.
    ///
    /// # Errors
    /// It is not installed or does not start.
    pub async fn before(database: &str, connections: usize) -> anyhow::Result<Self> {
        let server: Url = database.parse()?;
        let (folder, port) = (tempfile::tempdir()?, free_port()?);
        // It refuses to run as root and becomes the user that PostgreSQL is run by.
        std::fs::set_permissions(folder.path(), Permissions::from_mode(0o755))?;
        let file = folder.path().join("pgbouncer.ini");
        std::fs::write(&file, settings(&server, port, connections)?)?;
        std::fs::set_permissions(&file, Permissions::from_mode(0o644))?;
        let file = file.display().to_string();
        let arguments: &[&str] = if is_root() { &["-u", "postgres", &file] } else { &[&file] };
        let mut url = server.clone();
        url.set_port(Some(port)).ok().context("a database has a port")?;
        let process = Process::start(&program()?, arguments, &Environment::new(), &folder.path().join("log"))?;
        let pooler = Self { process, url, _folder: folder };
        until("answer of the pooler", async || PgConnection::connect(pooler.url()).await.ok()).await;
        Ok(pooler)
    }

    /// Where the database is through it.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }

    /// What it said.
    pub fn log(&self) -> String {
        self.process.log()
    }
}

fn settings(server: &Url, port: u16, connections: usize) -> anyhow::Result<String> {
    let host = server.host_str().context("a database has a host")?;
    let server_port = server.port().context("a database has a port")?;
    let (user, password) = (server.username(), server.password().unwrap_or_default());
    Ok(format!(
        "[databases]\n\
         * = host={host} port={server_port} user={user} password={password}\n\
         [pgbouncer]\n\
         listen_addr = {}\nlisten_port = {port}\nunix_socket_dir =\n\
         auth_type = any\n\
         pool_mode = transaction\ndefault_pool_size = {connections}\nmax_client_conn = 500\n\
         ignore_startup_parameters = extra_float_digits\n",
        Ipv4Addr::LOCALHOST
    ))
}

fn program() -> anyhow::Result<PathBuf> {
    ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer"]
        .iter()
        .map(PathBuf::from)
        .find(|path| Path::exists(path))
        .context("PgBouncer is not installed: deploy/local/install.sh --tests")
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}
