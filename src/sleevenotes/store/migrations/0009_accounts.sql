-- Several listeners on one server: what a token may do, sessions that can be told apart, invitations, public profiles.

-- What a token was able to do stays what it may: an account's everything, and for the owner to speak for everybody.
ALTER TABLE tokens
    ADD scopes text[] NOT NULL DEFAULT '{submit,read,manage}'
    CHECK (scopes <@ '{submit,read,manage,admin}' AND cardinality(scopes) > 0);
UPDATE tokens SET scopes = '{submit,read,manage,admin}'
FROM accounts WHERE accounts.id = tokens.account_id AND accounts.is_owner;

ALTER TABLE sessions
    ADD id           bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD browser      text NOT NULL DEFAULT '',  -- its User-Agent, so that a listener knows it again
    ADD last_seen_at timestamptz;               -- to the hour; NULL: since before this was noted
CREATE INDEX sessions_account ON sessions (account_id);

ALTER TABLE accounts
    ADD is_public  boolean NOT NULL DEFAULT false,  -- strangers see the profile at /user/NAME
    ADD leaving_at timestamptz;                     -- asked to be deleted: nothing opens it any more

-- One-time links by which somebody sets a name and password: a new account's, or the new password of a known one.
CREATE TABLE invitations (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest         bytea NOT NULL UNIQUE,      -- sha256 of the secret in the link; the link is shown once
    for_account_id bigint REFERENCES accounts ON DELETE CASCADE,  -- whose password it resets; NULL: a new account's
    note           text NOT NULL DEFAULT '',   -- for whom the owner made it
    created_at     timestamptz NOT NULL,
    expires_at     timestamptz NOT NULL
);

-- What a listener has deleted can be brought back for a day. Whole rows, apart: nothing that reads plays meets them.
CREATE TABLE deletions (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    deleted_at timestamptz NOT NULL
);
CREATE INDEX deletions_account ON deletions (account_id, id);

CREATE TABLE deleted_scrobbles (
    deletion_id bigint NOT NULL REFERENCES deletions ON DELETE CASCADE,
    scrobble_id bigint NOT NULL,  -- the id it had, and gets back
    scrobble    jsonb NOT NULL,   -- its row in scrobbles
    PRIMARY KEY (deletion_id, scrobble_id)
);
