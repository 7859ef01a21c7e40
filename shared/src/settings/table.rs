//! Every setting with its default: what `Reader` falls back to and what the README lists.

/// One line of the table.
#[derive(Debug)]
pub struct Setting {
    /// The variable.
    pub name: &'static str,
    /// What holds when it is not set; empty: nothing.
    pub default: &'static str,
    /// What it is for.
    pub meaning: &'static str,
}

macro_rules! settings {
    ($($name:literal $default:literal $meaning:literal;)*) => {
        /// Every setting.
        pub const TABLE: &[Setting] = &[$(Setting { name: $name, default: $default, meaning: $meaning }),*];
    };
}

settings! {
    "RB_OCR_ENV" "" "`production` refuses what is for development only";
    "DATABASE_URL" "postgres://rb_ocr@127.0.0.1:5432/rb_ocr" "PostgreSQL 15 or newer";
    "DATABASE_READ_URL" "" "a replica for searches and statistics";
    "DATABASE_DIRECT_URL" "" "past a pooler, for migrations";
    "DATABASE_POOLED" "0" "`1` behind PgBouncer in transaction mode";
    "DATABASE_CONNECTIONS" "16" "connections of one process, at most";
    "AMQP_URL" "amqp://guest:guest@127.0.0.1:5672/%2f" "RabbitMQ 3.10 or newer; `amqps://` too";
    "QUEUE_PREFIX" "rb-ocr" "what the names of queues and exchanges begin with";
    "STORAGE_URL" "file:///var/lib/rb-ocr/documents" "where documents are kept: `file:///folder` or `s3://bucket/prefix` (with `AWS_ENDPOINT_URL` and the usual `AWS_*`)";
    "ARTIFACTS_DIR" "" "where each run that ends is also written as the system before wrote it; a folder that all workers share";
    "API_LISTEN" "127.0.0.1:8080" "address and port of the api";
    "TRUSTED_PROXIES" "" "addresses and subnets whose `Forwarded` and `X-Forwarded-For` are believed";
    "WORKER_LISTEN" "" "address and port of the worker's `/healthz`, `/readyz`, `/metrics`";
    "WORKER_CONCURRENCY" "16" "runs in progress at once in a worker";
    "OCR_ENGINE" "tesseract" "`tesseract` (here) or `http`";
    "OCR_BASE_URL" "" "the OCR service, with `OCR_ENGINE=http`";
    "OCR_CALLS" "" "calls to the OCR service in flight at once in a worker; as many as there are runs unless told";
    "OCR_PROCESSES" "" "Tesseract and Poppler children at once; as many as there are cores unless told";
    "ANALYZER" "rules" "`rules` (here), `llm`, `both` side by side, or `cascade`: the model where the rules are not certain";
    "LLM_BASE_URL" "" "the model's server, as OpenAI's API has it, unless `ANALYZER=rules`";
    "LLM_API_KEY" "" "its key";
    "LLM_MODEL" "" "the model's name";
    "LLM_CALLS" "" "calls to the model in flight at once in a worker; two for each run unless told";
    "LLM_PRICE" "" "what a million tokens cost, prompt and answer, such as `0.15/0.60`, or by model: `large=2/8,small=0.15/0.60`; the cost of each call is kept";
    "LLM_MAX_TOKENS" "" "tokens of an answer, at most; as many as the server allows unless told";
    "LLM_RESPONSE_FORMAT" "auto" "`json_schema`, `json_object`, `none`, or `auto`: tries them in this order and remembers";
    "CALLBACK_ALLOW_HOSTS" "" "names, addresses, subnets that callbacks may reach although private or plain HTTP";
    "CALLBACK_PAUSES" "5s,5m,30m,2h,5h,10h,14h,20h,20h" "pauses between the tries of a callback";
    "CALLBACK_CONCURRENCY" "64" "deliveries at once, 4 to a host";
    "RETRY_PAUSES" "5s,30s,2m,10m" "pauses between the attempts of a run";
    "LEASE_SECONDS" "30" "how long a worker may be silent before another takes its run";
    "SHUTDOWN_SECONDS" "30" "how long running stages may go on after SIGTERM";
    "RUN_WORK_BUDGET" "15m" "work on one run, summed over its attempts";
    "RUN_MAX_AGE" "24h" "age of a run since its submission or retry";
    "BACKLOG_MAX" "100000" "runs waiting, over which submissions are refused";
    "RATE_LIMIT" "600/60" "submissions of one client in so many seconds";
    "TIME_ZONE" "Asia/Almaty" "where today is";
    "JUDGE_AS_OF" "" "a date that stands for today; for tests and demonstrations";
    "SECRETS_KEY" "" "32 bytes in base64 that encrypt callback secrets and credentials at rest";
    "RETENTION_SUCCESS" "90d" "how long runs with a verdict are kept";
    "RETENTION_ERROR" "180d" "how long runs in error are kept";
    "RETENTION_DOCUMENT" "30d" "how long documents are kept";
    "RETENTION_AUDIT" "1826d" "how long audit events are kept: five years";
    "OTEL_EXPORTER_OTLP_ENDPOINT" "" "where traces, metrics and logs go, by OTLP over HTTP";
    "RUST_LOG" "info" "how much is logged";
}

/// What holds when a setting is not set.
pub(super) fn default_of(name: &str) -> &'static str {
    TABLE
        .iter()
        .find(|setting| setting.name == name)
        .map_or_else(|| unreachable!("{name} is not in the table"), |s| s.default)
}
