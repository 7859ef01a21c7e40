-- Where the ink of each page is (64 bits), so that the same paper scanned again is known for what it is. Looked up among
-- the client's papers of the same date and type, which are few; one row a page, written when the run ends.
CREATE TABLE page_hashes (
    run_id uuid NOT NULL,
    page_number integer NOT NULL CHECK (page_number > 0),
    client_id uuid NOT NULL,
    -- hash of the date and the type that were found
    found_key bigint NOT NULL,
    hash bigint NOT NULL,
    PRIMARY KEY (run_id, page_number)
) PARTITION BY RANGE (run_id);
CREATE INDEX page_hashes_found ON page_hashes (client_id, found_key, run_id) WHERE page_number = 1;
INSERT INTO monthly_tables VALUES ('page_hashes', 'run_id');
-- In every month that the runs have.
SELECT make_month_partitions(month, month) FROM (
    SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month
    FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    WHERE i.inhparent = 'verification_runs'::regclass
) AS months;

-- What happens to a document that was submitted for another person before.
ALTER TABLE clients ADD COLUMN reused_document text NOT NULL DEFAULT 'flag' CHECK (reused_document IN ('flag', 'refuse'));
