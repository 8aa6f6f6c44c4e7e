-- Names that are much played, kept complete; and what several listeners say alike of a name.

-- ------------------------------------------------------------------ popular names

-- The names that the drip keeps complete: the most played, all accounts together, and those of a public list.
CREATE TABLE popular (
    lookup_id bigint PRIMARY KEY REFERENCES lookups ON DELETE CASCADE,
    place     integer,                      -- among the most played, 1 the most; NULL: not among them (any more)
    seeded    boolean NOT NULL DEFAULT false,  -- came from a public list
    missing   text[] NOT NULL DEFAULT '{}', -- of match, art, genres, dates, portraits, ids; as last measured
    taken_at  timestamptz,                  -- when the drip last took it up; for names that were complete: decided
    looked_at timestamptz                   -- when all was answered that was asked then; NULL while it is not
);
CREATE INDEX popular_due ON popular (taken_at NULLS FIRST, place);
CREATE INDEX popular_open ON popular (lookup_id) WHERE taken_at IS NOT NULL AND looked_at IS NULL;

-- A public list of popular names; one that nobody played becomes a lookup when the drip comes to it.
CREATE TABLE popular_seeds (
    identity bytea PRIMARY KEY,             -- names.digest(artist, track, release)
    artist   text NOT NULL,
    track    text NOT NULL,
    release  text NOT NULL DEFAULT '',
    place    integer NOT NULL,              -- in the list, by its plays or its own order; 1 the most popular
    met_at   timestamptz                    -- when it was made a lookup, or found to be one
);
CREATE INDEX popular_seeds_open ON popular_seeds (place) WHERE met_at IS NULL;

-- One row: where the drip stands, shared by every process and kept over restarts.
CREATE TABLE popular_drip (
    one       boolean PRIMARY KEY DEFAULT true CHECK (one),
    listed_at timestamptz,                  -- when the most played were last counted
    spent_to  timestamptz,                  -- the drip has taken its share of time up to here
    holds     text NOT NULL DEFAULT '',     -- why it took nothing in the last round; '' where it did not wait
    seed      text NOT NULL DEFAULT ''      -- sha256 of the list that was read last
);
INSERT INTO popular_drip DEFAULT VALUES;

-- What is looked for the first time: while there is any, the drip waits.
CREATE INDEX artworks_first ON artworks (wanted_at) WHERE status = 'pending' AND tries = 0 AND image_id IS NULL;

-- ------------------------------------------------------------------ consensus of corrections

ALTER TABLE accounts ADD COLUMN contributes boolean NOT NULL DEFAULT true;  -- its corrections count for consensus

-- One row: from how many equal corrections on a name is taken for what they say.
CREATE TABLE consensus (
    one      boolean PRIMARY KEY DEFAULT true CHECK (one),
    in_force boolean NOT NULL DEFAULT true,
    accounts smallint NOT NULL DEFAULT 3 CHECK (accounts >= 3)  -- of two, each would know what the other said
);
INSERT INTO consensus DEFAULT VALUES;

-- What so many say alike of a name: derived from `corrected`, see store/consensus.py. Names no account.
CREATE TABLE agreements (
    lookup_id    bigint PRIMARY KEY REFERENCES lookups ON DELETE CASCADE,
    corrected_id bigint NOT NULL UNIQUE REFERENCES corrected ON DELETE CASCADE,  -- one of those who say so
    match_id     bigint REFERENCES matches DEFERRABLE INITIALLY DEFERRED  -- its match; NULL: none of what was found
);
CREATE INDEX agreements_match ON agreements (match_id) WHERE match_id IS NOT NULL;
CREATE TRIGGER restate_added AFTER INSERT ON agreements REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_names();
CREATE TRIGGER restate_changed AFTER UPDATE ON agreements REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_names();
CREATE TRIGGER restate_deleted AFTER DELETE ON agreements REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_names();

-- What was said before there was consensus counts from the start: store/consensus.py, as it was then.
WITH said AS (
    SELECT c.lookup_id, c.id, c.match_id, coalesce(m.recording_id, 0) AS recording_id,
           count(*) OVER (PARTITION BY c.lookup_id, m.recording_id, m.release_id) AS so_released
    FROM corrected c JOIN accounts a ON a.id = c.account_id LEFT JOIN matches m ON m.id = c.match_id
    WHERE c.own AND a.leaving_at IS NULL
), counted AS (
    SELECT lookup_id, recording_id, count(*) AS alike, sum(count(*)) OVER (PARTITION BY lookup_id) AS everybody
    FROM said GROUP BY 1, 2
)
INSERT INTO agreements
SELECT DISTINCT ON (lookup_id) lookup_id, id, match_id
FROM counted JOIN said USING (lookup_id, recording_id)
WHERE alike >= 3 AND (everybody - alike) * 4 <= everybody ORDER BY lookup_id, so_released DESC, id;
