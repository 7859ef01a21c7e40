-- What stays of a run when its rows have gone to the archive: that it was there, and whose it was. By it a caller is
-- answered 410 and not 404, nobody else learns of it, and a run that is in an archive only can be erased. It holds
-- nothing of a person, and goes after RETENTION_AUDIT.
CREATE TABLE archived_runs (
    run_id uuid NOT NULL PRIMARY KEY,
    client_id uuid NOT NULL
);

-- When the archives were looked through for the run; null: they are still to be.
ALTER TABLE erasures ADD COLUMN archives_cleared_at timestamptz;
CREATE INDEX erasures_to_clear ON erasures (run_id) WHERE archives_cleared_at IS NULL;
CREATE INDEX erasures_time ON erasures (erased_at);

-- The table that holds a month of a table of months, which nobody can name another way.
CREATE FUNCTION month_partition(parent text, month date) RETURNS text
    LANGUAGE plpgsql STABLE AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM monthly_tables WHERE table_name = parent) THEN
        RAISE EXCEPTION '% is no table of months', parent;
    END IF;
    RETURN parent || to_char(month, '"_"YYYY"_"MM');
END $$;

-- Takes a month of a table out of the record: what is in it can be read at leisure as a table of its own, and is then
-- dropped. The lock that this takes stops every reader and writer of the table, so it is not waited for long; once taken
-- it is held for as long as the catalogue needs. An autovacuum of the month lets go of it only for somebody who has
-- waited for a second (deadlock_timeout): who waits for less never gets a month that was just written. So two seconds are
-- waited, for the month's own table first, which stops fewer than the parent does. False: it is no partition (any more).
CREATE FUNCTION detach_month_partition(parent text, month date) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    partition text := month_partition(parent, month);
BEGIN
    IF (month + interval '1 month') AT TIME ZONE 'UTC' > now() THEN
        RAISE EXCEPTION '% is not over', partition;
    END IF;
    IF NOT EXISTS (SELECT FROM pg_inherits
                   WHERE inhparent = to_regclass(quote_ident(parent)) AND inhrelid = to_regclass(quote_ident(partition))) THEN
        RETURN false;
    END IF;
    SET LOCAL lock_timeout = '2s';
    EXECUTE format('LOCK TABLE ONLY %I IN ACCESS EXCLUSIVE MODE', partition);
    EXECUTE format('ALTER TABLE %I DETACH PARTITION %I', parent, partition);
    RETURN true;
END $$;

-- The way back, for a month that turned out to hold what must stay.
CREATE FUNCTION attach_month_partition(parent text, month date) RETURNS void
    LANGUAGE plpgsql AS $$
BEGIN
    EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
        parent, month_partition(parent, month),
        uuid7_floor(date_trunc('month', month) AT TIME ZONE 'UTC'),
        uuid7_floor((date_trunc('month', month) + interval '1 month') AT TIME ZONE 'UTC'));
END $$;

-- Drops a month that was taken out. False: it is not there.
CREATE FUNCTION drop_detached_month(parent text, month date) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    partition text := month_partition(parent, month);
BEGIN
    IF to_regclass(quote_ident(partition)) IS NULL THEN
        RETURN false;
    END IF;
    IF EXISTS (SELECT FROM pg_inherits WHERE inhrelid = to_regclass(quote_ident(partition))) THEN
        RAISE EXCEPTION '% is still part of the record', partition;
    END IF;
    EXECUTE format('DROP TABLE %I', partition);
    RETURN true;
END $$;
