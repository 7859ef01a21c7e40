-- What a client may spend on the model in a month (of TIME_ZONE), and what happens then. Counted from the figures, so
-- that no row is written for it.
ALTER TABLE clients
    -- in the currency of the price list; null: no bound
    ADD COLUMN budget numeric(14, 2) CHECK (budget >= 0),
    ADD COLUMN over_budget text NOT NULL DEFAULT 'refuse' CHECK (over_budget IN ('refuse', 'rules'));

-- What was told of a month already: each threshold once.
CREATE TABLE budget_notices (
    client_id uuid NOT NULL,
    month date NOT NULL,
    percent smallint NOT NULL CHECK (percent IN (80, 100)),
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (client_id, month, percent)
);
