//! Every metric of the api and the worker, in OpenMetrics text. A process counts what it does itself;
//! what all share (jobs by state) is set by whoever has upkeep's duty.

use std::fmt;
use std::sync::atomic::AtomicU64;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::{MetricType, TypedMetric};
use prometheus_client::registry::{Registry, Unit};

use super::labels::{Breaker, OutsideCall, Relayed, method_label};
use crate::domain::{ErrorCode, Stage, Status};
use crate::store::Pool;

/// What [`Metrics::encode`] writes.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Labels<const N: usize> = [(&'static str, &'static str); N];
type Counters<const N: usize> = Family<Labels<N>, Counter>;
type Gauges<const N: usize> = Family<Labels<N>, Gauge>;
type FloatGauges = Family<Labels<1>, Gauge<f64, AtomicU64>>;
type Durations<const N: usize> = Family<Labels<N>, Histogram, Buckets>;
/// The route's template is the one label that is not static: it is the router's, never the client's.
type RouteLabels = ([(&'static str, Arc<str>); 1], Labels<2>);

/// Upper bounds in seconds.
#[derive(Clone, Copy, Debug)]
struct Buckets(&'static [f64]);

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(self.0.iter().copied())
    }
}

/// Requests, calls, waits: from a millisecond to a minute.
const SHORT: Buckets = Buckets(&[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 15.0, 60.0]);
/// Stages and runs: from ten milliseconds to an hour.
const LONG: Buckets =
    Buckets(&[0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0]);

/// What a metric is, whether anything was counted for it or not: an empty one is not written.
#[derive(Clone, Copy, Debug)]
pub struct Described {
    /// The family's name, with its unit.
    pub name: &'static str,
    /// Counter, gauge or histogram.
    pub kind: MetricType,
    /// What it says.
    pub help: &'static str,
}

impl Described {
    /// The name that its samples have.
    pub fn sample_name(&self) -> String {
        let suffix = if matches!(self.kind, MetricType::Counter) { "_total" } else { "" };
        format!("{}{suffix}", self.name)
    }
}

macro_rules! families {
    ($($field:ident: $type:ty = $make:expr, $name:literal $([$unit:ident])? $help:literal;)*) => {
        #[derive(Debug)]
        struct Families { $($field: $type),* }

        const DESCRIBED: &[Described] = &[
            $(Described {
                name: concat!("rb_ocr_", $name $(, families!(@suffix $unit))?),
                kind: <$type as TypedMetric>::TYPE,
                help: $help,
            },)*
        ];

        impl Families {
            fn register(registry: &mut Registry) -> Self {
                let families = Self { $($field: $make),* };
                $(families!(@register registry, families.$field, $name, $help $(, $unit)?);)*
                families
            }
        }
    };
    (@suffix Seconds) => { "_seconds" };
    (@register $registry:ident, $metric:expr, $name:literal, $help:literal) => {
        $registry.register($name, $help, $metric.clone());
    };
    (@register $registry:ident, $metric:expr, $name:literal, $help:literal, $unit:ident) => {
        $registry.register_with_unit($name, $help, Unit::$unit, $metric.clone());
    };
}

families! {
    http_requests: Family<RouteLabels, Counter> = Family::default(), "http_requests"
        "Requests answered, by route, method and status";
    http_duration: Family<RouteLabels, Histogram, Buckets> = Family::new_with_constructor(SHORT),
        "http_request_duration" [Seconds] "Time from a request's head to its answer's head";
    refusals: Counters<1> = Family::default(), "submissions_refused"
        "Submissions that were refused, by the problem's code";
    jobs: Gauges<2> = Family::default(), "jobs"
        "Jobs by kind and state (waiting, published, leased)";
    relayed: Counters<2> = Family::default(), "relay_messages"
        "Messages of the relay by kind and what they came to";
    deliveries: Counters<2> = Family::default(), "queue_deliveries"
        "Deliveries taken, by kind and whether they are first ones or repeated";
    claims: Counters<2> = Family::default(), "claims"
        "Claims by kind, won and lost";
    in_progress: Gauges<1> = Family::default(), "in_progress"
        "Jobs being worked on here, by kind";
    stage_duration: Durations<2> = Family::new_with_constructor(LONG), "stage_duration" [Seconds]
        "Time of a stage, by stage and outcome";
    runs_finished: Counters<4> = Family::default(), "runs_finished"
        "Runs ended, by status, first error code, verdict and document type";
    run_duration: Durations<1> = Family::new_with_constructor(LONG), "run_duration" [Seconds]
        "Time from submission to end, by status";
    queue_wait: Histogram = LONG.new_metric(), "queue_wait" [Seconds]
        "Time from submission or retry to the first claim";
    outside_calls: Counters<2> = Family::default(), "outside_calls"
        "Calls to outside services, by service and outcome";
    outside_duration: Durations<1> = Family::new_with_constructor(SHORT), "outside_call_duration" [Seconds]
        "Time of a call, by service";
    llm_tokens: Counters<2> = Family::default(), "llm_tokens"
        "Tokens, by call and whether prompt or completion";
    callbacks: Counters<1> = Family::default(), "callback_attempts"
        "Tries to deliver a callback, by outcome";
    db_connections: Gauges<2> = Family::default(), "db_connections"
        "Connections of a pool: open, idle, and max, how many may be open";
    build: Gauges<1> = Family::default(), "build_info"
        "1, for the version that runs";
    broker_connected: Gauge = Gauge::default(), "broker_connected"
        "Whether this process has a connection to the broker: 1 yes, 0 no";
    queue_messages: Gauges<1> = Family::default(), "queue_messages"
        "Messages ready in a queue of the broker, by queue";
    queue_consumers: Gauges<1> = Family::default(), "queue_consumers"
        "Consumers of a queue of the broker, by queue";
    queue_unclaimed: Gauges<1> = Family::default(), "queue_unclaimed_jobs"
        "Jobs published to a queue and not yet claimed, by queue";
    queue_oldest: FloatGauges = Family::default(), "queue_oldest_due" [Seconds]
        "How long the oldest unclaimed job has been due, by queue";
    children: Durations<2> = Family::new_with_constructor(LONG), "child_duration" [Seconds]
        "Time of a child process, by program and outcome";
    lease_expiries: Counter = Counter::default(), "lease_expiries"
        "Leases that ended without their worker's doing";
    dead_letters: Counters<1> = Family::default(), "dead_letters"
        "Jobs given up, by kind";
    upkeep: Counters<1> = Family::default(), "upkeep_actions"
        "What upkeep did, by action";
    retention_steps: Counters<1> = Family::default(), "retention_steps"
        "What went past its term and was dealt with, by what it is";
    retention_rounds: Counters<1> = Family::default(), "retention_rounds"
        "Rounds of retention, by outcome";
    budgets: Gauges<1> = Family::default(), "client_budgets"
        "Clients with a budget for the model, by how much of this month's is spent";
    artifacts: Counters<1> = Family::default(), "artifacts"
        "Runs written into ARTIFACTS_DIR, not written, and removed again, by outcome";
    ocr_children: Gauges<1> = Family::default(), "ocr_children"
        "Child processes that read: running, slots";
    ocr_wait: Histogram = SHORT.new_metric(), "ocr_child_wait" [Seconds]
        "Time that a child process waited for a slot";
    breakers: Gauges<1> = Family::default(), "breaker_state"
        "Whether a service is called: 0 yes, 1 one probe, 2 no";
    breaker_openings: Counters<1> = Family::default(), "breaker_openings"
        "How often a service failed so much that it was left alone for a while";
    callback_hosts: Gauges<1> = Family::default(), "callback_hosts"
        "Hosts that callbacks go to: known (deliveries in progress, or failures of late), away (left alone)";
    paused: Gauges<1> = Family::default(), "paused"
        "Whether operators have paused intake, runs or callbacks: 1 yes, 0 no";
}

/// All metrics of one process. Cheap to clone; a part of every handler's and stage's state.
#[derive(Clone, Debug)]
pub struct Metrics(Arc<Inner>);

/// Sets what is looked at and not counted.
type Look = dyn Fn(&Metrics) + Send + Sync;

struct Inner {
    registry: Registry,
    families: Families,
    look: OnceLock<Box<Look>>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.families.fmt(f)
    }
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("rb_ocr");
        let families = Families::register(&mut registry);
        families.build.get_or_create(&[("version", env!("CARGO_PKG_VERSION"))]).set(1);
        Self(Arc::new(Inner { registry, families, look: OnceLock::new() }))
    }
}

impl Metrics {
    /// Has `look` set what is not counted but looked at (connections, children), each time before the
    /// metrics are read. The first that is given stays.
    pub fn looked_at_by(&self, look: impl Fn(&Self) + Send + Sync + 'static) {
        let _ = self.0.look.set(Box::new(look));
    }

    /// Every metric there is.
    pub const fn described() -> &'static [Described] {
        DESCRIBED
    }

    /// The metrics as [`CONTENT_TYPE`].
    pub fn encode(&self) -> String {
        if let Some(look) = self.0.look.get() {
            look(self);
        }
        let mut text = String::with_capacity(16 * 1024);
        encode(&mut text, &self.0.registry).expect("a String takes every text");
        text
    }

    fn of(&self) -> &Families {
        &self.0.families
    }

    /// A request was answered. `route` is the matched template (`/v1/runs/{run_id}`), or one word for
    /// all that match none; never the path that was asked for.
    pub fn http_request(&self, route: &Arc<str>, method: &http::Method, status: http::StatusCode, duration: Duration) {
        let route = [("route", Arc::clone(route))];
        let method = ("method", method_label(method));
        let labels = (route, [method, ("status", status_label(status))]);
        self.of().http_requests.get_or_create(&labels).inc();
        self.of().http_duration.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    /// A submission was refused; `code` is a problem's.
    pub fn submission_refused(&self, code: &'static str) {
        self.of().refusals.get_or_create(&[("code", code)]).inc();
    }

    /// How many jobs of this kind are in this state, over all processes.
    pub fn set_jobs(&self, kind: &'static str, state: &'static str, count: i64) {
        self.of().jobs.get_or_create(&[("kind", kind), ("state", state)]).set(count);
    }

    /// How a queue stands at the broker.
    pub fn set_queue(&self, queue: &'static str, messages: u32, consumers: u32) {
        self.of().queue_messages.get_or_create(&[("queue", queue)]).set(messages.into());
        self.of().queue_consumers.get_or_create(&[("queue", queue)]).set(consumers.into());
    }

    /// How a queue stands in the table of jobs: published and not claimed, and since when the oldest is due.
    pub fn set_unclaimed(&self, queue: &'static str, jobs: i64, oldest: Duration) {
        self.of().queue_unclaimed.get_or_create(&[("queue", queue)]).set(jobs);
        self.of().queue_oldest.get_or_create(&[("queue", queue)]).set(oldest.as_secs_f64());
    }

    /// Another process looks after the fleet now: this one's figures of it would only grow old.
    pub fn forget_fleet(&self) {
        let of = self.of();
        of.jobs.clear();
        of.queue_oldest.clear();
        for family in [&of.queue_messages, &of.queue_consumers, &of.queue_unclaimed] {
            family.clear();
        }
    }

    /// Messages of this kind came to this.
    pub fn relayed(&self, kind: &'static str, what: Relayed, count: u64) {
        self.of().relayed.get_or_create(&[("kind", kind), ("outcome", what.as_str())]).inc_by(count);
    }

    /// A delivery was taken; `how` is `first` or `repeated`.
    pub fn delivery(&self, kind: &'static str, how: &'static str) {
        self.of().deliveries.get_or_create(&[("kind", kind), ("delivery", how)]).inc();
    }

    /// A claim was won or lost.
    pub fn claim(&self, kind: &'static str, won: bool) {
        let outcome = if won { "won" } else { "lost" };
        self.of().claims.get_or_create(&[("kind", kind), ("outcome", outcome)]).inc();
    }

    /// How many jobs of this kind are being worked on here.
    pub fn set_in_progress(&self, kind: &'static str, count: usize) {
        self.of().in_progress.get_or_create(&[("kind", kind)]).set(gauge(count));
    }

    /// A stage ended, with an error code or without.
    pub fn stage_ended(&self, stage: Stage, error: Option<ErrorCode>, duration: Duration) {
        let outcome = error.map_or("ok", ErrorCode::as_str);
        let labels = [("stage", stage.as_str()), ("outcome", outcome)];
        self.of().stage_duration.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    /// A run ended. `doc_type` is the title of one of the fifteen.
    pub fn run_finished(
        &self,
        status: Status,
        error: Option<ErrorCode>,
        verdict: Option<bool>,
        doc_type: Option<&'static str>,
        duration: Duration,
    ) {
        let verdict = match verdict {
            Some(true) => "true",
            Some(false) => "false",
            None => "none",
        };
        let labels = [
            ("status", status.as_str()),
            ("error_code", error.map_or("none", ErrorCode::as_str)),
            ("verdict", verdict),
            ("doc_type", doc_type.unwrap_or("none")),
        ];
        self.of().runs_finished.get_or_create(&labels).inc();
        self.of().run_duration.get_or_create(&[("status", status.as_str())]).observe(duration.as_secs_f64());
    }

    /// A run waited so long for its first claim.
    pub fn queue_wait(&self, duration: Duration) {
        self.of().queue_wait.observe(duration.as_secs_f64());
    }

    /// A call to an outside service ended.
    pub fn outside_call(&self, call: OutsideCall) {
        let service = ("service", call.service);
        self.of().outside_calls.get_or_create(&[service, ("outcome", call.outcome.as_str())]).inc();
        self.of().outside_duration.get_or_create(&[service]).observe(call.duration.as_secs_f64());
    }

    /// A model's call used so many tokens.
    pub fn llm_tokens(&self, call: &'static str, prompt: u64, completion: u64) {
        for (kind, count) in [("prompt", prompt), ("completion", completion)] {
            self.of().llm_tokens.get_or_create(&[("call", call), ("kind", kind)]).inc_by(count);
        }
    }

    /// A try to deliver a callback ended; `outcome` is a word of `callback_attempts`.
    pub fn callback_attempt(&self, outcome: &'static str) {
        self.of().callbacks.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// How a database pool stands.
    pub fn set_db_pool(&self, name: &'static str, pool: &Pool) {
        let max = i64::from(pool.options().get_max_connections());
        for (state, count) in [("open", i64::from(pool.size())), ("idle", gauge(pool.num_idle())), ("max", max)] {
            self.of().db_connections.get_or_create(&[("pool", name), ("state", state)]).set(count);
        }
    }

    /// Whether this process has a connection to the broker.
    pub fn set_broker_connected(&self, connected: bool) {
        self.of().broker_connected.set(connected.into());
    }

    /// Leases ended without their worker's doing.
    pub fn lease_expiries(&self, count: u64) {
        self.of().lease_expiries.inc_by(count);
    }

    /// A job was given up.
    pub fn dead_letter(&self, kind: &'static str) {
        self.of().dead_letters.get_or_create(&[("kind", kind)]).inc();
    }

    /// Upkeep did something so often.
    pub fn upkeep(&self, action: &'static str, count: u64) {
        self.of().upkeep.get_or_create(&[("action", action)]).inc_by(count);
    }

    /// Something past its term was dealt with.
    pub fn retention_step(&self, what: &'static str, count: u64) {
        self.of().retention_steps.get_or_create(&[("what", what)]).inc_by(count);
    }

    /// A round of retention ended.
    pub fn retention_ended(&self, wholly: bool) {
        let outcome = if wholly { "done" } else { "failed" };
        self.of().retention_rounds.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// How many clients are within their budget, have spent 80 % of it, and all of it.
    pub fn set_budgets(&self, within: i64, near: i64, spent: i64) {
        for (state, count) in [("within", within), ("near", near), ("spent", spent)] {
            self.of().budgets.get_or_create(&[("state", state)]).set(count);
        }
    }

    /// Another process looks after budgets now.
    pub fn forget_budgets(&self) {
        self.of().budgets.clear();
    }

    /// A run was written into `ARTIFACTS_DIR`, was not (`failed`), or was removed from it.
    pub fn artifact(&self, outcome: &'static str) {
        self.of().artifacts.get_or_create(&[("outcome", outcome)]).inc();
    }

    /// How many child processes read, of how many that may.
    pub fn set_ocr_children(&self, running: usize, slots: usize) {
        self.of().ocr_children.get_or_create(&[("state", "running")]).set(gauge(running));
        self.of().ocr_children.get_or_create(&[("state", "slots")]).set(gauge(slots));
    }

    /// A child process waited so long for a slot.
    pub fn ocr_child_waited(&self, duration: Duration) {
        self.of().ocr_wait.observe(duration.as_secs_f64());
    }

    /// Whether operators have paused something; `switch` is `intake`, `runs` or `callbacks`.
    pub fn set_paused(&self, switch: &'static str, paused: bool) {
        self.of().paused.get_or_create(&[("switch", switch)]).set(i64::from(paused));
    }

    /// A child process ended, or was ended; `outcome` is a word of its error, or `ok`.
    pub fn child_ended(&self, program: &'static str, outcome: &'static str, duration: Duration) {
        let labels = [("program", program), ("outcome", outcome)];
        self.of().children.get_or_create(&labels).observe(duration.as_secs_f64());
    }

    /// Whether a service is called.
    pub fn set_breaker(&self, service: &'static str, state: Breaker) {
        let value = match state {
            Breaker::Closed => 0,
            Breaker::HalfOpen => 1,
            Breaker::Open => 2,
        };
        self.of().breakers.get_or_create(&[("service", service)]).set(value);
    }

    /// Callback hosts that are left alone, and all that are remembered.
    pub fn set_callback_hosts(&self, away: usize, known: usize) {
        self.of().callback_hosts.get_or_create(&[("state", "away")]).set(gauge(away));
        self.of().callback_hosts.get_or_create(&[("state", "known")]).set(gauge(known));
    }

    /// A breaker opened before a service: `ocr`, `llm`, `callback`.
    pub fn breaker_opened(&self, service: &'static str) {
        self.of().breaker_openings.get_or_create(&[("service", service)]).inc();
    }
}

fn gauge(count: usize) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// The statuses of the contract by number, others by class.
fn status_label(status: http::StatusCode) -> &'static str {
    const KNOWN: &[(u16, &str)] = &[
        (200, "200"),
        (202, "202"),
        (204, "204"),
        (304, "304"),
        (400, "400"),
        (401, "401"),
        (403, "403"),
        (404, "404"),
        (405, "405"),
        (408, "408"),
        (409, "409"),
        (410, "410"),
        (413, "413"),
        (415, "415"),
        (422, "422"),
        (429, "429"),
        (500, "500"),
        (503, "503"),
    ];
    const CLASSES: &[&str] = &["1xx", "2xx", "3xx", "4xx", "5xx"];
    let code = status.as_u16();
    let known = KNOWN.iter().find(|(known, _)| *known == code).map(|(_, label)| *label);
    known.or_else(|| CLASSES.get(usize::from(code / 100).wrapping_sub(1)).copied()).unwrap_or("other")
}

#[cfg(test)]
mod tests {
    use super::super::labels::Outcome;
    use super::*;

    #[test]
    fn what_happened_is_written_with_prefix_unit_and_labels() {
        let metrics = Metrics::default();
        let route: Arc<str> = "/v1/runs/{run_id}".into();
        let second = Duration::from_secs(1);
        metrics.http_request(&route, &http::Method::GET, http::StatusCode::OK, second);
        metrics.run_finished(Status::Success, Some(ErrorCode::FioMismatch), Some(false), Some("Справка"), second);
        metrics.outside_call(OutsideCall { service: "ocr", outcome: Outcome::TimedOut, duration: second });
        metrics.clone().set_breaker("ocr", Breaker::Open);
        let text = metrics.encode();
        for line in [
            "rb_ocr_http_requests_total{route=\"/v1/runs/{run_id}\",method=\"GET\",status=\"200\"} 1",
            "rb_ocr_http_request_duration_seconds_sum{route=\"/v1/runs/{run_id}\",method=\"GET\",status=\"200\"} 1.0",
            "rb_ocr_runs_finished_total{status=\"success\",error_code=\"FIO_MISMATCH\",verdict=\"false\",doc_type=\"Справка\"} 1",
            "rb_ocr_outside_calls_total{service=\"ocr\",outcome=\"timed_out\"} 1",
            "rb_ocr_outside_call_duration_seconds_count{service=\"ocr\"} 1",
            "rb_ocr_breaker_state{service=\"ocr\"} 2",
            "rb_ocr_lease_expiries_total 0",
        ] {
            assert!(text.lines().any(|written| written == line), "{line} is missing in:\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn a_method_of_a_clients_making_is_one_label() {
        let metrics = Metrics::default();
        let route: Arc<str> = "none".into();
        for method in ["BREW", "X1", "X2"] {
            let method = method.parse().expect("a method");
            metrics.http_request(&route, &method, http::StatusCode::NOT_FOUND, Duration::ZERO);
        }
        let text = metrics.encode();
        assert!(
            text.contains("rb_ocr_http_requests_total{route=\"none\",method=\"other\",status=\"404\"} 3"),
            "{text}"
        );
    }
}
