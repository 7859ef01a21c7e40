-- From when a run's term counts, where that is not its creation: a run that was imported from an older system is kept
-- for a whole term from its import. Null for all others.
ALTER TABLE verification_runs ADD COLUMN retain_from timestamptz;
COMMENT ON COLUMN verification_runs.retain_from IS 'the terms of RETENTION_… count from here; null: from created_at';
