//! Settings: environment variables, read once at start, checked together, all faults reported at
//! once. Every one has its line in [`TABLE`], which the README's table is compared with.

mod fault;
mod reader;
mod services;
mod table;
mod timing;
mod value;

pub use fault::{Fault, Faults};
pub use reader::Reader;
pub use services::{AnalyzerKind, Callbacks, Llm, Ocr, OcrEngineKind, Price, Prices, ResponseFormat};
pub use table::{Setting, TABLE};
pub use timing::{Limits, RateLimit, Retention, Timing};
pub use value::{Allowed, Secret, duration};

use std::net::SocketAddr;

use chrono::NaiveDate;
use chrono_tz::Tz;

use crate::domain::terms::Terms;

/// Everything a process of RB-OCR can be told.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `RB_OCR_ENV=production`: what is for development only is refused.
    pub production: bool,
    /// Where PostgreSQL is.
    pub database: Database,
    /// `AMQP_URL`.
    pub amqp_url: Secret,
    /// `QUEUE_PREFIX`: what the names of queues and exchanges begin with.
    pub queue_prefix: String,
    /// `STORAGE_URL`.
    pub storage_url: String,
    /// `ARTIFACTS_DIR`; none: runs are not written into files.
    pub artifacts_dir: Option<std::path::PathBuf>,
    /// `API_LISTEN`.
    pub api_listen: SocketAddr,
    /// `TRUSTED_PROXIES`.
    pub trusted_proxies: Vec<ipnet::IpNet>,
    /// `WORKER_LISTEN`; none: the worker serves no HTTP.
    pub worker_listen: Option<SocketAddr>,
    /// `WORKER_CONCURRENCY`: runs in progress at once in a worker, 2 at least.
    pub worker_concurrency: usize,
    /// `OCR_…`
    pub ocr: Ocr,
    /// `ANALYZER`, `LLM_…`
    pub llm: Llm,
    /// `CALLBACK_…`
    pub callbacks: Callbacks,
    /// Leases, pauses, budgets.
    pub timing: Timing,
    /// What is refused.
    pub limits: Limits,
    /// `RETENTION_…`
    pub retention: Retention,
    /// `TIME_ZONE`: where "today" is.
    pub time_zone: Tz,
    /// `JUDGE_AS_OF`: a date that stands for today.
    pub judge_as_of: Option<NaiveDate>,
    /// `SECRETS_KEY`: 32 bytes that encrypt what is kept at rest; none: clients' secrets cannot be used.
    pub secrets_key: Option<SecretsKey>,
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`.
    pub otlp_endpoint: Option<String>,
}

/// Where PostgreSQL is and how it is used.
#[derive(Clone, Debug)]
pub struct Database {
    /// `DATABASE_URL`.
    pub url: Secret,
    /// `DATABASE_READ_URL`: searches and statistics.
    pub read_url: Option<Secret>,
    /// `DATABASE_DIRECT_URL`: migrations, past a pooler.
    pub direct_url: Option<Secret>,
    /// `DATABASE_POOLED`: behind PgBouncer in transaction mode.
    pub pooled: bool,
    /// `DATABASE_CONNECTIONS`: of one process, at most.
    pub connections: u32,
}

/// The key that encrypts secrets at rest.
#[derive(Clone)]
pub struct SecretsKey(pub [u8; 32]);

impl std::fmt::Debug for SecretsKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SecretsKey(…)")
    }
}

impl Settings {
    /// From the environment and a `.env` file beside (the environment wins).
    ///
    /// # Errors
    /// Every setting that is wrong, and every two that do not agree.
    pub fn from_env() -> Result<Self, Faults> {
        let file = dotenvy::dotenv();
        let read = Self::read(&|name| std::env::var(name).ok());
        match file {
            // What follows the line that cannot be read would be lost without a word. The line may hold a secret.
            Err(error) if !error.not_found() => {
                let problem = match error {
                    dotenvy::Error::LineParse(..) => "holds a line that is no NAME=value".to_owned(),
                    other => format!("cannot be read: {other}"),
                };
                let mut faults = read.err().unwrap_or(Faults(Vec::new()));
                faults.0.insert(0, Fault { name: ".env".to_owned(), problem });
                Err(faults)
            }
            _ => read,
        }
    }

    /// From any source of values, so that tests need no environment.
    ///
    /// # Errors
    /// Every setting that is wrong, and every two that do not agree.
    pub fn read(source: &dyn Fn(&str) -> Option<String>) -> Result<Self, Faults> {
        let mut reader = Reader::new(source);
        let settings = Self {
            production: reader.is("RB_OCR_ENV", "production"),
            database: Database {
                url: reader.required("DATABASE_URL", value::postgres_url),
                read_url: reader.optional("DATABASE_READ_URL", value::postgres_url),
                direct_url: reader.optional("DATABASE_DIRECT_URL", value::postgres_url),
                pooled: reader.required("DATABASE_POOLED", value::flag),
                connections: reader.required("DATABASE_CONNECTIONS", value::number_in(2..=500)) as u32,
            },
            amqp_url: reader.required("AMQP_URL", value::amqp_url),
            queue_prefix: reader.required("QUEUE_PREFIX", value::queue_prefix),
            storage_url: reader.required("STORAGE_URL", value::storage_url),
            artifacts_dir: reader.optional("ARTIFACTS_DIR", value::folder),
            api_listen: reader.required("API_LISTEN", value::parsed),
            trusted_proxies: reader.required("TRUSTED_PROXIES", value::subnets),
            worker_listen: reader.optional("WORKER_LISTEN", value::parsed),
            worker_concurrency: reader.required("WORKER_CONCURRENCY", value::number_in(2..=4096)),
            ocr: Ocr::read(&mut reader),
            llm: Llm::read(&mut reader),
            callbacks: Callbacks::read(&mut reader),
            timing: Timing::read(&mut reader),
            limits: Limits::read(&mut reader),
            retention: Retention::read(&mut reader),
            time_zone: reader.required("TIME_ZONE", value::parsed),
            judge_as_of: reader.optional("JUDGE_AS_OF", value::parsed),
            secrets_key: reader.optional("SECRETS_KEY", value::secrets_key),
            otlp_endpoint: reader
                .optional("OTEL_EXPORTER_OTLP_ENDPOINT", |value| value::base_url(value).map(|_| value.to_owned())),
        };
        if settings.judge_as_of.is_some() && settings.production {
            reader.disagree(
                "JUDGE_AS_OF",
                "is refused with RB_OCR_ENV=production: it would judge by a date that is not today",
            );
        }
        settings.check_connections(&mut reader);
        settings.timing.check(&mut reader);
        settings.llm.check(&mut reader);
        settings.ocr.check(&mut reader);
        reader.finish(settings)
    }

    /// How long things are kept, by whose days.
    #[must_use]
    pub fn terms(&self) -> Terms {
        let Retention { success, error, document, audit } = self.retention;
        Terms { success, error, document, audit, zone: self.time_zone }
    }

    /// Work waits for outside most of its time, and a statement takes milliseconds. But with too few connections
    /// for all that is in progress, leases are not renewed in time.
    fn check_connections(&self, reader: &mut Reader<'_>) {
        const FOR_ONE: usize = 64;
        let needed = (self.worker_concurrency + self.callbacks.concurrency).div_ceil(FOR_ONE);
        if (self.database.connections as usize) < needed {
            let problem =
                format!("must be {needed} at least for WORKER_CONCURRENCY and CALLBACK_CONCURRENCY as they are");
            reader.disagree("DATABASE_CONNECTIONS", &problem);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(given: &[(&str, &str)]) -> Result<Settings, Faults> {
        let given: Vec<(String, String)> = given.iter().map(|(k, v)| ((*k).into(), (*v).into())).collect();
        Settings::read(&move |name| given.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone()))
    }

    #[test]
    fn nothing_has_to_be_set() {
        let settings = read(&[]).expect("the defaults are good");
        assert_eq!(settings.time_zone, chrono_tz::Asia::Almaty);
        assert_eq!(settings.timing.retry_pauses.len(), 4);
        assert_eq!(settings.callbacks.pauses.len(), 9);
    }

    #[test]
    fn all_faults_are_reported_at_once_by_name() {
        let faults = read(&[("LEASE_SECONDS", "soon"), ("TIME_ZONE", "Mars"), ("STORAGE_URL", "ftp://x")])
            .expect_err("three are wrong")
            .to_string();
        for name in ["LEASE_SECONDS", "TIME_ZONE", "STORAGE_URL"] {
            assert!(faults.contains(name), "{name} is missing in: {faults}");
        }
    }

    #[test]
    fn an_address_of_another_kind_is_told_and_not_shown() {
        let given = ["DATABASE_URL", "DATABASE_READ_URL", "AMQP_URL", "OTEL_EXPORTER_OTLP_ENDPOINT"];
        for wrong in ["hidden", "mysql://u:hidden@h/x", "postgres//h"] {
            let given: Vec<_> = given.iter().map(|name| (*name, wrong)).collect();
            let faults = read(&given).expect_err("all are wrong");
            assert_eq!(faults.0.len(), 4, "{faults}");
            assert!(!faults.to_string().contains("hidden"), "{faults}");
        }
        assert!(read(&[("STORAGE_URL", "s3:///prefix")]).is_err(), "there is no bucket");
        assert!(read(&[("DATABASE_URL", "postgresql://h/x"), ("AMQP_URL", "amqps://h")]).is_ok());
    }

    #[test]
    fn a_judging_date_is_refused_in_production() {
        let date = ("JUDGE_AS_OF", "2026-11-22");
        assert!(read(&[date]).is_ok());
        assert!(read(&[date, ("RB_OCR_ENV", "production")]).is_err());
    }

    #[test]
    fn settings_that_do_not_agree_are_reported_together() {
        let faults = read(&[
            ("LEASE_SECONDS", "60s"),
            ("RUN_WORK_BUDGET", "50s"),
            ("RUN_MAX_AGE", "40s"),
            ("SHUTDOWN_SECONDS", "0s"),
            ("WORKER_CONCURRENCY", "4000"),
        ]);
        let Faults(faults) = faults.expect_err("four do not agree");
        let names: Vec<&str> = faults.iter().map(|fault| fault.name.as_str()).collect();
        assert_eq!(names, ["DATABASE_CONNECTIONS", "SHUTDOWN_SECONDS", "RUN_WORK_BUDGET", "RUN_MAX_AGE"]);
    }

    #[test]
    fn what_is_possible_and_may_not_be_meant_is_doubted() {
        let doubts = |given: &[(&str, &str)]| read(given).expect("it is possible").timing.doubts().len();
        assert_eq!(doubts(&[]), 0);
        assert_eq!(doubts(&[("RUN_MAX_AGE", "12m"), ("RUN_WORK_BUDGET", "10m")]), 1);
        assert_eq!(doubts(&[("RUN_WORK_BUDGET", "30m")]), 1);
    }

    #[test]
    fn a_remote_engine_needs_its_address() {
        assert!(read(&[("OCR_ENGINE", "http")]).is_err());
        assert!(read(&[("OCR_ENGINE", "http"), ("OCR_BASE_URL", "http://ocr.internal")]).is_ok());
        assert!(read(&[("ANALYZER", "llm")]).is_err());
    }

    #[test]
    fn secrets_are_not_shown() {
        let settings = read(&[("AMQP_URL", "amqp://u:hidden@h/%2f"), ("LLM_API_KEY", "hidden")]).expect("good");
        assert!(!format!("{settings:?}").contains("hidden"));
    }
}
