-- What belongs to one generation of a run. No foreign keys: they would forbid dropping a month. The
-- rows are written only by the statement that ends the run.

CREATE TABLE verification_errors (
    run_id uuid NOT NULL,
    generation integer NOT NULL,
    int_code integer NOT NULL,
    code text NOT NULL,
    -- for developers; holds nothing of the document
    detail text NOT NULL,
    PRIMARY KEY (run_id, generation, int_code)
) PARTITION BY RANGE (run_id);
CREATE INDEX verification_errors_code ON verification_errors (code, run_id DESC);

CREATE TABLE ocr_pages (
    run_id uuid NOT NULL,
    generation integer NOT NULL,
    page_number integer NOT NULL CHECK (page_number > 0),
    text_content text NOT NULL,
    confidence real CHECK (confidence BETWEEN 0 AND 1),
    source text NOT NULL CHECK (source IN ('text_layer', 'tesseract', 'http', 'legacy')),
    -- the upright page's picture in the document store; goes with the document
    image_key text,
    PRIMARY KEY (run_id, generation, page_number)
) PARTITION BY RANGE (run_id);
-- Russian with its endings taken off; Kazakh has no stemmer here and is found word by word.
CREATE INDEX ocr_pages_words ON ocr_pages USING gin (
    (to_tsvector('russian', text_content) || to_tsvector('simple', text_content)));

CREATE TABLE llm_calls (
    run_id uuid NOT NULL,
    generation integer NOT NULL,
    call_number integer NOT NULL CHECK (call_number > 0),
    call_type text NOT NULL CHECK (call_type IN ('doc_type_check', 'extractor')),
    model text NOT NULL,
    started_at timestamptz NOT NULL,
    duration_seconds double precision NOT NULL CHECK (duration_seconds >= 0),
    prompt_tokens integer CHECK (prompt_tokens >= 0),
    completion_tokens integer CHECK (completion_tokens >= 0),
    total_tokens integer CHECK (total_tokens >= 0),
    -- in the currency of the price list; null where no price is set
    cost numeric(14, 6) CHECK (cost >= 0),
    -- ok, or why the answer could not be used
    outcome text NOT NULL,
    PRIMARY KEY (run_id, generation, call_number)
) PARTITION BY RANGE (run_id);

CREATE TABLE reviews (
    run_id uuid NOT NULL,
    review_number integer NOT NULL CHECK (review_number > 0),
    verdict boolean NOT NULL,
    reason text NOT NULL,
    reviewed_by uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (run_id, review_number)
) PARTITION BY RANGE (run_id);

INSERT INTO monthly_tables VALUES
    ('verification_errors', 'run_id'), ('ocr_pages', 'run_id'), ('llm_calls', 'run_id'), ('reviews', 'run_id');
