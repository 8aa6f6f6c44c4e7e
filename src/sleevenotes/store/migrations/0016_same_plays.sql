-- The same play, recorded by several services: which origins an account has, and what its listener keeps apart.

-- Where an account's plays came from: what has one origin only is never compared.
CREATE TABLE account_origins (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    origin     text NOT NULL,
    PRIMARY KEY (account_id, origin)
);
INSERT INTO account_origins SELECT DISTINCT account_id, origin FROM scrobbles JOIN accounts ON accounts.id = account_id;

-- Plays of which their listener says that they are plays of their own.
CREATE TABLE own_plays (
    scrobble_id bigint PRIMARY KEY REFERENCES scrobbles ON DELETE CASCADE,
    decided_at  timestamptz NOT NULL
);

-- Pairs of origins of which an account's listener says that they never recorded the same play.
CREATE TABLE origins_apart (
    account_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    origin       text NOT NULL,
    other_origin text NOT NULL,
    decided_at   timestamptz NOT NULL,
    PRIMARY KEY (account_id, origin, other_origin),
    CHECK (origin < other_origin)
);

-- When a play that is shown is deleted, by whatever statement, what was hidden behind it comes forward: the first of
-- them, with the others behind it.
CREATE FUNCTION bring_plays_forward() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    WITH behind AS (
        SELECT s.id, min(s.id) OVER (PARTITION BY s.same_as) AS first
        FROM scrobbles s JOIN gone ON s.same_as = gone.id
    )
    UPDATE scrobbles SET same_as = nullif(behind.first, behind.id) FROM behind WHERE scrobbles.id = behind.id;
    RETURN NULL;
END $$;
CREATE TRIGGER bring_plays_forward AFTER DELETE ON scrobbles
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION bring_plays_forward();

CREATE INDEX scrobbles_hidden ON scrobbles (account_id, listened_at) WHERE same_as IS NOT NULL;
