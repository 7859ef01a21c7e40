-- Who did what, and which runs were erased. Events are only ever inserted; erasing a run leaves the
-- event that it was done.

CREATE TABLE audit_events (
    event_id uuid NOT NULL PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT now(),
    client_id uuid,
    -- the api key, the worker or the operator's account
    actor text NOT NULL,
    action text NOT NULL,
    run_id uuid,
    ip_address inet,
    outcome text NOT NULL,
    -- nothing of a document, no name, no IIN
    details jsonb NOT NULL DEFAULT '{}'
) PARTITION BY RANGE (event_id);
CREATE INDEX audit_events_run ON audit_events (run_id) WHERE run_id IS NOT NULL;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% rows are never changed or deleted', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_events_insert_only BEFORE UPDATE OR DELETE ON audit_events
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE TABLE erasures (
    run_id uuid PRIMARY KEY,
    client_id uuid NOT NULL,
    erased_at timestamptz NOT NULL DEFAULT now(),
    -- the api key or the operator's account
    erased_by text NOT NULL
);

INSERT INTO monthly_tables VALUES ('audit_events', 'event_id');

-- Last month too: an id may be made in the last milliseconds before midnight and arrive after it.
SELECT make_month_partitions((now() AT TIME ZONE 'UTC' - interval '1 month')::date, (now() AT TIME ZONE 'UTC' + interval '3 months')::date);
