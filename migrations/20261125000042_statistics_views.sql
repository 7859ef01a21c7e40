-- For Grafana and BI: figures by day and client, without a name or an IIN. Days and hours are those of the run's
-- creation in TIME_ZONE. All that ended is in them at once, and stays when the runs are gone; `recent_failures` and
-- `slow_runs` name runs, and only such as are still there.

CREATE VIEW daily_stats AS
    SELECT s.day, c.name AS client, sum(s.ended)::bigint AS ended, sum(s.ended - s.retries)::bigint AS runs,
           sum(s.retries)::bigint AS retries, sum(s.accepted + s.refused)::bigint AS success,
           sum(s.accepted)::bigint AS accepted, sum(s.refused)::bigint AS refused, sum(s.errors)::bigint AS errors,
           sum(s.duplicates)::bigint AS duplicates, sum(s.pages)::bigint AS pages
    FROM stats_all_hours s JOIN clients c USING (client_id)
    GROUP BY s.day, c.name;

CREATE VIEW hourly_activity AS
    SELECT s.day, s.hour, c.name AS client, sum(s.ended)::bigint AS ended, sum(s.accepted)::bigint AS accepted,
           sum(s.refused)::bigint AS refused, sum(s.errors)::bigint AS errors
    FROM stats_all_hours s JOIN clients c USING (client_id)
    GROUP BY s.day, s.hour, c.name;

CREATE VIEW success_rate_by_day AS
    SELECT day, client, ended, success, success::float8 / ended AS success_rate, accepted::float8 / ended AS accepted_rate
    FROM daily_stats;

-- `share`: of all that ended on that day. One run may have several errors.
CREATE VIEW common_errors AS
    SELECT e.day, d.client, e.code AS error_code, e.runs, e.first, e.runs::float8 / d.ended AS share
    FROM (SELECT s.day, c.name AS client, s.code, sum(s.runs)::bigint AS runs, sum(s.first)::bigint AS first
          FROM stats_all_codes s JOIN clients c USING (client_id) GROUP BY s.day, c.name, s.code) AS e
    JOIN daily_stats d USING (day, client);

-- p50, p90, p99 come from histograms and are at most 2% off; count, average and sum are exact.
CREATE VIEW latency_percentiles AS
    WITH buckets AS (
        SELECT day, client_id, measure, bucket, sum(runs) AS runs, sum(seconds) AS seconds
        FROM stats_all_seconds GROUP BY day, client_id, measure, bucket
    ), ranked AS (
        SELECT *, sum(runs) OVER (PARTITION BY day, client_id, measure ORDER BY bucket) AS upto,
               sum(runs) OVER (PARTITION BY day, client_id, measure) AS total
        FROM buckets
    )
    SELECT r.day, c.name AS client, r.measure, r.total::bigint AS runs, sum(r.seconds)::float8 AS sum_seconds,
           (sum(r.seconds) / r.total)::float8 AS average_seconds,
           stats_bucket_seconds(min(r.bucket) FILTER (WHERE r.upto >= 0.50 * r.total)) AS p50_seconds,
           stats_bucket_seconds(min(r.bucket) FILTER (WHERE r.upto >= 0.90 * r.total)) AS p90_seconds,
           stats_bucket_seconds(min(r.bucket) FILTER (WHERE r.upto >= 0.99 * r.total)) AS p99_seconds
    FROM ranked r JOIN clients c USING (client_id)
    GROUP BY r.day, c.name, r.measure, r.total;

-- `cost` is null where no call had a price.
CREATE VIEW llm_costs AS
    SELECT s.day, c.name AS client, s.model, sum(s.calls)::bigint AS calls, sum(s.failed)::bigint AS failed,
           sum(s.prompt_tokens)::bigint AS prompt_tokens, sum(s.completion_tokens)::bigint AS completion_tokens,
           sum(s.total_tokens)::bigint AS total_tokens,
           CASE WHEN sum(s.priced) > 0 THEN sum(s.cost) END AS cost, sum(s.seconds)::float8 AS seconds
    FROM stats_all_calls s JOIN clients c USING (client_id)
    GROUP BY s.day, c.name, s.model;

CREATE VIEW duplicate_runs AS
    SELECT day, client, runs, duplicates, duplicates::float8 / nullif(runs, 0) AS share FROM daily_stats;

-- `doc_type` is null where none was found.
CREATE VIEW doc_type_outcomes AS
    SELECT s.day, c.name AS client, nullif(s.doc_type, '') AS doc_type, sum(s.accepted)::bigint AS accepted,
           sum(s.refused)::bigint AS refused, sum(s.errors)::bigint AS errors
    FROM stats_all_doc_types s JOIN clients c USING (client_id)
    GROUP BY s.day, c.name, s.doc_type;

-- Of the last seven days, each run as it stands.
CREATE VIEW recent_failures AS
    SELECT r.run_id, c.name AS client, r.created_at, r.completed_at, r.error_code, r.generation, r.attempts, r.content_type,
           r.page_count, r.file_size_bytes, r.duration_seconds
    FROM verification_runs r JOIN clients c USING (client_id)
    WHERE r.status = 'error' AND r.run_id >= uuid7_floor(now() - interval '7 days');

-- The slowest of each client and day, as many as are kept.
CREATE VIEW slow_runs AS
    SELECT s.day, r.run_id, c.name AS client, r.created_at, r.status, r.verdict, r.error_code, r.generation, r.attempts,
           r.page_count, r.duration_seconds, r.queue_seconds, r.ocr_seconds, r.llm_seconds
    FROM stats_all_slow_runs s
    JOIN verification_runs r ON r.run_id = s.run_id AND r.generation = s.generation AND r.status <> 'processing'
    JOIN clients c ON c.client_id = s.client_id;
