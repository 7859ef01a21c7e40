-- The first run of a client with the same bytes is looked up at each intake: by an index that ends with the run's
-- id it is one row to read, however often the same file was submitted.
DROP INDEX verification_runs_sha256;
CREATE INDEX verification_runs_duplicates ON verification_runs (client_id, sha256, run_id);
