-- Months as ranges of UUIDv7: the large tables are partitioned on the id itself, since its first
-- 48 bits are the milliseconds of its creation. One key then finds a row, names its month and
-- orders it by time, and no second column has to be part of the primary key.

CREATE FUNCTION uuid7_floor(at timestamptz) RETURNS uuid
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN (lpad(to_hex(floor(extract(epoch FROM at) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid;

COMMENT ON FUNCTION uuid7_floor IS 'the smallest id that a UUIDv7 made at this time can have';

CREATE FUNCTION uuid7_time(id uuid) RETURNS timestamptz
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN to_timestamp(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0);

COMMENT ON FUNCTION uuid7_time IS 'the time inside a UUIDv7, to the millisecond';

-- Which tables have a partition for each month, and the column it is made on.
CREATE TABLE monthly_tables (
    table_name text PRIMARY KEY,
    id_column text NOT NULL
);

-- Made as tables of their own and attached afterwards: ATTACH lets readers and writers of the parent
-- go on, CREATE TABLE … PARTITION OF would stop them. There is no DEFAULT partition: a row without a
-- month must fail at once, since moving it out later would lock everything.
CREATE FUNCTION make_month_partitions(first_month date, last_month date) RETURNS integer
    LANGUAGE plpgsql AS $$
DECLARE
    parent record;
    month date := date_trunc('month', first_month)::date;
    partition text;
    made integer := 0;
BEGIN
    WHILE month <= last_month LOOP
        FOR parent IN SELECT * FROM monthly_tables ORDER BY table_name LOOP
            partition := parent.table_name || to_char(month, '"_"YYYY"_"MM');
            CONTINUE WHEN to_regclass(partition) IS NOT NULL;
            EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition, parent.table_name);
            EXECUTE format('ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                parent.table_name, partition,
                uuid7_floor(month::timestamp AT TIME ZONE 'UTC'),
                uuid7_floor((month + interval '1 month') AT TIME ZONE 'UTC'));
            made := made + 1;
        END LOOP;
        month := (month + interval '1 month')::date;
    END LOOP;
    RETURN made;
END $$;

COMMENT ON FUNCTION make_month_partitions IS 'makes what is missing between two months (UTC), both included; answers how many';
