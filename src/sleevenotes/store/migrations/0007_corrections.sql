-- What listeners say their plays really are, and what they search for to say so.

-- One act of a listener: one name, a whole album, or many names that are right as they are. Undone as a unit.
CREATE TABLE corrections (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind IN ('match',      -- one name is this recording
                                             'album',      -- an album's names are on this release
                                             'none',       -- none of what was found: keep it silent
                                             'confirmed')), -- right as they are
    everybody  boolean NOT NULL DEFAULT false,  -- the owner said it for all accounts
    created_at timestamptz NOT NULL,
    undone_at  timestamptz
);
CREATE INDEX corrections_account ON corrections (account_id, id);

-- What an act says of one name. Of several for the same account and name, the newest that is not undone is in force;
-- of several for everybody, too.
CREATE TABLE corrected (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    correction_id bigint NOT NULL REFERENCES corrections ON DELETE CASCADE,
    account_id    bigint NOT NULL,              -- the correction's
    lookup_id     bigint NOT NULL REFERENCES lookups,
    match_id      bigint,                       -- of matches; NULL: none of what was found
    own           boolean NOT NULL DEFAULT false,  -- in force for its account
    everybody     boolean NOT NULL DEFAULT false,  -- in force for all accounts
    undone        boolean NOT NULL DEFAULT false,
    UNIQUE (correction_id, lookup_id),
    CHECK (NOT (undone AND (own OR everybody)))
);
CREATE UNIQUE INDEX corrected_own ON corrected (account_id, lookup_id) WHERE own;
CREATE UNIQUE INDEX corrected_everybody ON corrected (lookup_id) WHERE everybody;
CREATE INDEX corrected_lookup ON corrected (lookup_id, id);
CREATE INDEX corrected_match ON corrected (match_id) WHERE match_id IS NOT NULL;

ALTER TABLE matches
    ADD COLUMN corrected_id bigint UNIQUE REFERENCES corrected ON DELETE CASCADE,
    DROP CONSTRAINT matches_check,
    ADD CONSTRAINT matches_owner CHECK (num_nonnulls(lookup_id, scrobble_id, corrected_id) = 1);
ALTER TABLE corrected ADD FOREIGN KEY (match_id) REFERENCES matches DEFERRABLE INITIALLY DEFERRED;

-- What a listener asked for, to say what a name, or an album's names, really are. Dropped after some hours.
CREATE TABLE searches (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    lookup_id   bigint NOT NULL REFERENCES lookups,
    whole_album boolean NOT NULL,              -- for all names of the lookup's album
    asked       text NOT NULL,                 -- as people read it: "Björk, Jóga", or the link
    source      text NOT NULL,                 -- whom to ask; "" whoever can
    question    jsonb NOT NULL,                -- sources.contract.Question
    status      text NOT NULL DEFAULT 'pending'
                CHECK (status IN ('pending',   -- -> any other
                                  'answered', 'absent', 'failed')),
    candidates  jsonb NOT NULL DEFAULT '[]',   -- matching.decide.Weighed, the nearest first
    asked_at    timestamptz NOT NULL,
    answered_at timestamptz
);
CREATE INDEX searches_case ON searches (account_id, lookup_id, id);
CREATE INDEX searches_asked ON searches (asked_at);

-- Where to begin to look for what is doubtful.
CREATE INDEX lookups_near ON lookups (id) WHERE status = 'not_found' AND candidates <> '[]';
CREATE INDEX matches_doubtful ON matches (lookup_id) INCLUDE (distance) WHERE distance > 0 AND lookup_id IS NOT NULL;
CREATE INDEX recordings_foreign ON recordings (id) WHERE mbid IS NULL;
