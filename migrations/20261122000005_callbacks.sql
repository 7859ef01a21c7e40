-- What callers are told. The body is made when the event happens and is the same on every try.

CREATE TABLE callbacks (
    run_id uuid NOT NULL,
    -- counts from 1 for each run
    sequence integer NOT NULL CHECK (sequence > 0),
    webhook_id text NOT NULL CHECK (webhook_id !~ '\.'),
    type text NOT NULL CHECK (type IN ('run.completed', 'run.failed', 'run.reviewed')),
    form text NOT NULL CHECK (form IN ('thin', 'full', 'plain')),
    url text NOT NULL,
    body text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    state text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'delivered', 'failed', 'superseded')),
    ended_at timestamptz,
    PRIMARY KEY (run_id, sequence),
    CONSTRAINT callbacks_ended_exactly_when_not_pending CHECK ((state = 'pending') = (ended_at IS NULL))
) PARTITION BY RANGE (run_id);

CREATE TABLE callback_attempts (
    run_id uuid NOT NULL,
    sequence integer NOT NULL,
    attempt integer NOT NULL CHECK (attempt > 0),
    at timestamptz NOT NULL DEFAULT now(),
    duration_seconds double precision NOT NULL CHECK (duration_seconds >= 0),
    -- null where no answer came
    status_code integer,
    -- delivered, or why not
    outcome text NOT NULL CHECK (outcome IN
        ('delivered', 'rejected', 'gone', 'timed_out', 'unreachable', 'target_refused')),
    PRIMARY KEY (run_id, sequence, attempt)
) PARTITION BY RANGE (run_id);

INSERT INTO monthly_tables VALUES ('callbacks', 'run_id'), ('callback_attempts', 'run_id');
