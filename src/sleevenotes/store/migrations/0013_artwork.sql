-- Covers that listeners chose, and images that came with plays.

-- What a listener preferred, one row an act; nothing is deleted, so that every act can be undone (store/preferences.py).
CREATE TABLE artwork_preferences (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id       bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    scrobble_id      bigint REFERENCES scrobbles ON DELETE CASCADE,  -- for this play alone; NULL: for its album
    artist           text NOT NULL,              -- as sent, or as the album is printed
    release          text NOT NULL,              -- "": the artist's plays that came without an album
    artist_key       text NOT NULL,              -- names.key, of key_version
    release_key      text NOT NULL,
    key_version      smallint NOT NULL,
    release_group_id bigint REFERENCES release_groups ON DELETE SET NULL,  -- what the names led to; NULL without album
    image_id         bigint REFERENCES images,   -- NULL: none, as it comes
    address          text NOT NULL DEFAULT '',   -- where the listener took it from; "" a candidate or an upload
    chosen_at        timestamptz NOT NULL,
    in_force         boolean NOT NULL,
    superseded_by    bigint REFERENCES artwork_preferences ON DELETE SET NULL,  -- in force again when that is undone
    undone_at        timestamptz,
    CHECK (NOT (in_force AND (superseded_by IS NOT NULL OR undone_at IS NOT NULL)))
);
CREATE UNIQUE INDEX artwork_preferences_album ON artwork_preferences (account_id, artist_key, release_key)
    WHERE in_force AND scrobble_id IS NULL;
CREATE INDEX artwork_preferences_group ON artwork_preferences (account_id, release_group_id)
    WHERE in_force AND scrobble_id IS NULL;
CREATE INDEX artwork_preferences_unmatched ON artwork_preferences (artist_key, release_key)
    WHERE in_force AND release_group_id IS NULL AND release_key <> '';
CREATE UNIQUE INDEX artwork_preferences_play ON artwork_preferences (scrobble_id) WHERE in_force;
CREATE INDEX artwork_preferences_scrobble ON artwork_preferences (scrobble_id) WHERE scrobble_id IS NOT NULL;
CREATE INDEX artwork_preferences_account ON artwork_preferences (account_id, id);
CREATE INDEX artwork_preferences_image ON artwork_preferences (image_id) WHERE image_id IS NOT NULL;
CREATE INDEX artwork_preferences_superseded ON artwork_preferences (superseded_by) WHERE superseded_by IS NOT NULL;
CREATE INDEX artwork_preferences_release_group ON artwork_preferences (release_group_id)
    WHERE release_group_id IS NOT NULL;

-- Addresses of images that plays came with, each fetched once whoever sent it (store/sent_images.py).
CREATE TABLE sent_images (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    digest     bytea NOT NULL UNIQUE,      -- sha256 of the address: plays are joined by it
    address    text NOT NULL,
    temporary  boolean NOT NULL,           -- Last.fm's: it gives way to the album's cover
    status     text NOT NULL DEFAULT 'pending'
               CHECK (status IN ('pending',    -- -> any other
                                 'fetched',
                                 'refused',    -- it leads to no cover: the reason says to what
                                 'failed')),   -- it could not be reached; both -> pending when it is sent again
    image_id   bigint REFERENCES images ON DELETE SET NULL,  -- NULL unless fetched, and when a stop-gap is gone
    reason     text NOT NULL DEFAULT '',
    lookup_ids bigint[] NOT NULL DEFAULT '{}',  -- whose plays wait for it, to tell their pages
    asked_at   timestamptz NOT NULL,
    decided_at timestamptz
);
CREATE INDEX sent_images_image ON sent_images (image_id) WHERE image_id IS NOT NULL;

-- Uploads that nothing shows any more are dropped.
CREATE INDEX images_uploaded ON images (created_at) WHERE source = 'upload';
