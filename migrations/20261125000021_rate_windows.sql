-- How many submissions of a client were permitted in a span of time, by all api processes together. A process takes
-- permits in chunks and gives back what it does not use, so that a submission costs no row of its own here. Spans of
-- another length (a client's rate was changed) are counted apart. Upkeep removes what is over.

CREATE TABLE rate_windows (
    client_id uuid NOT NULL,
    window_seconds integer NOT NULL CHECK (window_seconds > 0),
    window_start timestamptz NOT NULL,
    -- permits in the hands of api processes, used or not
    taken integer NOT NULL CHECK (taken >= 0),
    -- size of the last chunk: what the statement that took it answers
    last_chunk integer NOT NULL CHECK (last_chunk > 0),
    PRIMARY KEY (client_id, window_seconds, window_start)
) WITH (fillfactor = 50);
