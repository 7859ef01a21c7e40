-- Everything hangs on `gone`: where the lease is not ours, nothing below finds a row.
WITH gone AS (
    DELETE FROM jobs WHERE job_id = $1 AND lease_token = $2 AND kind = 'run'
    RETURNING job_id, kind, generation, attempts, created_at, work_ms, leased_at, lease_owner, trace_context, payload, client_id
),
run AS (
    UPDATE verification_runs r SET
        completed_at = date_trunc('milliseconds', now()), status = $4, stage = 'done', attempts = gone.attempts,
        error_code = $5, error_details = $6, verdict = $7,
        extracted_fio = $8, extracted_doc_date = $9, extracted_doc_type = $10,
        single_doc_type = $11, doc_type_known = $12, validation_checks = $13, evidence = $14,
        -- a paper scanned again; the same file was found at the intake
        duplicate_of = coalesce(r.duplicate_of, $45::uuid),
        stage_timings = $15, flags = $16, page_count = coalesce($17, r.page_count),
        ocr_engine = $18, analyzer = $19, model = $20, prompt_version = $21, pipeline_version = $22,
        duration_seconds = greatest(0, extract(epoch FROM date_trunc('milliseconds', now()) - r.created_at)),
        -- neither worked on in this attempt nor in an earlier one
        queue_seconds = greatest(0, extract(epoch FROM gone.leased_at - gone.created_at) - gone.work_ms / 1000.0),
        ocr_seconds = $23, llm_seconds = $24,
        event_sequence = r.event_sequence + (r.callback_url IS NOT NULL)::int
    FROM gone WHERE r.run_id = $3 AND r.generation = gone.generation AND r.status = 'processing'
    RETURNING r.client_id, r.callback_url, r.external_request_id, r.event_sequence, r.completed_at,
              r.duration_seconds, r.queue_seconds, gone.generation, gone.trace_context,
              r.created_at, r.duplicate_of, r.page_count
),
errors AS (
    INSERT INTO verification_errors (run_id, generation, code, int_code, detail)
    SELECT $3, run.generation, e.code, e.int_code, e.detail
    FROM run, unnest($25::text[], $26::int[], $27::text[]) AS e (code, int_code, detail)
),
pages AS (
    INSERT INTO ocr_pages (run_id, generation, page_number, text_content, confidence, source, image_key, run_words)
    SELECT $3, run.generation, p.page_number, p.text_content, p.confidence, p.source, p.image_key,
           -- of several pages the first has the words of all
           CASE WHEN cardinality($28::int[]) > 1 THEN
               CASE WHEN p.page_number = ($28::int[])[1] THEN strip(text_words(array_to_string($29::text[], ' ')))
                    ELSE ''::tsvector END
           END
    FROM run, unnest($28::int[], $29::text[], $30::real[], $31::text[], $32::text[])
        AS p (page_number, text_content, confidence, source, image_key)
),
hashes AS (
    INSERT INTO page_hashes (run_id, page_number, client_id, found_key, hash)
    SELECT $3, h.page_number, run.client_id, $47, h.hash
    FROM run, unnest($46::bigint[]) WITH ORDINALITY AS h (hash, page_number)
    ON CONFLICT (run_id, page_number) DO NOTHING
),
calls AS (
    INSERT INTO llm_calls (run_id, generation, call_number, call_type, model, started_at, duration_seconds,
                           prompt_tokens, completion_tokens, total_tokens, cost, outcome)
    SELECT $3, run.generation, c.call_number, c.call_type, c.model, now() - c.ago * interval '1 second', c.duration_seconds,
           c.prompt_tokens, c.completion_tokens, c.total_tokens, c.cost::numeric, c.outcome
    FROM run, unnest($33::text[], $34::text[], $35::float8[], $36::float8[], $37::int[], $38::int[], $39::int[], $44::float8[], $40::text[])
        WITH ORDINALITY AS c (call_type, model, ago, duration_seconds, prompt_tokens, completion_tokens, total_tokens,
                              cost, outcome, call_number)
),
dead AS (
    INSERT INTO dead_jobs (job_id, kind, run_id, client_id, generation, attempts, reason, last_worker, payload)
    SELECT gone.job_id, gone.kind, $3, gone.client_id, gone.generation, gone.attempts, $41, coalesce($43, gone.lease_owner), gone.payload
    FROM gone, run WHERE $41::text IS NOT NULL
),
audit AS (
    INSERT INTO audit_events (client_id, actor, action, run_id, outcome, details)
    -- sealed some seconds later: what was decided can then not be changed unseen
    SELECT run.client_id, $42::text, 'run.finished', $3, $4, jsonb_build_object('generation', run.generation, 'verdict', $7)
    FROM run
),
delta AS (
    INSERT INTO stats_deltas (run_id, client_id, created_at, generation, status, verdict, duplicate, doc_type, codes,
                              page_count, duration_seconds, queue_seconds, ocr_seconds, llm_seconds, call_types,
                              call_models, call_outcomes, call_seconds, prompt_tokens, completion_tokens, total_tokens, costs)
    SELECT $3, run.client_id, run.created_at, run.generation, $4, $7, run.duplicate_of IS NOT NULL, $10, $25,
           run.page_count, run.duration_seconds, run.queue_seconds, $23, $24,
           nullif($33, '{}'), nullif($34, '{}'), nullif($40, '{}'), nullif($36, '{}'), nullif($37, '{}'),
           nullif($38, '{}'), nullif($39, '{}'), nullif($44, '{}')
    FROM run
)
SELECT run.client_id AS "client_id!", run.callback_url, clients.callback_form AS "callback_form!", run.external_request_id,
       run.event_sequence AS "event_sequence!", run.completed_at AS "completed_at!",
       run.duration_seconds AS "duration_seconds!", run.queue_seconds AS "queue_seconds!", run.trace_context
FROM run JOIN clients ON clients.client_id = run.client_id
