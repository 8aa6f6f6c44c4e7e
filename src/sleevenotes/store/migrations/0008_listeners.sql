-- The listener's side: what a play keeps of where it came from and of how its listener wants it shown.
-- New columns are NULL or constant, so that no row is rewritten.

ALTER TABLE scrobbles
    ADD foreign_id         text NOT NULL DEFAULT '', -- the play's own id where it came from; '' where it has none
    ADD import_id          bigint,  -- the import that brought it, so that a whole import can be undone
    ADD same_as            bigint,  -- of scrobbles: the same play came from another origin first; hidden, not deleted
    ADD image_id           bigint,  -- of images: what the client sent or uploaded with this play, temporary art included
    ADD preferred_image_id bigint;  -- of images: what the listener chose for this play
CREATE INDEX scrobbles_import ON scrobbles (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX scrobbles_same_as ON scrobbles (same_as) WHERE same_as IS NOT NULL;
CREATE INDEX scrobbles_image ON scrobbles (image_id) WHERE image_id IS NOT NULL;
CREATE INDEX scrobbles_preferred_image ON scrobbles (preferred_image_id) WHERE preferred_image_id IS NOT NULL;

-- Loved and hated, by name: it holds for every play of the track, past and to come.
CREATE TABLE feedback (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    identity   bytea NOT NULL,     -- names.digest(artist, track), as scrobbles.identity
    artist     text NOT NULL,      -- as sent
    track      text NOT NULL,
    score      smallint NOT NULL CHECK (score IN (-1, 1)),  -- hated, loved; no row: neither
    given_at   timestamptz NOT NULL,
    PRIMARY KEY (account_id, identity)
);
CREATE INDEX feedback_given ON feedback (account_id, given_at);
