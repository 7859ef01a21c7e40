-- A batch of old runs: what is there already is left as it is, and nothing below finds it again.
WITH given AS MATERIALIZED (
    SELECT g.*, decode(g.sha256_hex, 'hex') AS sha256,
           first_value(g.run_id) OVER (PARTITION BY g.sha256_hex ORDER BY g.run_id) AS first_given
    FROM json_to_recordset($1::json) AS g (
        run_id uuid, created_at timestamptz, completed_at timestamptz, fio text, fio_search text, iin text,
        external_request_id text, metadata jsonb, original_filename text, document_key text, content_type text,
        file_size_bytes bigint, sha256_hex text, page_count integer, status text, error_code text, verdict boolean,
        extracted_fio text, extracted_doc_date date, extracted_doc_type text, single_doc_type boolean,
        doc_type_known boolean, validation_checks jsonb, validity_day date, ocr_seconds double precision,
        llm_seconds double precision, legacy_run_id text, trace_id text, codes text[], int_codes integer[],
        details text[], pages json)
),
run AS (
    INSERT INTO verification_runs (
        run_id, client_id, created_at, completed_at, fio, fio_search, iin, external_request_id, metadata,
        original_filename, document_key, content_type, file_size_bytes, sha256, page_count, status, stage, error_code,
        verdict, extracted_fio, extracted_doc_date, extracted_doc_type, single_doc_type, doc_type_known,
        validation_checks, validity_day, duration_seconds, ocr_seconds, llm_seconds, legacy_run_id, trace_id, duplicate_of,
        retain_from)
    SELECT g.run_id, $2, g.created_at, g.completed_at, g.fio, g.fio_search, g.iin, g.external_request_id, g.metadata,
           g.original_filename, g.document_key, g.content_type, g.file_size_bytes, g.sha256, g.page_count, g.status,
           'done', g.error_code, g.verdict, g.extracted_fio, g.extracted_doc_date, g.extracted_doc_type,
           g.single_doc_type, g.doc_type_known, g.validation_checks, g.validity_day,
           extract(epoch FROM g.completed_at - g.created_at), g.ocr_seconds, g.llm_seconds, g.legacy_run_id, g.trace_id,
           -- the first of the same client with the same bytes, among those that are there and those that come with it
           CASE WHEN g.sha256 IS NOT NULL THEN least(nullif(g.first_given, g.run_id), (
               SELECT d.run_id FROM verification_runs d
               WHERE d.client_id = $2 AND d.sha256 = g.sha256 AND d.run_id < g.run_id ORDER BY d.run_id LIMIT 1)) END,
           -- its terms count from today
           now()
    FROM given g
    -- one that came before and went past its term since does not come again
    WHERE NOT EXISTS (SELECT FROM archived_runs a WHERE a.run_id = g.run_id)
    ON CONFLICT (run_id) DO NOTHING
    RETURNING run_id, created_at, status, verdict, duplicate_of, extracted_doc_type, page_count, duration_seconds,
              ocr_seconds, llm_seconds
),
errors AS (
    INSERT INTO verification_errors (run_id, generation, code, int_code, detail)
    SELECT g.run_id, 1, e.code, e.int_code, e.detail
    FROM given g JOIN run USING (run_id), unnest(g.codes, g.int_codes, g.details) AS e (code, int_code, detail)
),
pages AS (
    INSERT INTO ocr_pages (run_id, generation, page_number, text_content, source, run_words)
    SELECT g.run_id, 1, p.page_number, p.text_content, 'legacy',
           -- of several pages the first has the words of all
           CASE WHEN json_array_length(g.pages) > 1 THEN
               CASE WHEN p.page_number = (g.pages -> 0 ->> 'page_number')::integer THEN strip(text_words((
                        SELECT string_agg(t.text_content, ' ') FROM json_to_recordset(g.pages) AS t (text_content text))))
                    ELSE ''::tsvector END
           END
    FROM given g JOIN run USING (run_id),
         LATERAL json_to_recordset(g.pages) AS p (page_number integer, text_content text)
),
audit AS (
    INSERT INTO audit_events (client_id, actor, action, outcome, details)
    SELECT $2, $3::text, 'runs.imported', 'done', jsonb_build_object('runs', count(*)) FROM run HAVING count(*) > 0
),
delta AS (
    INSERT INTO stats_deltas (run_id, client_id, created_at, generation, status, verdict, duplicate, doc_type, codes,
                              page_count, duration_seconds, ocr_seconds, llm_seconds)
    SELECT run.run_id, $2, run.created_at, 1, run.status, run.verdict, run.duplicate_of IS NOT NULL,
           run.extracted_doc_type, g.codes, run.page_count, run.duration_seconds, run.ocr_seconds, run.llm_seconds
    FROM run JOIN given g USING (run_id)
)
SELECT run_id AS "run_id!" FROM run
