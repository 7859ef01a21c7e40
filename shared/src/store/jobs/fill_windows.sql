WITH RECURSIVE
-- What the live workers could be working on, twice: enough that none waits for the relay, little enough
-- that a long backlog is not a long queue of stale messages.
fleet AS MATERIALIZED (
    SELECT coalesce(sum(run_slots), 0) AS runs, coalesce(sum(callback_slots), 0) AS callbacks
    FROM workers WHERE state = 'working' AND seen_at > now() - interval '30 seconds'
),
lanes (kind, priority, size) AS MATERIALIZED (
    SELECT l.kind, l.priority, greatest(8, 2 * l.slots)
    FROM fleet, LATERAL (VALUES
        ('run', 'high', fleet.runs), ('run', 'normal', fleet.runs),
        ('callback', 'normal', fleet.callbacks), ('erase', 'normal', 8)) AS l (kind, priority, slots)
    WHERE NOT EXISTS (
        SELECT FROM switches s
        WHERE s.paused_at IS NOT NULL AND s.name = CASE l.kind WHEN 'run' THEN 'runs' WHEN 'callback' THEN 'callbacks' END)
),
held AS MATERIALIZED (
    SELECT kind, priority, client_id, count(*) AS jobs
    FROM jobs WHERE published_at IS NOT NULL AND lease_token IS NULL
    GROUP BY kind, priority, client_id
),
room AS MATERIALIZED (
    SELECT l.kind, l.priority,
           l.size - coalesce((SELECT sum(h.jobs) FROM held h WHERE h.kind = l.kind AND h.priority = l.priority), 0) AS free
    FROM lanes l
),
-- The clients that have waiting jobs, one index look-up each, however long their backlogs are.
waiting_clients AS (
    SELECT r.kind, r.priority, r.free, first.client_id
    FROM room r CROSS JOIN LATERAL (
        SELECT j.client_id FROM jobs j
        WHERE j.kind = r.kind AND j.priority = r.priority AND j.published_at IS NULL AND j.lease_token IS NULL
        ORDER BY j.client_id LIMIT 1) first
    UNION ALL
    SELECT c.kind, c.priority, c.free, next.client_id
    FROM waiting_clients c CROSS JOIN LATERAL (
        SELECT j.client_id FROM jobs j
        WHERE j.kind = c.kind AND j.priority = c.priority AND j.published_at IS NULL AND j.lease_token IS NULL
          AND j.client_id > c.client_id
        ORDER BY j.client_id LIMIT 1) next
),
-- Each client's oldest due jobs, one more than there is room for, so that what is left over shows.
due AS MATERIALIZED (
    SELECT c.kind, c.priority, c.free, d.job_id, d.available_at,
           d.turn + coalesce((SELECT h.jobs FROM held h
               WHERE h.kind = c.kind AND h.priority = c.priority AND h.client_id = c.client_id), 0) AS turn
    FROM waiting_clients c CROSS JOIN LATERAL (
        SELECT j.job_id, j.available_at, row_number() OVER (ORDER BY j.available_at, j.job_id) AS turn
        FROM (
            SELECT job_id, available_at FROM jobs
            WHERE kind = c.kind AND priority = c.priority AND client_id = c.client_id
              AND published_at IS NULL AND lease_token IS NULL AND available_at <= now()
            ORDER BY available_at, job_id
            LIMIT greatest(c.free, 0) + 1) j) d
),
placed AS MATERIALIZED (
    SELECT job_id, free, row_number() OVER (PARTITION BY kind, priority ORDER BY turn, available_at, job_id) AS place
    FROM due
),
-- Each is looked up by the primary key, here and in the update, although the plan may have been made while the table
-- was small and is kept while it grows: a sum that is not computed beforehand passes for few rows, and a condition
-- that no partial index is known to fulfil keeps the look-up from going through all that waits.
taken AS (
    SELECT j.job_id
    FROM (SELECT job_id FROM placed WHERE place <= free AND place = place + 0) p CROSS JOIN LATERAL (
        SELECT jobs.job_id FROM jobs
        WHERE jobs.job_id = p.job_id
          AND CASE WHEN jobs.published_at IS NULL THEN jobs.lease_token IS NULL ELSE false END
        FOR UPDATE SKIP LOCKED) j
),
marked AS (
    UPDATE jobs SET published_at = now(), publish_no = jobs.publish_no + 1, republished = 0
    FROM taken WHERE jobs.job_id = taken.job_id
    RETURNING jobs.job_id, jobs.run_id, jobs.kind, jobs.priority, jobs.publish_no, jobs.trace_context
)
SELECT marked.job_id AS "job_id?", marked.run_id AS "run_id?", marked.kind AS "kind?", marked.priority AS "priority?",
       marked.publish_no AS "publish_no?", marked.trace_context AS "trace_context?", beyond.more AS "more!"
FROM (SELECT EXISTS (SELECT FROM placed WHERE place > free) AS more) beyond
LEFT JOIN marked ON true
