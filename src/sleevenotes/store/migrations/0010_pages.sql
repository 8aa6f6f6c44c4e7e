-- Counts that the pages read instead of all plays, and genres.
--
-- How often an account played a name: in all, by year and by month, all of them UTC's, so that no count depends on the
-- listener's zone; what a period begins and ends with is counted from the plays themselves (store/tallies.py).
-- No references: an account's plays are deleted after its row, and their marks fold the counts away.

CREATE TABLE tallies (
    account_id bigint NOT NULL,
    grain      smallint NOT NULL,           -- 0 all, 1 a year, 2 a month
    starts     date NOT NULL,               -- the first day of year or month; 1970-01-01 for all
    lookup_id  bigint NOT NULL,
    match_id   bigint NOT NULL,             -- the play's own match, 0 where it has none: decides what the play counts for
    plays      integer NOT NULL,
    PRIMARY KEY (account_id, grain, starts, lookup_id, match_id) INCLUDE (plays)
);
CREATE INDEX tallies_empty ON tallies (account_id) WHERE plays = 0;

-- Plays of one UTC day by quarter of an hour: every zone in use is a multiple of that away from UTC.
CREATE TABLE tally_days (
    account_id bigint NOT NULL,
    day        date NOT NULL,
    plays      integer NOT NULL,
    quarters   bytea NOT NULL,              -- 96 counts of two bytes each, the lower first
    PRIMARY KEY (account_id, day)
);

-- Months whose counts do not hold any more, written by whoever changed plays, in the same transaction. Only ever
-- inserted, never updated: two submits of one account must not wait for each other.
CREATE TABLE tally_marks (
    account_id bigint NOT NULL,
    month      date NOT NULL
);
CREATE INDEX tally_marks_account ON tally_marks (account_id, month);

CREATE FUNCTION mark_added_plays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_marks
    SELECT DISTINCT account_id, date_trunc('month', listened_at AT TIME ZONE 'UTC')::date FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER mark_added AFTER INSERT ON scrobbles REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION mark_added_plays();
CREATE TRIGGER mark_deleted AFTER DELETE ON scrobbles REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION mark_added_plays();

CREATE FUNCTION mark_changed_plays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tally_marks
    SELECT DISTINCT side.account_id, date_trunc('month', side.listened_at AT TIME ZONE 'UTC')::date
    FROM before JOIN after USING (id),
         LATERAL (VALUES (before.account_id, before.listened_at), (after.account_id, after.listened_at))
             AS side (account_id, listened_at)
    WHERE (before.account_id, before.listened_at, before.lookup_id, before.match_id, before.same_as IS NULL)
          IS DISTINCT FROM
          (after.account_id, after.listened_at, after.lookup_id, after.match_id, after.same_as IS NULL);
    RETURN NULL;
END $$;
CREATE TRIGGER mark_changed AFTER UPDATE ON scrobbles REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION mark_changed_plays();

INSERT INTO tally_marks
SELECT DISTINCT account_id, date_trunc('month', listened_at AT TIME ZONE 'UTC')::date FROM scrobbles;

-- What the counts of all and of years come to for artists, albums, tracks and genres: a copy, so that a chart of many
-- names is read by an index. A span without a row in tops_spans is not copied, or not any more.
CREATE TABLE tops (
    account_id bigint NOT NULL,
    grain      smallint NOT NULL,           -- as in tallies
    starts     date NOT NULL,
    kind       smallint NOT NULL,           -- 1 artist, 2 release group, 3 recording, 4 name without a match, 5 genre
    subject_id bigint NOT NULL,
    plays      integer NOT NULL,
    PRIMARY KEY (account_id, grain, starts, kind, subject_id) INCLUDE (plays)
);
CREATE INDEX tops_order ON tops (account_id, grain, starts, kind, plays DESC, subject_id);
CREATE TABLE tops_spans (
    account_id bigint NOT NULL,
    grain      smallint NOT NULL,
    starts     date NOT NULL,
    seen       xid8 NOT NULL,               -- whatever was restated in or after this transaction may be missing
    subjects   integer[] NOT NULL,          -- how many of each kind
    PRIMARY KEY (account_id, grain, starts)
);

-- Names that count for something else than before: matched, corrected, of another credit or genre. Written in the
-- transaction that does it, so that whoever sees the one sees the other.
CREATE TABLE restated (
    xid       xid8 NOT NULL DEFAULT pg_current_xact_id(),
    lookup_id bigint NOT NULL
);
CREATE INDEX restated_xid ON restated (xid, lookup_id);

CREATE FUNCTION restate_matches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO restated (lookup_id)
    SELECT DISTINCT coalesce(m.lookup_id, c.lookup_id, s.lookup_id) FROM changed m
    LEFT JOIN corrected c ON c.id = m.corrected_id LEFT JOIN scrobbles s ON s.id = m.scrobble_id
    WHERE coalesce(m.lookup_id, c.lookup_id, s.lookup_id) IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER restate_added AFTER INSERT ON matches REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_matches();
CREATE TRIGGER restate_deleted AFTER DELETE ON matches REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_matches();

CREATE FUNCTION restate_changed_matches() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO restated (lookup_id)
    SELECT DISTINCT coalesce(m.lookup_id, c.lookup_id, s.lookup_id) FROM after m JOIN before was USING (id)
    LEFT JOIN corrected c ON c.id = m.corrected_id LEFT JOIN scrobbles s ON s.id = m.scrobble_id
    WHERE (m.recording_id, m.release_group_id) IS DISTINCT FROM (was.recording_id, was.release_group_id)
      AND coalesce(m.lookup_id, c.lookup_id, s.lookup_id) IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER restate_changed AFTER UPDATE ON matches REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION restate_changed_matches();

CREATE FUNCTION restate_names() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO restated (lookup_id) SELECT DISTINCT lookup_id FROM changed;
    RETURN NULL;
END $$;
CREATE TRIGGER restate_added AFTER INSERT ON corrected REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_names();
CREATE TRIGGER restate_changed AFTER UPDATE ON corrected REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_names();
CREATE TRIGGER restate_deleted AFTER DELETE ON corrected REFERENCING OLD TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_names();

CREATE FUNCTION restate_credited() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO restated (lookup_id)
    SELECT DISTINCT coalesce(m.lookup_id, c.lookup_id, s.lookup_id)
    FROM after JOIN before USING (id) JOIN matches m ON m.recording_id = after.id
    LEFT JOIN corrected c ON c.id = m.corrected_id LEFT JOIN scrobbles s ON s.id = m.scrobble_id
    WHERE after.artist_credit_id <> before.artist_credit_id
      AND coalesce(m.lookup_id, c.lookup_id, s.lookup_id) IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER restate_credited AFTER UPDATE ON recordings REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION restate_credited();

-- The genres that sources tell of albums and artists, in replies that are asked for anyway, and those that an account's
-- own plays name (additional fields "genre" and "tags"). Names in lower case.
CREATE TABLE genres (
    id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE
);
CREATE TABLE release_group_genres (
    release_group_id bigint NOT NULL REFERENCES release_groups ON DELETE CASCADE,
    genre_id         bigint NOT NULL REFERENCES genres,
    source           text NOT NULL,
    PRIMARY KEY (release_group_id, genre_id, source)
);
CREATE TABLE artist_genres (
    artist_id bigint NOT NULL REFERENCES artists ON DELETE CASCADE,
    genre_id  bigint NOT NULL REFERENCES genres,
    source    text NOT NULL,
    PRIMARY KEY (artist_id, genre_id, source)
);
CREATE TABLE own_genres (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    lookup_id  bigint NOT NULL,
    genre_id   bigint NOT NULL REFERENCES genres,
    PRIMARY KEY (account_id, lookup_id, genre_id)
);
CREATE TRIGGER restate_own AFTER INSERT ON own_genres REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_names();

CREATE FUNCTION restate_album_genres() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO restated (lookup_id)
    SELECT DISTINCT coalesce(m.lookup_id, c.lookup_id, s.lookup_id)
    FROM changed JOIN matches m USING (release_group_id)
    LEFT JOIN corrected c ON c.id = m.corrected_id LEFT JOIN scrobbles s ON s.id = m.scrobble_id
    WHERE coalesce(m.lookup_id, c.lookup_id, s.lookup_id) IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER restate_added AFTER INSERT ON release_group_genres REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_album_genres();

CREATE FUNCTION restate_artist_genres() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO restated (lookup_id)
    SELECT DISTINCT coalesce(m.lookup_id, c.lookup_id, s.lookup_id)
    FROM changed JOIN artist_credit_names n USING (artist_id) JOIN recordings r USING (artist_credit_id)
    JOIN matches m ON m.recording_id = r.id
    LEFT JOIN corrected c ON c.id = m.corrected_id LEFT JOIN scrobbles s ON s.id = m.scrobble_id
    WHERE coalesce(m.lookup_id, c.lookup_id, s.lookup_id) IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER restate_added AFTER INSERT ON artist_genres REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION restate_artist_genres();

-- Takes the genres out of a play's additional fields: a text, or a list of texts; longer ones are no genres.
CREATE FUNCTION genres_of(extra jsonb) RETURNS SETOF text LANGUAGE sql IMMUTABLE AS $$
    SELECT DISTINCT lower(btrim(genre)) FROM (
        SELECT extra ->> 'genre' WHERE jsonb_typeof(extra -> 'genre') = 'string'
        UNION ALL
        SELECT each #>> '{}' FROM jsonb_array_elements(
            CASE jsonb_typeof(extra -> 'tags') WHEN 'array' THEN extra -> 'tags' ELSE '[]' END) AS each
        WHERE jsonb_typeof(each) = 'string'
    ) AS named (genre) WHERE length(btrim(genre)) BETWEEN 2 AND 40
$$;
INSERT INTO genres (name)
SELECT DISTINCT genre FROM scrobbles, genres_of(extra) AS genre WHERE extra ?| '{genre,tags}' ORDER BY 1;
INSERT INTO own_genres
SELECT DISTINCT account_id, lookup_id, genres.id FROM scrobbles, genres_of(extra) AS genre, genres
WHERE extra ?| '{genre,tags}' AND genres.name = genre AND EXISTS (SELECT FROM accounts WHERE id = account_id);

CREATE FUNCTION keep_own_genres() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM changed WHERE extra ?| '{genre,tags}') THEN
        RETURN NULL;
    END IF;
    INSERT INTO genres (name)
    SELECT DISTINCT genre FROM changed, genres_of(extra) AS genre
    WHERE extra ?| '{genre,tags}' AND NOT EXISTS (SELECT FROM genres WHERE name = genre)
    ORDER BY 1 ON CONFLICT DO NOTHING;
    INSERT INTO own_genres
    SELECT DISTINCT account_id, lookup_id, genres.id FROM changed, genres_of(extra) AS genre, genres
    WHERE extra ?| '{genre,tags}' AND genres.name = genre
      AND NOT EXISTS (SELECT FROM own_genres o WHERE (o.account_id, o.lookup_id, o.genre_id)
                                                   = (changed.account_id, changed.lookup_id, genres.id))
    ORDER BY 1, 2, 3 ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_genres AFTER INSERT ON scrobbles REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION keep_own_genres();

-- Names of artists as they are written, whatever the capitals: what was not matched counts for an artist so named.
CREATE INDEX artists_name ON artists (lower(name));

-- What a listener searches in: every name that an account has played, squeezed as names.key does.
CREATE TABLE searchable (
    account_id bigint NOT NULL,
    lookup_id  bigint NOT NULL,
    artist     text NOT NULL,
    release    text NOT NULL,
    track      text NOT NULL,
    PRIMARY KEY (account_id, lookup_id)
);
