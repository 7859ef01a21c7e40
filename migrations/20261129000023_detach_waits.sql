-- An autovacuum of the month lets go of it only for somebody who has waited for a second (deadlock_timeout): who waits
-- for less never gets a month that was just written. So two seconds are waited, for the month's own table first, which
-- stops fewer than the parent does.
CREATE OR REPLACE FUNCTION detach_month_partition(parent text, month date) RETURNS boolean
    LANGUAGE plpgsql AS $$
DECLARE
    partition text := parent || to_char(month, '"_"YYYY"_"MM');
BEGIN
    IF NOT EXISTS (SELECT FROM monthly_tables WHERE table_name = parent) THEN
        RAISE EXCEPTION '% is no table of months', parent;
    END IF;
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
