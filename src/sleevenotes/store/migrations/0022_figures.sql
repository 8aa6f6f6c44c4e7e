-- What the success figures are made of: since when a picture is shown, how soon each play had one, what waited, and how
-- many requests that took. None of it names an account.

-- Since when the picture that is shown now is shown, without a gap; for NULL there is none.
ALTER TABLE lookups ADD image_at timestamptz;      -- the temporary one, image_id
ALTER TABLE artworks
    ADD shown_at  timestamptz,                     -- any
    ADD chosen_at timestamptz;                     -- one that was chosen, not only shown while the choice went on
UPDATE lookups SET image_at = created_at WHERE image_id IS NOT NULL;
UPDATE artworks SET shown_at = coalesce(decided_at, wanted_at), chosen_at = decided_at WHERE image_id IS NOT NULL;

-- One row for each play that somebody waited for (not an import's, not one that a sync brought), from this version on.
CREATE TABLE arrivals (
    scrobble_id bigint PRIMARY KEY,     -- of scrobbles; goes with it, by the trigger below
    received_at timestamptz NOT NULL,   -- scrobbles.inserted_at
    is_first    boolean NOT NULL,       -- no play of that name was stored before
    met         text NOT NULL
                CHECK (met IN ('known',       -- the name was matched already
                               'catalogue',   -- the offline catalogue matched it as it was stored
                               'unmatched',   -- it was decided already, without a match
                               'waiting',     -- it was looked for already
                               'new')),
    first_s     real,                   -- seconds until it showed a picture; NULL: it has not yet
    chosen_s    real,                   -- seconds until it showed a picture that stays
    look_at     timestamptz             -- when to look whether it does by now; NULL: settled
);
CREATE INDEX arrivals_received ON arrivals USING brin (received_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX arrivals_open ON arrivals (look_at) WHERE look_at IS NOT NULL;

-- In place of a constraint, whose check of every row is what storing plays does without (see 0001).
CREATE FUNCTION forget_arrivals() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM arrivals USING gone WHERE arrivals.scrobble_id = gone.id;
    RETURN NULL;
END $$;
CREATE TRIGGER forget_arrivals AFTER DELETE ON scrobbles
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION forget_arrivals();

-- What was received when: plays lie in the order in which they came in, and so, nearly, do names.
CREATE INDEX scrobbles_inserted ON scrobbles USING brin (inserted_at) WITH (pages_per_range = 16, autosummarize = on);
CREATE INDEX lookups_created ON lookups USING brin (created_at) WITH (pages_per_range = 16, autosummarize = on);

-- What waits: of each minute the fullest of several looks; later one row of ten.
CREATE TABLE backlog (
    at     timestamptz PRIMARY KEY,     -- the full minute
    names  integer NOT NULL,            -- lookups pending
    covers integer NOT NULL,            -- artworks pending
    queues jsonb NOT NULL               -- [{of: questions or jobs, name: source or stage, band, waiting, oldest_s}]
);

-- What traces came to, by the hour; stays when they are purged.
CREATE TABLE asked_hours (
    hour      timestamptz NOT NULL,
    source    text NOT NULL,
    requests  integer NOT NULL,
    questions integer NOT NULL,
    absent    integer NOT NULL,         -- questions by what came of them; the rest was answered
    unknown   integer NOT NULL,
    fault     integer NOT NULL,
    PRIMARY KEY (hour, source)
);
