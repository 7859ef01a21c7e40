-- Proof that no event was changed, taken away or put in another order: a duty (store::audit_chain) seals events some
-- seconds after they were added, in an order of its own, each with the hash of the one before. Who adds an event waits
-- for none of this.

-- An event's id by the database's clock, so that a process whose clock is wrong names no month that is not there.
-- Processes of the version before go on naming ids of their own.
CREATE FUNCTION uuid7_new() RETURNS uuid
    LANGUAGE sql VOLATILE PARALLEL SAFE
    RETURN (lpad(to_hex(floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0')
            || '7' || substr(replace(gen_random_uuid()::text, '-', ''), 14))::uuid;

COMMENT ON FUNCTION uuid7_new IS 'a new UUIDv7 by the database''s clock';

ALTER TABLE audit_events ALTER COLUMN event_id SET DEFAULT uuid7_new();

CREATE TABLE audit_chain (
    event_id uuid NOT NULL PRIMARY KEY,
    -- the order in which events were sealed, from 1 and without a gap
    number bigint NOT NULL CHECK (number > 0),
    -- of this event, its number and `previous_hash`, as domain::audit_seal has it
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    previous_hash bytea NOT NULL CHECK (octet_length(previous_hash) = 32)
) PARTITION BY RANGE (event_id);
CREATE INDEX audit_chain_number ON audit_chain (number);

CREATE TRIGGER audit_chain_insert_only BEFORE UPDATE OR DELETE ON audit_chain
    FOR EACH ROW EXECUTE FUNCTION refuse_change();

CREATE FUNCTION refuse_truncation() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is never emptied', TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_chain_never_emptied BEFORE TRUNCATE ON audit_chain EXECUTE FUNCTION refuse_truncation();
CREATE TRIGGER audit_events_never_emptied BEFORE TRUNCATE ON audit_events EXECUTE FUNCTION refuse_truncation();

INSERT INTO monthly_tables VALUES ('audit_chain', 'event_id');
-- As many months as the events have, since those are sealed too.
SELECT make_month_partitions(min(month), max(month))
FROM (SELECT to_date(right(c.relname, 7), 'YYYY_MM') AS month
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_events'::regclass) AS months;

-- One row: where the chain ends, which whoever seals moves on from where it was found, and how far was looked.
CREATE TABLE audit_chain_head (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    number bigint NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    -- before it nothing was ever sealed
    first_month date NOT NULL,
    -- events added before were looked at a moment later, and once more, hours later, for those that came late
    looked_at timestamptz,
    swept_at timestamptz
) WITH (fillfactor = 50);
INSERT INTO audit_chain_head (number, hash, first_month)
SELECT 0, decode(repeat('00', 32), 'hex'), min(to_date(right(c.relname, 7), 'YYYY_MM'))
FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_chain'::regclass;

-- Where the chain ended with each day (UTC): also told to the log and the document store, where who can write to this
-- database cannot change it.
CREATE TABLE audit_heads (
    day date PRIMARY KEY,
    number bigint NOT NULL,
    hash bytea NOT NULL CHECK (octet_length(hash) = 32),
    at timestamptz NOT NULL DEFAULT now()
);
CREATE TRIGGER audit_heads_insert_only BEFORE UPDATE OR DELETE ON audit_heads
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
