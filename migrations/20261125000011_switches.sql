-- What operators can pause for the whole fleet, by `rb-ocr pause` and `rb-ocr resume`. A row for each, so that the
-- statements that ask have a row to read; null: it is not paused. What was paused before is in the audit.

CREATE TABLE switches (
    name text PRIMARY KEY CHECK (name IN ('intake', 'runs', 'callbacks')),
    paused_at timestamptz,
    -- the operator's account
    paused_by text,
    reason text,
    CONSTRAINT switches_pause_is_whole CHECK (
        (paused_at IS NULL) = (paused_by IS NULL) AND (paused_at IS NULL) = (reason IS NULL))
);

INSERT INTO switches (name) VALUES ('intake'), ('runs'), ('callbacks');
