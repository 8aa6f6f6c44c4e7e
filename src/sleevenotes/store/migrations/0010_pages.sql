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
    quarters   smallint[] NOT NULL,         -- 96 of them
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

-- The genres that sources tell of albums and artists, in replies that are asked for anyway, and those that an account's
-- own plays name (additional fields "genre" and "tags"). All in lower case.
CREATE TABLE release_group_genres (
    release_group_id bigint NOT NULL REFERENCES release_groups ON DELETE CASCADE,
    genre            text NOT NULL,
    source           text NOT NULL,
    PRIMARY KEY (release_group_id, genre, source)
);
CREATE TABLE artist_genres (
    artist_id bigint NOT NULL REFERENCES artists ON DELETE CASCADE,
    genre     text NOT NULL,
    source    text NOT NULL,
    PRIMARY KEY (artist_id, genre, source)
);
CREATE TABLE own_genres (
    account_id bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    lookup_id  bigint NOT NULL,
    genre      text NOT NULL,
    PRIMARY KEY (account_id, lookup_id, genre)
);

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
INSERT INTO own_genres
SELECT DISTINCT account_id, lookup_id, genre FROM scrobbles, genres_of(extra) AS genre
WHERE extra ?| '{genre,tags}' AND EXISTS (SELECT FROM accounts WHERE id = account_id);

CREATE FUNCTION keep_own_genres() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO own_genres
    SELECT DISTINCT account_id, lookup_id, genre FROM changed, genres_of(extra) AS genre
    WHERE extra ?| '{genre,tags}' ORDER BY 1, 2, 3
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER keep_genres AFTER INSERT ON scrobbles REFERENCING NEW TABLE AS changed
    FOR EACH STATEMENT EXECUTE FUNCTION keep_own_genres();
