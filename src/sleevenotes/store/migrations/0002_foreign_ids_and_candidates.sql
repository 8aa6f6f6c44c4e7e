-- What comes without MBIDs, the covers that were offered, and images that terms forbid to keep.

-- ------------------------------------------------------------------ catalogue: another source's id where there is no MBID

ALTER TABLE artists
    ADD COLUMN foreign_id text UNIQUE,  -- "deezer:27"; a row has an MBID or a foreign id, never both
    ADD CONSTRAINT artists_identity CHECK (num_nonnulls(mbid, foreign_id) = 1);
ALTER TABLE release_groups
    ADD COLUMN foreign_id text UNIQUE,
    ADD CONSTRAINT release_groups_identity CHECK (num_nonnulls(mbid, foreign_id) = 1);
ALTER TABLE releases
    ADD COLUMN foreign_id text UNIQUE,
    ADD CONSTRAINT releases_identity CHECK (num_nonnulls(mbid, foreign_id) = 1);
ALTER TABLE recordings
    ADD COLUMN foreign_id text UNIQUE,
    ADD CONSTRAINT recordings_identity CHECK (num_nonnulls(mbid, foreign_id) = 1);

-- ------------------------------------------------------------------ images: attribution, and what is not kept

ALTER TABLE images
    ADD COLUMN page   text NOT NULL DEFAULT '',  -- where a listener finds it at its source
    ADD COLUMN credit text NOT NULL DEFAULT '';  -- what the source's terms want shown beside it
CREATE INDEX images_expiring ON images (expires_at) WHERE expires_at IS NOT NULL;

-- ------------------------------------------------------------------ candidates: every cover an album was offered

-- Kept, so that the choice is made among what arrived and not by the order of arrival, can be told on the album's
-- page, and can be changed by the listener.
CREATE TABLE artwork_candidates (
    id               bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    release_group_id bigint NOT NULL REFERENCES release_groups ON DELETE CASCADE,
    source           text NOT NULL,               -- who says that it is the album's cover
    url              text NOT NULL,
    subject          text NOT NULL DEFAULT 'release_group'
                     CHECK (subject IN ('release', 'release_group')),  -- whose front: the matched edition's, the album's
    exact            boolean NOT NULL,            -- found by an MBID, not by names
    artist           text NOT NULL DEFAULT '',    -- whose the source says it is
    release          text NOT NULL DEFAULT '',
    width            integer NOT NULL DEFAULT 0,  -- as the source says until fetched, then as measured; 0 not told
    height           integer NOT NULL DEFAULT 0,
    page             text NOT NULL DEFAULT '',
    status           text NOT NULL
                     CHECK (status IN ('wanted',    -- -> fetched, refused
                                       'fetched',   -- decoded: it stands for the choice
                                       'refused')), -- -> wanted, when the source offers it again later
    image_id         bigint REFERENCES images,    -- what it was decoded to; NULL unless fetched
    phash            bigint,                      -- artwork.likeness, its 64 bits as a signed number; NULL not measured
    reason           text NOT NULL DEFAULT '',    -- one sentence: why refused, or why not chosen
    seen_at          timestamptz NOT NULL,        -- when the source last offered it
    UNIQUE (release_group_id, source, url),
    CHECK ((image_id IS NOT NULL) = (status = 'fetched'))
);
CREATE INDEX artwork_candidates_image ON artwork_candidates (image_id) WHERE image_id IS NOT NULL;
CREATE INDEX artwork_candidates_seen ON artwork_candidates (source, seen_at);  -- what may be kept for hours only

-- Covers chosen before there were candidates take part in later choices; all came from the Cover Art Archive.
INSERT INTO artwork_candidates
    (release_group_id, source, url, subject, exact, width, height, status, image_id, seen_at)
SELECT release_group_id, source, source_url,
       CASE WHEN source_url LIKE '%/release/%' THEN 'release' ELSE 'release_group' END,
       true, width, height, 'fetched', image_id, coalesce(decided_at, wanted_at)
FROM artworks JOIN images ON images.id = image_id;
