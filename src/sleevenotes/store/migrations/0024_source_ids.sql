-- What sources themselves call a recording, an album or an artist, beside MusicBrainz' ids; shared by all.
CREATE TABLE source_ids (
    recording_id     bigint REFERENCES recordings ON DELETE CASCADE,      -- one of these three
    release_group_id bigint REFERENCES release_groups ON DELETE CASCADE,
    artist_id        bigint REFERENCES artists ON DELETE CASCADE,
    source           text NOT NULL,
    foreign_kind     text NOT NULL DEFAULT '',  -- the source's own, where it has several of one: "master", "release"
    foreign_id       text NOT NULL DEFAULT '',  -- '': the source was asked, and has none
    page             text NOT NULL DEFAULT '',  -- where a listener finds it; '' where no reply tells
    told_at          timestamptz NOT NULL,
    CHECK (num_nonnulls(recording_id, release_group_id, artist_id) = 1)
);
CREATE UNIQUE INDEX source_ids_recording ON source_ids (recording_id, source, foreign_kind)
    WHERE recording_id IS NOT NULL;
CREATE UNIQUE INDEX source_ids_release_group ON source_ids (release_group_id, source, foreign_kind)
    WHERE release_group_id IS NOT NULL;
CREATE UNIQUE INDEX source_ids_artist ON source_ids (artist_id, source, foreign_kind) WHERE artist_id IS NOT NULL;

-- Rows that are identified by a source's own id have always had it. Discogs' has a letter for its kind, and none of
-- artists; Last.fm's is the path of the page.
WITH had AS (
    SELECT of, id, split_part(foreign_id, ':', 1) AS source, substr(foreign_id, strpos(foreign_id, ':') + 1) AS own, at
    FROM (SELECT 'track' AS of, id, foreign_id, fetched_at AS at FROM recordings
          UNION ALL SELECT 'album', id, foreign_id, fetched_at FROM release_groups
          UNION ALL SELECT 'artist', id, foreign_id, '1970-01-01Z' FROM artists) AS every
    WHERE foreign_id ~ '^(deezer|itunes|theaudiodb):[1-9]\d*$' OR foreign_id ~ '^lastfm:.'
       OR of = 'album' AND foreign_id ~ '^discogs:[mr]\d+$'
)
INSERT INTO source_ids (recording_id, release_group_id, artist_id, source, foreign_kind, foreign_id, page, told_at)
SELECT CASE of WHEN 'track' THEN id END, CASE of WHEN 'album' THEN id END, CASE of WHEN 'artist' THEN id END, source,
       CASE WHEN source <> 'discogs' THEN '' WHEN own LIKE 'm%' THEN 'master' ELSE 'release' END,
       CASE source WHEN 'discogs' THEN substr(own, 2) ELSE own END,
       CASE source WHEN 'deezer' THEN 'https://www.deezer.com/' || of || '/' || own
                   WHEN 'lastfm' THEN 'https://www.last.fm/music/' || own ELSE '' END, at
FROM had;

-- How far collecting a popular name's ids is: they are asked for when the name is taken up, and after faults.
ALTER TABLE popular
    ADD COLUMN ids_at     timestamptz,                  -- since when they are being asked for; NULL: nobody does
    ADD COLUMN ids_due_at timestamptz,                  -- when to ask (again), apart from the name's turn
    ADD COLUMN ids_tries  smallint NOT NULL DEFAULT 0;  -- looks in a row that met one
CREATE INDEX popular_ids_open ON popular (ids_at) WHERE ids_at IS NOT NULL;
CREATE INDEX popular_ids_due ON popular (ids_due_at) WHERE ids_due_at IS NOT NULL;
