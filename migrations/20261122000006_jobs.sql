-- What is owed. One small, hot table is outbox, schedule, lease and retry count at once; a job exists
-- exactly as long as something is owed. Its states:
--   waiting    published_at IS NULL AND lease_token IS NULL
--   published  published_at IS NOT NULL AND lease_token IS NULL
--   leased     lease_token IS NOT NULL
-- Whatever dies, each of them can be picked up again.

CREATE TABLE jobs (
    job_id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('run', 'callback', 'erase')),
    run_id uuid NOT NULL,
    client_id uuid NOT NULL,
    priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('normal', 'high')),
    generation integer NOT NULL DEFAULT 1 CHECK (generation > 0),
    -- not before
    available_at timestamptz NOT NULL DEFAULT now(),
    published_at timestamptz,
    -- counts the publishings, so that an unmark cannot undo a later mark
    publish_no integer NOT NULL DEFAULT 0 CHECK (publish_no >= 0),
    -- how often upkeep had to publish it again since the last claim: its pause doubles
    republished integer NOT NULL DEFAULT 0 CHECK (republished >= 0),
    -- claims so far, less what was given back
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- time under lease, summed over attempts
    work_ms bigint NOT NULL DEFAULT 0 CHECK (work_ms >= 0),
    -- the run ends with TIMED_OUT then
    expires_at timestamptz,
    lease_token uuid,
    lease_owner text,
    leased_at timestamptz,
    lease_until timestamptz,
    stage text NOT NULL DEFAULT 'queued'
        CHECK (stage IN ('queued', 'acquire', 'read', 'classify', 'extract', 'validate')),
    -- the code of the last failure, and what a developer needs of it; nothing of the document
    last_error text,
    -- callback: {"sequence"}; erase: {"keys"}
    payload jsonb NOT NULL DEFAULT '{}',
    -- W3C traceparent of the request
    trace_context text,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT jobs_lease_is_whole CHECK (
        (lease_token IS NULL) = (lease_owner IS NULL)
        AND (lease_token IS NULL) = (leased_at IS NULL)
        AND (lease_token IS NULL) = (lease_until IS NULL))
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 5000, autovacuum_vacuum_cost_delay = 0);

-- Statements find jobs by these conditions and by these only, so each index holds what is in one state.
CREATE INDEX jobs_waiting ON jobs (kind, priority, client_id, available_at, job_id)
    WHERE published_at IS NULL AND lease_token IS NULL;
CREATE INDEX jobs_published ON jobs (kind, priority, published_at)
    WHERE published_at IS NOT NULL AND lease_token IS NULL;
CREATE INDEX jobs_leased ON jobs (lease_until) WHERE lease_token IS NOT NULL;
CREATE UNIQUE INDEX jobs_one_run_job ON jobs (run_id) WHERE kind = 'run';
CREATE UNIQUE INDEX jobs_one_callback_job ON jobs (run_id) WHERE kind = 'callback';
CREATE INDEX jobs_expiring ON jobs (expires_at) WHERE expires_at IS NOT NULL;

CREATE TABLE dead_jobs (
    job_id uuid PRIMARY KEY,
    kind text NOT NULL,
    run_id uuid,
    client_id uuid,
    generation integer,
    attempts integer NOT NULL DEFAULT 0,
    reason text NOT NULL,
    last_worker text,
    payload jsonb NOT NULL DEFAULT '{}',
    died_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX dead_jobs_run ON dead_jobs (run_id);
CREATE INDEX dead_jobs_time ON dead_jobs (died_at DESC);

CREATE TABLE workers (
    worker_id text PRIMARY KEY,
    host text NOT NULL,
    version text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    run_slots integer NOT NULL CHECK (run_slots >= 0),
    callback_slots integer NOT NULL CHECK (callback_slots >= 0),
    busy_runs integer NOT NULL DEFAULT 0,
    busy_callbacks integer NOT NULL DEFAULT 0,
    state text NOT NULL DEFAULT 'working' CHECK (state IN ('working', 'draining'))
);

-- What one process of the fleet does for all. Taken by compare-and-set on `until`.
CREATE TABLE duties (
    name text PRIMARY KEY,
    holder text,
    until timestamptz NOT NULL DEFAULT '-infinity',
    last_done timestamptz
);
