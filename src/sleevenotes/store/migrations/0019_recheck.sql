-- Looking again, each kind of absence and fault by its own dates; sources that are new; covers that are small.

-- What was absent or failed before waits among what is due, and is held to a bounded number under way.
CREATE INDEX lookups_again ON lookups (id) WHERE status = 'pending' AND tries > 0;
CREATE INDEX artworks_again ON artworks (release_group_id) WHERE status = 'pending' AND tries > 0;

-- Artists without a picture: looked for again by themselves.
ALTER TABLE portraits ADD tries smallint NOT NULL DEFAULT 0;  -- looks that found no picture
CREATE INDEX portraits_recheck ON portraits (look_again_at) WHERE status = 'told' AND image_id IS NULL;

-- Addresses that plays came with and that led to nothing.
ALTER TABLE sent_images
    ADD tries      smallint NOT NULL DEFAULT 0,  -- fetches that brought no image
    ADD recheck_at timestamptz;                  -- NULL where there is nothing to look for again
UPDATE sent_images SET recheck_at = decided_at + interval '1 day'
WHERE status IN ('refused', 'failed') AND address LIKE 'http%';
CREATE INDEX sent_images_recheck ON sent_images (recheck_at) WHERE recheck_at IS NOT NULL;

-- Plays whose client told more than the names, and of which a source did not know that, or could not be reached.
CREATE TABLE evidence_rechecks (
    scrobble_id bigint PRIMARY KEY REFERENCES scrobbles ON DELETE CASCADE,
    tries       smallint NOT NULL DEFAULT 0,
    recheck_at  timestamptz  -- NULL while it is asked
);
CREATE INDEX evidence_rechecks_due ON evidence_rechecks (recheck_at) WHERE recheck_at IS NOT NULL;

-- Covers that are smaller than wanted: looked for again, without leaving what is shown.
ALTER TABLE artworks
    ADD larger_at    timestamptz,                  -- NULL where the cover is as large as wanted, or there is none
    ADD larger_tries smallint NOT NULL DEFAULT 0;  -- looks for a larger one so far
CREATE INDEX artworks_larger ON artworks (larger_at) WHERE larger_at IS NOT NULL;

-- Which sources could be asked what, when a worker last started: what is not here, or was lost, is new.
CREATE TABLE source_abilities (
    source  text NOT NULL,
    kind    text NOT NULL,         -- of a question: find_recording, find_images, find_artist
    since   timestamptz NOT NULL,
    lost_at timestamptz,           -- NULL while it can be asked
    PRIMARY KEY (source, kind)
);

-- What a source that is new is asked, of what the others left open.
CREATE TABLE backfills (
    source   text NOT NULL,
    kind     text NOT NULL,
    begun_at timestamptz NOT NULL,
    total    integer NOT NULL,            -- names, albums or artists, when it began
    asked    integer NOT NULL DEFAULT 0,  -- how many of them were taken up
    ended_at timestamptz,
    PRIMARY KEY (source, kind)
);

-- Those that are left: lookups, release groups or artists, by kind.
CREATE TABLE backfill_subjects (
    source     text NOT NULL,
    kind       text NOT NULL,
    subject_id bigint NOT NULL,
    plays      integer NOT NULL,  -- when it began: the most played go first
    PRIMARY KEY (source, kind, subject_id),
    FOREIGN KEY (source, kind) REFERENCES backfills ON DELETE CASCADE
);
CREATE INDEX backfill_subjects_order ON backfill_subjects (source, kind, plays DESC, subject_id);

-- What a deleted play had besides its row, to bring it back whole.
ALTER TABLE deleted_scrobbles
    ADD own_since   timestamptz,                   -- own_plays.decided_at; NULL where it was none
    ADD preferences jsonb NOT NULL DEFAULT '[]';   -- its rows in artwork_preferences

-- Under which keys plays were here before their listener told them anew: the file or client that brings one of these
-- again brings the same play. (No reference to the scrobble: a deleted one may come back.)
CREATE TABLE former_plays (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    listened_at timestamptz NOT NULL,
    identity    bytea NOT NULL,  -- as scrobbles.identity
    scrobble_id bigint NOT NULL,
    PRIMARY KEY (account_id, listened_at, identity)
);
CREATE INDEX former_plays_scrobble ON former_plays (scrobble_id);
