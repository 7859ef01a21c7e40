-- Figures of all runs that ended, which outlive the runs. The statement that ends a run inserts one narrow row into
-- `stats_deltas`; a duty adds these rows up (store::stats::fold) and deletes them. Who reads adds what is not added up
-- yet, in the same statement, so that counts and sums are exact at every moment.
--
-- Processes of the version before end runs without such a row; `rb-ocr stats rebuild`, which also counts what there
-- was before this step, counts them when the last of them has been replaced.

-- One row. Whoever adds up or rebuilds locks the table, so that one does at a time; nobody who ends a run does.
CREATE TABLE stats_state (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    -- in which zone a day is a day; kept as the setting TIME_ZONE has it by whoever adds up
    time_zone text NOT NULL
);
INSERT INTO stats_state (time_zone) VALUES ('Asia/Almaty');

-- One row for each generation that ended. No index: rows are found by where they lie. Nothing of a person, and only
-- the id names the run.
CREATE TABLE stats_deltas (
    run_id uuid NOT NULL,
    client_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    generation integer NOT NULL,
    status text NOT NULL,
    verdict boolean,
    duplicate boolean NOT NULL,
    doc_type text,
    codes text[] NOT NULL,
    page_count integer,
    duration_seconds double precision,
    queue_seconds double precision,
    ocr_seconds double precision,
    llm_seconds double precision,
    -- the model's calls, one element each; null where there was none
    call_types text[],
    call_models text[],
    call_outcomes text[],
    call_seconds double precision[],
    prompt_tokens integer[],
    completion_tokens integer[],
    total_tokens integer[],
    costs double precision[]
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000,
        autovacuum_vacuum_insert_scale_factor = 0, autovacuum_vacuum_insert_threshold = 100000,
        autovacuum_analyze_scale_factor = 0, autovacuum_analyze_threshold = 50000, autovacuum_vacuum_cost_delay = 0);

-- Histograms on a logarithmic scale: each bucket's upper bound is 1.039 times its lower one, so that the value which
-- stands for it is at most 1.92% away from any in it. Below a millisecond is one bucket, which stands for half of one.
CREATE FUNCTION stats_bucket(seconds double precision) RETURNS smallint
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN seconds < 0.001 THEN 0 ELSE 1 + least(floor(ln(seconds * 1000) / ln(1.039::float8)), 32000) END::smallint;

CREATE FUNCTION stats_bucket_seconds(bucket integer) RETURNS double precision
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN CASE WHEN bucket < 1 THEN 0.0005 ELSE 0.001 * 1.039::float8 ^ (bucket - 1) * (2 * 1.039::float8 / (1 + 1.039::float8)) END;

COMMENT ON FUNCTION stats_bucket_seconds IS 'the value that stands for a bucket of stats_bucket';

-- The figures. `day` and `hour` are those of the run's creation.
CREATE TABLE stats_hours (
    day date NOT NULL,
    hour smallint NOT NULL CHECK (hour BETWEEN 0 AND 23),
    client_id uuid NOT NULL,
    -- generations that ended; less `retries`: runs
    ended bigint NOT NULL,
    retries bigint NOT NULL,
    accepted bigint NOT NULL,
    refused bigint NOT NULL,
    errors bigint NOT NULL,
    -- of runs, each counted once
    duplicates bigint NOT NULL,
    -- of what ended in success
    pages bigint NOT NULL,
    PRIMARY KEY (day, hour, client_id)
) WITH (fillfactor = 70);
CREATE TABLE stats_codes (
    day date NOT NULL,
    client_id uuid NOT NULL,
    code text NOT NULL,
    -- ended with it among its errors
    runs bigint NOT NULL,
    -- … as the first of them
    first bigint NOT NULL,
    PRIMARY KEY (day, client_id, code)
);
CREATE TABLE stats_doc_types (
    day date NOT NULL,
    client_id uuid NOT NULL,
    -- empty: none was found
    doc_type text NOT NULL,
    accepted bigint NOT NULL,
    refused bigint NOT NULL,
    errors bigint NOT NULL,
    PRIMARY KEY (day, client_id, doc_type)
);
CREATE TABLE stats_seconds (
    day date NOT NULL,
    client_id uuid NOT NULL,
    measure text NOT NULL CHECK (measure IN ('duration', 'queue', 'ocr', 'llm')),
    bucket smallint NOT NULL,
    runs bigint NOT NULL,
    seconds numeric NOT NULL,
    PRIMARY KEY (day, client_id, measure, bucket)
) WITH (fillfactor = 70);
CREATE TABLE stats_calls (
    day date NOT NULL,
    client_id uuid NOT NULL,
    model text NOT NULL,
    call_type text NOT NULL,
    calls bigint NOT NULL,
    -- whose answer could not be used
    failed bigint NOT NULL,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    total_tokens bigint NOT NULL,
    -- calls that had a price, and what they cost
    priced bigint NOT NULL,
    cost numeric NOT NULL,
    seconds numeric NOT NULL,
    PRIMARY KEY (day, client_id, model, call_type)
);
-- The slowest runs of each client and day: who asks for the slowest of any days finds them among these.
CREATE TABLE stats_slow_runs (
    day date NOT NULL,
    client_id uuid NOT NULL,
    run_id uuid NOT NULL,
    generation integer NOT NULL,
    duration_seconds double precision NOT NULL,
    PRIMARY KEY (day, client_id, run_id, generation)
);
CREATE INDEX stats_slow_runs_run ON stats_slow_runs (run_id);

-- What each delta adds to each table; `at` is where the delta lies.
CREATE VIEW stats_delta_hours AS
    SELECT d.ctid AS at, (d.created_at AT TIME ZONE z.time_zone)::date AS day,
           extract(hour FROM d.created_at AT TIME ZONE z.time_zone)::smallint AS hour, d.client_id,
           1::bigint AS ended, (d.generation > 1)::int::bigint AS retries,
           (d.verdict IS TRUE)::int::bigint AS accepted, (d.verdict IS FALSE)::int::bigint AS refused,
           (d.status = 'error')::int::bigint AS errors, (d.duplicate AND d.generation = 1)::int::bigint AS duplicates,
           coalesce(d.page_count, 0)::bigint * (d.status = 'success')::int AS pages
    FROM stats_deltas d, stats_state z;

CREATE VIEW stats_delta_codes AS
    SELECT d.ctid AS at, (d.created_at AT TIME ZONE z.time_zone)::date AS day, d.client_id, e.code,
           1::bigint AS runs, (e.number = 1)::int::bigint AS first
    FROM stats_deltas d, stats_state z, unnest(d.codes) WITH ORDINALITY AS e (code, number);

CREATE VIEW stats_delta_doc_types AS
    SELECT d.ctid AS at, (d.created_at AT TIME ZONE z.time_zone)::date AS day, d.client_id, coalesce(d.doc_type, '') AS doc_type,
           (d.verdict IS TRUE)::int::bigint AS accepted, (d.verdict IS FALSE)::int::bigint AS refused,
           (d.status = 'error')::int::bigint AS errors
    FROM stats_deltas d, stats_state z;

CREATE VIEW stats_delta_seconds AS
    SELECT d.ctid AS at, (d.created_at AT TIME ZONE z.time_zone)::date AS day, d.client_id, m.measure,
           stats_bucket(m.seconds) AS bucket, 1::bigint AS runs, m.seconds::numeric AS seconds
    FROM stats_deltas d, stats_state z, LATERAL (VALUES
        ('duration', d.duration_seconds), ('queue', d.queue_seconds), ('ocr', d.ocr_seconds), ('llm', d.llm_seconds)
    ) AS m (measure, seconds)
    WHERE m.seconds IS NOT NULL;

CREATE VIEW stats_delta_calls AS
    SELECT d.ctid AS at, (d.created_at AT TIME ZONE z.time_zone)::date AS day, d.client_id, c.model, c.call_type,
           1::bigint AS calls, (c.outcome <> 'ok')::int::bigint AS failed,
           coalesce(c.prompt_tokens, 0)::bigint AS prompt_tokens, coalesce(c.completion_tokens, 0)::bigint AS completion_tokens,
           coalesce(c.total_tokens, 0)::bigint AS total_tokens, (c.cost IS NOT NULL)::int::bigint AS priced,
           -- as llm_calls.cost keeps it
           coalesce(c.cost::numeric::numeric(14, 6), 0) AS cost, c.seconds::numeric AS seconds
    FROM stats_deltas d, stats_state z,
         unnest(d.call_types, d.call_models, d.call_outcomes, d.call_seconds, d.prompt_tokens, d.completion_tokens,
                d.total_tokens, d.costs)
             AS c (call_type, model, outcome, seconds, prompt_tokens, completion_tokens, total_tokens, cost);

CREATE VIEW stats_delta_slow_runs AS
    SELECT d.ctid AS at, (d.created_at AT TIME ZONE z.time_zone)::date AS day, d.client_id, d.run_id, d.generation, d.duration_seconds
    FROM stats_deltas d, stats_state z
    WHERE d.duration_seconds IS NOT NULL;

-- All that is known, added up and not: more than one row may stand for the same key.
CREATE VIEW stats_all_hours AS
    SELECT day, hour, client_id, ended, retries, accepted, refused, errors, duplicates, pages FROM stats_hours
    UNION ALL
    SELECT day, hour, client_id, ended, retries, accepted, refused, errors, duplicates, pages FROM stats_delta_hours;
CREATE VIEW stats_all_codes AS
    SELECT day, client_id, code, runs, first FROM stats_codes
    UNION ALL
    SELECT day, client_id, code, runs, first FROM stats_delta_codes;
CREATE VIEW stats_all_doc_types AS
    SELECT day, client_id, doc_type, accepted, refused, errors FROM stats_doc_types
    UNION ALL
    SELECT day, client_id, doc_type, accepted, refused, errors FROM stats_delta_doc_types;
CREATE VIEW stats_all_seconds AS
    SELECT day, client_id, measure, bucket, runs, seconds FROM stats_seconds
    UNION ALL
    SELECT day, client_id, measure, bucket, runs, seconds FROM stats_delta_seconds;
CREATE VIEW stats_all_calls AS
    SELECT day, client_id, model, call_type, calls, failed, prompt_tokens, completion_tokens, total_tokens, priced, cost, seconds
    FROM stats_calls
    UNION ALL
    SELECT day, client_id, model, call_type, calls, failed, prompt_tokens, completion_tokens, total_tokens, priced, cost, seconds
    FROM stats_delta_calls;
CREATE VIEW stats_all_slow_runs AS
    SELECT day, client_id, run_id, generation, duration_seconds FROM stats_slow_runs
    UNION ALL
    SELECT day, client_id, run_id, generation, duration_seconds FROM stats_delta_slow_runs;
