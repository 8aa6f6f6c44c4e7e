-- When a host last told us to slow down: soon after it, some services' finding nothing proves no absence.

ALTER TABLE budgets ADD COLUMN throttled_at timestamptz;

-- An image that does not decode is fetched again a few times, each by itself: one broken cover must not use up the
-- patience with another.

ALTER TABLE artworks DROP COLUMN unusable;
ALTER TABLE artwork_candidates
    ADD COLUMN undecodable smallint NOT NULL DEFAULT 0;  -- fetches whose bytes did not decode

-- The names of one album, found by the hash of artist and album: keys themselves may be longer than an index takes.
CREATE INDEX lookups_album ON lookups (hashtextextended(artist_key || '/' || release_key, 0)) WHERE release_key <> '';

-- What brings an album's cover is asked before what brings none.
ALTER TABLE wants ADD leads boolean NOT NULL DEFAULT false;

-- A temporary cover, by the names that were sent, until the matched album's own is chosen.
ALTER TABLE lookups ADD image_id bigint REFERENCES images ON DELETE SET NULL;
CREATE INDEX lookups_image ON lookups (image_id) WHERE image_id IS NOT NULL;
