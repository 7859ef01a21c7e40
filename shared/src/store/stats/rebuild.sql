-- A delta for each generation that ended, of the runs of one day.
WITH day AS (
    SELECT uuid7_floor($1::date::timestamp AT TIME ZONE $2::text) AS first,
           uuid7_floor(($1::date + 1)::timestamp AT TIME ZONE $2::text) AS after
),
runs AS (
    SELECT r.* FROM verification_runs r
    WHERE r.run_id >= (SELECT first FROM day) AND r.run_id < (SELECT after FROM day)
),
ended AS (
    SELECT run_id, client_id, created_at, generation, status, verdict, duplicate_of, extracted_doc_type AS doc_type,
           coalesce((SELECT array_agg(e.code ORDER BY e.int_code) FROM verification_errors e
                     WHERE e.run_id = runs.run_id AND e.generation = runs.generation), '{}') AS codes,
           page_count, duration_seconds, queue_seconds, ocr_seconds, llm_seconds
    FROM runs WHERE status <> 'processing'
    UNION ALL
    -- an earlier generation ended in an error, else there had been none after it
    SELECT runs.run_id, runs.client_id, runs.created_at, e.generation, 'error', NULL, runs.duplicate_of, NULL,
           array_agg(e.code ORDER BY e.int_code), NULL, NULL, NULL, NULL, NULL
    FROM runs JOIN verification_errors e ON e.run_id = runs.run_id AND e.generation < runs.generation
    WHERE runs.generation > 1
    GROUP BY runs.run_id, runs.client_id, runs.created_at, e.generation, runs.duplicate_of
)
INSERT INTO stats_deltas (run_id, client_id, created_at, generation, status, verdict, duplicate, doc_type, codes,
                          page_count, duration_seconds, queue_seconds, ocr_seconds, llm_seconds, call_types,
                          call_models, call_outcomes, call_seconds, prompt_tokens, completion_tokens, total_tokens, costs)
SELECT ended.run_id, client_id, created_at, ended.generation, status, verdict, duplicate_of IS NOT NULL, doc_type, codes,
       page_count, duration_seconds, queue_seconds, ocr_seconds, llm_seconds, calls.*
FROM ended CROSS JOIN LATERAL (
    SELECT array_agg(c.call_type ORDER BY call_number), array_agg(c.model ORDER BY call_number),
           array_agg(c.outcome ORDER BY call_number), array_agg(c.duration_seconds ORDER BY call_number),
           array_agg(c.prompt_tokens ORDER BY call_number), array_agg(c.completion_tokens ORDER BY call_number),
           array_agg(c.total_tokens ORDER BY call_number), array_agg(c.cost::float8 ORDER BY call_number)
    FROM llm_calls c WHERE c.run_id = ended.run_id AND c.generation = ended.generation
) AS calls
