-- The record of a run: written at intake and at finish, and in between not at all (stage and attempts
-- of a processing run live in its job).

CREATE EXTENSION IF NOT EXISTS pg_trgm;

CREATE TABLE verification_runs (
    run_id uuid NOT NULL CONSTRAINT verification_runs_pkey PRIMARY KEY,
    client_id uuid NOT NULL,
    -- the time inside run_id
    created_at timestamptz NOT NULL,
    completed_at timestamptz,
    -- as the applicant wrote it
    fio text,
    -- domain::names::fio_search of it
    fio_search text,
    iin text CHECK (iin ~ '^[0-9]{12}$'),
    external_request_id text,
    metadata jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(metadata) = 'object'),
    priority text NOT NULL DEFAULT 'normal' CHECK (priority IN ('normal', 'high')),
    callback_url text,
    original_filename text,
    -- in the document store; null once the document is gone
    document_key text,
    content_type text,
    file_size_bytes bigint CHECK (file_size_bytes > 0),
    sha256 bytea CHECK (octet_length(sha256) = 32),
    page_count integer CHECK (page_count > 0),
    status text NOT NULL DEFAULT 'processing' CHECK (status IN ('processing', 'success', 'error')),
    stage text NOT NULL DEFAULT 'queued'
        CHECK (stage IN ('queued', 'acquire', 'read', 'classify', 'extract', 'validate', 'done')),
    generation integer NOT NULL DEFAULT 1 CHECK (generation > 0),
    attempts integer NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- the first of the newest generation's verification_errors
    error_code text,
    -- for developers, of a run in error; holds nothing of the document
    error_details jsonb,
    verdict boolean,
    extracted_fio text,
    extracted_doc_date date,
    extracted_doc_type text,
    single_doc_type boolean,
    doc_type_known boolean,
    validation_checks jsonb,
    evidence jsonb,
    -- {"read": 3.1, …} seconds of each stage of the last attempt
    stage_timings jsonb,
    flags text[] NOT NULL DEFAULT '{}',
    -- the day in TIME_ZONE that the date is judged by
    validity_day date NOT NULL,
    ocr_engine text,
    analyzer text,
    model text,
    prompt_version text,
    pipeline_version text,
    duration_seconds double precision CHECK (duration_seconds >= 0),
    queue_seconds double precision CHECK (queue_seconds >= 0),
    ocr_seconds double precision CHECK (ocr_seconds >= 0),
    llm_seconds double precision CHECK (llm_seconds >= 0),
    duplicate_of uuid,
    legacy_run_id text,
    -- the api key that submitted it
    created_by uuid,
    ip_address inet,
    trace_id text CHECK (trace_id ~ '^[0-9a-f]{32}$'),
    document_deleted_at timestamptz,
    -- events made so far: the `sequence` of the newest callback
    event_sequence integer NOT NULL DEFAULT 0 CHECK (event_sequence >= 0),

    -- What cannot be, cannot be written.
    CONSTRAINT runs_completed_exactly_when_finished CHECK ((status = 'processing') = (completed_at IS NULL)),
    CONSTRAINT runs_done_exactly_when_finished CHECK ((status = 'processing') = (stage <> 'done')),
    CONSTRAINT runs_verdict_exactly_on_success CHECK ((status = 'success') = (verdict IS NOT NULL)),
    CONSTRAINT runs_checks_exactly_on_success CHECK ((status = 'success') = (validation_checks IS NOT NULL)),
    CONSTRAINT runs_code_on_error CHECK (status <> 'error' OR error_code IS NOT NULL),
    CONSTRAINT runs_no_code_while_processing CHECK (status <> 'processing' OR error_code IS NULL),
    CONSTRAINT runs_accepted_without_code CHECK (verdict IS NOT TRUE OR error_code IS NULL),
    CONSTRAINT runs_refused_with_code CHECK (verdict IS NOT FALSE OR error_code IS NOT NULL),
    CONSTRAINT runs_nothing_extracted_without_success CHECK (status = 'success' OR
        (extracted_fio IS NULL AND extracted_doc_date IS NULL AND extracted_doc_type IS NULL
         AND single_doc_type IS NULL AND doc_type_known IS NULL AND evidence IS NULL)),
    -- what the old system did not keep may be missing in imported runs, and in those only
    CONSTRAINT runs_whole_unless_imported CHECK (legacy_run_id IS NOT NULL OR
        (fio IS NOT NULL AND fio_search IS NOT NULL AND original_filename IS NOT NULL
         AND content_type IS NOT NULL AND file_size_bytes IS NOT NULL AND sha256 IS NOT NULL)),
    CONSTRAINT runs_document_until_deleted CHECK (legacy_run_id IS NOT NULL OR
        (document_key IS NULL) = (document_deleted_at IS NOT NULL))
) PARTITION BY RANGE (run_id);

CREATE INDEX verification_runs_client ON verification_runs (client_id, run_id DESC);
CREATE INDEX verification_runs_external ON verification_runs (external_request_id, run_id DESC)
    WHERE external_request_id IS NOT NULL;
CREATE INDEX verification_runs_iin ON verification_runs (iin, run_id DESC) WHERE iin IS NOT NULL;
CREATE INDEX verification_runs_sha256 ON verification_runs (sha256);
CREATE INDEX verification_runs_legacy ON verification_runs (legacy_run_id) WHERE legacy_run_id IS NOT NULL;
CREATE INDEX verification_runs_fio ON verification_runs USING gin (fio_search gin_trgm_ops);

INSERT INTO monthly_tables VALUES ('verification_runs', 'run_id');
