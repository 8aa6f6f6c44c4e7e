-- The first schema. Times are UTC; "now" always comes from the caller's clock, never from the database's.

-- ------------------------------------------------------------------ accounts

CREATE TABLE accounts (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL,
    password_hash text NOT NULL,               -- scrypt, see store/accounts.py
    is_owner      boolean NOT NULL DEFAULT false,
    time_zone     text NOT NULL DEFAULT 'UTC', -- IANA name, for calendars and charts
    created_at    timestamptz NOT NULL
);
CREATE UNIQUE INDEX accounts_name ON accounts (lower(name));

CREATE TABLE tokens (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    name         text NOT NULL,          -- what the listener calls it: "phone"
    digest       bytea NOT NULL UNIQUE,  -- sha256 of the token; the token itself is shown once and not kept
    created_at   timestamptz NOT NULL,
    last_used_at timestamptz
);
CREATE INDEX tokens_account ON tokens (account_id);

CREATE TABLE sessions (
    digest     bytea PRIMARY KEY,        -- sha256 of the cookie
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- ------------------------------------------------------------------ catalogue: what the sources told us, shared by all

CREATE TABLE artists (
    id             bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mbid           uuid UNIQUE,
    name           text NOT NULL,
    sort_name      text NOT NULL DEFAULT '',
    disambiguation text NOT NULL DEFAULT ''
);

CREATE TABLE artist_credits (
    id     bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest bytea NOT NULL UNIQUE,  -- of its MBIDs, credited names and join phrases
    name   text NOT NULL           -- the whole credit as printed: "Queen & David Bowie"
);

CREATE TABLE artist_credit_names (
    artist_credit_id bigint NOT NULL REFERENCES artist_credits ON DELETE CASCADE,
    position         smallint NOT NULL,
    artist_id        bigint NOT NULL REFERENCES artists,
    name             text NOT NULL,              -- as credited
    join_phrase      text NOT NULL DEFAULT '',
    PRIMARY KEY (artist_credit_id, position)
);
CREATE INDEX artist_credit_names_artist ON artist_credit_names (artist_id);

CREATE TABLE release_groups (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mbid               uuid UNIQUE,
    title              text NOT NULL,
    artist_credit_id   bigint NOT NULL REFERENCES artist_credits,
    primary_type       text NOT NULL DEFAULT '',
    secondary_types    text[] NOT NULL DEFAULT '{}',
    first_release_date text NOT NULL DEFAULT '',  -- partial date
    fetched_at         timestamptz NOT NULL
);
CREATE INDEX release_groups_credit ON release_groups (artist_credit_id);

CREATE TABLE releases (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mbid             uuid UNIQUE,
    release_group_id bigint NOT NULL REFERENCES release_groups,
    title            text NOT NULL,
    artist_credit_id bigint NOT NULL REFERENCES artist_credits,
    status           text NOT NULL DEFAULT '',
    date             text NOT NULL DEFAULT '',
    country          text NOT NULL DEFAULT '',
    track_count      integer,
    fetched_at       timestamptz NOT NULL
);
CREATE INDEX releases_group ON releases (release_group_id);

CREATE TABLE recordings (
    id                 bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    mbid               uuid UNIQUE,
    title              text NOT NULL,
    artist_credit_id   bigint NOT NULL REFERENCES artist_credits,
    length_ms          integer,
    disambiguation     text NOT NULL DEFAULT '',
    first_release_date text NOT NULL DEFAULT '',
    isrcs              text[] NOT NULL DEFAULT '{}',
    fetched_at         timestamptz NOT NULL
);
CREATE INDEX recordings_credit ON recordings (artist_credit_id);

-- ------------------------------------------------------------------ images and artwork

CREATE TABLE images (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest     bytea NOT NULL UNIQUE,  -- sha256 of the original bytes; names the files
    mime       text NOT NULL,
    width      integer NOT NULL,
    height     integer NOT NULL,
    size       integer NOT NULL,       -- bytes of the original
    thumbhash  bytea NOT NULL,
    colour     text NOT NULL,          -- dominant, '#rrggbb'
    source     text NOT NULL,
    source_url text NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz             -- a stop-gap that terms forbid to keep
);

-- What is known of a release group's cover. Absent (image_id NULL, status absent) carries a date to look again.
CREATE TABLE artworks (
    release_group_id bigint PRIMARY KEY REFERENCES release_groups ON DELETE CASCADE,
    release_id       bigint NOT NULL REFERENCES releases,  -- the matched edition: its own front is asked for first
    status           text NOT NULL DEFAULT 'pending'
                     CHECK (status IN ('pending',   -- -> found, absent or failed
                                       'found', 'absent', 'failed')),
    image_id         bigint REFERENCES images,
    reason           text NOT NULL DEFAULT '',  -- one sentence: why this cover, or why none
    tries            smallint NOT NULL DEFAULT 0,  -- looks that ended absent or failed, for the doubling intervals
    unusable         smallint NOT NULL DEFAULT 0,  -- images of the present look that did not decode
    wanted_at        timestamptz NOT NULL,
    decided_at       timestamptz,
    recheck_at       timestamptz
);
CREATE INDEX artworks_recheck ON artworks (recheck_at) WHERE recheck_at IS NOT NULL;
CREATE INDEX artworks_image ON artworks (image_id);

-- ------------------------------------------------------------------ lookups: the text identity of plays, shared by all

CREATE TABLE lookups (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    identity      bytea NOT NULL UNIQUE,      -- names.digest(artist, track, release)
    artist        text NOT NULL,              -- as first sent
    track         text NOT NULL,
    release       text NOT NULL DEFAULT '',   -- no album is the empty string
    artist_key    text NOT NULL,              -- names.key, of key_version
    track_key     text NOT NULL,
    release_key   text NOT NULL,
    key_version   smallint NOT NULL,
    status        text NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending',    -- -> any other
                                    'enriched',   -- -> pending (refresh)
                                    'not_found',  -- -> pending (recheck, refresh)
                                    'failed')),   -- -> pending (recheck, refresh)
    band          smallint NOT NULL DEFAULT 1, -- model.Band: the most urgent of those who wait
    plays         integer NOT NULL DEFAULT 0,  -- how many scrobbles point here; kept by pipeline.submit
    match_id      bigint,                      -- the shared match; NULL unless enriched
    candidates    jsonb,                       -- what was too close or too far to choose, for the review page
    reason        text NOT NULL DEFAULT '',    -- one sentence: why decided so
    tries         smallint NOT NULL DEFAULT 0, -- decisions that ended not_found or failed
    created_at    timestamptz NOT NULL,
    decided_at    timestamptz,
    recheck_at    timestamptz
);
CREATE INDEX lookups_pending ON lookups (id) WHERE status = 'pending';
CREATE INDEX lookups_recheck ON lookups (recheck_at) WHERE recheck_at IS NOT NULL;
CREATE INDEX lookups_match ON lookups (match_id) WHERE match_id IS NOT NULL;

-- A decided identity. A lookup's match is shared by all; a scrobble's own match rests on what only that play knows.
CREATE TABLE matches (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    lookup_id        bigint UNIQUE REFERENCES lookups ON DELETE CASCADE,
    scrobble_id      bigint UNIQUE,
    recording_id     bigint NOT NULL REFERENCES recordings,
    release_id       bigint REFERENCES releases,
    release_group_id bigint REFERENCES release_groups,
    source           text NOT NULL,
    distance         real NOT NULL,            -- 0 identical … 1
    penalties        jsonb NOT NULL DEFAULT '[]',
    reason           text NOT NULL,
    decided_at       timestamptz NOT NULL,
    CHECK ((lookup_id IS NULL) <> (scrobble_id IS NULL))
);
CREATE INDEX matches_release_group ON matches (release_group_id);
CREATE INDEX matches_recording ON matches (recording_id);
ALTER TABLE lookups ADD FOREIGN KEY (match_id) REFERENCES matches ON DELETE SET NULL DEFERRABLE INITIALLY DEFERRED;

-- ------------------------------------------------------------------ scrobbles

-- account_id and lookup_id are references without the constraint, whose check of every row took 16 of the 60 ms in
-- which PostgreSQL stored 1,000 plays. pipeline.submit, the only writer, holds both: it has written the lookups in
-- the same transaction (nothing deletes a lookup), and its event's reference locks the account.
CREATE TABLE scrobbles (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id      bigint NOT NULL,           -- of accounts
    listened_at     timestamptz NOT NULL,
    identity        bytea NOT NULL,            -- names.digest(artist, track)
    lookup_id       bigint NOT NULL,           -- of lookups
    artist          text NOT NULL,             -- as sent
    track           text NOT NULL,
    release         text NOT NULL DEFAULT '',
    album_artist    text NOT NULL DEFAULT '',
    duration_ms     integer,
    source_app      text NOT NULL DEFAULT '',
    source_device   text NOT NULL DEFAULT '',
    origin          text NOT NULL,
    artwork_uri     text NOT NULL DEFAULT '',
    evidence        jsonb,                     -- model.Evidence; NULL where the client sent none
    extra           jsonb,                     -- every further field, as sent; NULL where none
    match_id        bigint REFERENCES matches ON DELETE SET NULL,  -- own match, from evidence or correction
    inserted_at     timestamptz NOT NULL,
    UNIQUE (account_id, listened_at, identity)  -- also the order of every feed, and what is near in time
);
CREATE INDEX scrobbles_lookup ON scrobbles (lookup_id, account_id);
CREATE INDEX scrobbles_match ON scrobbles (match_id) WHERE match_id IS NOT NULL;  -- else deleting a match reads all plays
ALTER TABLE matches ADD FOREIGN KEY (scrobble_id) REFERENCES scrobbles ON DELETE CASCADE;

CREATE FUNCTION delete_plays_of_account() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM scrobbles WHERE account_id = OLD.id;
    RETURN NULL;
END $$;
-- After, not before: the account's row is locked by then, so whoever is storing has committed or will fail.
CREATE TRIGGER delete_plays AFTER DELETE ON accounts FOR EACH ROW EXECUTE FUNCTION delete_plays_of_account();

-- One row an account: what plays now, until expires_at.
CREATE TABLE now_playing (
    account_id bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    lookup_id  bigint NOT NULL REFERENCES lookups,
    scrobble   jsonb NOT NULL,          -- model.Scrobble
    started_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL
);

-- ListenBrainz' latest-import: the newest listen a client says it has imported, per service.
CREATE TABLE latest_imports (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    service    text NOT NULL,
    latest_at  timestamptz NOT NULL,
    PRIMARY KEY (account_id, service)
);

-- ------------------------------------------------------------------ asking: wants, replies, traces, budgets

-- What we want to know. A lane claims rows, most wanted first, and deletes them when answered.
CREATE TABLE wants (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text NOT NULL,
    question_key bytea NOT NULL,              -- digest of the question, see store/wants.py
    question     jsonb NOT NULL,              -- sources.contract.Question
    kind         text NOT NULL,               -- its tag
    band         smallint NOT NULL,
    plays        integer NOT NULL DEFAULT 1,  -- plays waiting, for the order within a band
    wanted_at    timestamptz NOT NULL,
    due_at       timestamptz NOT NULL,        -- not before: backoff after a fault
    leased_until timestamptz,                 -- a lane has it; after this moment it may be claimed again
    faults       smallint NOT NULL DEFAULT 0, -- faults of its own so far (a throttle or an open breaker is not its own)
    pack_limit   smallint,                    -- ask in packs of at most this many: a larger one told nothing
    UNIQUE (source, question_key)
);
CREATE INDEX wants_order ON wants (source, band DESC, plays DESC, id);

-- Which stage wakes for which subject when a want is settled.
CREATE TABLE waiters (
    want_id    bigint NOT NULL REFERENCES wants ON DELETE CASCADE,
    stage      text NOT NULL,   -- match (a lookup's id), evidence (a scrobble's id), artwork (a release group's id)
    subject_id bigint NOT NULL,
    PRIMARY KEY (want_id, stage, subject_id)
);
CREATE INDEX waiters_subject ON waiters (stage, subject_id);

-- Which questions were put for which subject, kept after the want is gone: leads from a lookup to its traces.
CREATE TABLE inquiries (
    stage        text NOT NULL,
    subject_id   bigint NOT NULL,
    question_key bytea NOT NULL,
    PRIMARY KEY (stage, subject_id, question_key)
);

-- What a source answered. A fault is never a reply; 'given_up' marks a question whose retries are spent.
CREATE TABLE replies (
    source       text NOT NULL,
    question_key bytea NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('answered', 'absent', 'given_up')),
    answer       jsonb NOT NULL,       -- sources.contract.Answer
    answered_at  timestamptz NOT NULL,
    PRIMARY KEY (source, question_key)
);

-- One row for each time a question was asked: the small print. Names no account.
CREATE TABLE traces (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    source       text NOT NULL,
    question_key bytea NOT NULL,
    kind         text NOT NULL,
    request_id   uuid NOT NULL,          -- questions packed into one request share it
    band         smallint NOT NULL,
    wanted_at    timestamptz NOT NULL,
    asked_at     timestamptz NOT NULL,
    took_ms      integer NOT NULL,
    outcome      text NOT NULL CHECK (outcome IN ('answered', 'absent', 'unknown', 'fault')),
    candidates   smallint NOT NULL DEFAULT 0,
    status       smallint,               -- HTTP, NULL where none came
    note         text NOT NULL DEFAULT ''
);
CREATE INDEX traces_question ON traces (question_key, asked_at);
CREATE INDEX traces_asked ON traces (asked_at);

-- One row a host, shared by every process.
CREATE TABLE budgets (
    host         text PRIMARY KEY,
    sent         timestamptz[] NOT NULL DEFAULT '{}',  -- the last N send times, oldest first
    paused_until timestamptz,                          -- told to wait, or breaker open
    pause_reason text NOT NULL DEFAULT '',
    faults       integer NOT NULL DEFAULT 0            -- consecutive; an answer, also "absent", resets it
);

-- ------------------------------------------------------------------ events

-- Facts worth telling an account's pages. Read in order of (xid, id), below pg_snapshot_xmin. Kept 24 h.
CREATE TABLE events (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    xid        xid8 NOT NULL DEFAULT pg_current_xact_id(),
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind       text NOT NULL,
    payload    jsonb NOT NULL,
    created_at timestamptz NOT NULL
);
CREATE INDEX events_account ON events (account_id, xid, id);
CREATE INDEX events_created ON events (created_at);

-- The newest event purged so far, one row: a reader that had not come so far has missed something.
CREATE TABLE events_purged (
    one boolean PRIMARY KEY DEFAULT true CHECK (one),
    xid xid8 NOT NULL,
    id  bigint NOT NULL
);

-- ------------------------------------------------------------------ jobs

-- How often each PgQueuer job was started: its own count of attempts leaves out workers that died.
CREATE TABLE job_starts (
    job_id     bigint PRIMARY KEY,
    starts     smallint NOT NULL,
    started_at timestamptz NOT NULL
);
