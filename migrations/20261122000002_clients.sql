-- Whom a key belongs to, what it may do, and how its callbacks are made and signed.

CREATE TABLE clients (
    client_id uuid PRIMARY KEY,
    name text NOT NULL CONSTRAINT clients_name_key UNIQUE CHECK (name ~ '^[a-z0-9][a-z0-9._-]{0,63}$'),
    callback_form text NOT NULL DEFAULT 'thin' CHECK (callback_form IN ('thin', 'full', 'plain')),
    -- user:password of the plain form, encrypted with SECRETS_KEY
    callback_basic bytea,
    -- submissions in so many seconds; the setting RATE_LIMIT where null
    rate_limit_count integer CHECK (rate_limit_count > 0),
    rate_limit_seconds integer CHECK (rate_limit_seconds > 0),
    allow_high boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    CHECK ((rate_limit_count IS NULL) = (rate_limit_seconds IS NULL))
);

CREATE TABLE client_secrets (
    secret_id uuid PRIMARY KEY,
    client_id uuid NOT NULL REFERENCES clients,
    -- whsec_… encrypted with SECRETS_KEY
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    -- signs until then; null: the newest, signs on
    retire_at timestamptz
);
CREATE INDEX client_secrets_client ON client_secrets (client_id);

CREATE TABLE api_keys (
    key_id uuid PRIMARY KEY,
    client_id uuid NOT NULL REFERENCES clients,
    -- SHA-256 of the key: it holds 256 random bits, so a slow hash would add nothing
    key_hash bytea NOT NULL CONSTRAINT api_keys_key_hash_key UNIQUE CHECK (octet_length(key_hash) = 32),
    -- the first letters, so that people can tell keys apart
    prefix text NOT NULL,
    scopes text[] NOT NULL CHECK (scopes <@ ARRAY['read', 'submit', 'admin', 'operator'] AND cardinality(scopes) > 0),
    created_at timestamptz NOT NULL DEFAULT now(),
    revoked_at timestamptz
);
CREATE INDEX api_keys_client ON api_keys (client_id);

-- While the first submission under a key is arriving, `run_id` is null and `alive_at` moves on with its
-- bytes; the statement that inserts the run completes the row.
CREATE TABLE idempotency_keys (
    client_id uuid NOT NULL,
    key text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    -- who is arriving: only it may complete or free the key
    token uuid NOT NULL,
    content_hash bytea,
    run_id uuid,
    alive_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (client_id, key),
    CHECK ((run_id IS NULL) = (content_hash IS NULL))
);
CREATE INDEX idempotency_keys_expiry ON idempotency_keys (expires_at);
