-- What an import of our own export brought beside plays, so that undoing the import takes it back; NULL: said here.
ALTER TABLE corrections ADD COLUMN import_id bigint;
ALTER TABLE artwork_preferences ADD COLUMN import_id bigint;
ALTER TABLE own_plays ADD COLUMN import_id bigint;
ALTER TABLE origins_apart ADD COLUMN import_id bigint;
ALTER TABLE feedback ADD COLUMN import_id bigint;
CREATE INDEX corrections_import ON corrections (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX artwork_preferences_import ON artwork_preferences (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX own_plays_import ON own_plays (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX origins_apart_import ON origins_apart (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX feedback_import ON feedback (import_id) WHERE import_id IS NOT NULL;

ALTER TABLE imports ADD COLUMN acts integer NOT NULL DEFAULT 0;  -- corrections, covers and marks taken over

-- Spotify's account data are a record of their own beside its extended history, which tells albums and devices.
UPDATE scrobbles SET origin = 'spotify_account'
WHERE origin = 'spotify' AND import_id IS NOT NULL AND release = '' AND source_device = ''
  AND jsonb_typeof(extra -> 'ms_played') = 'number' AND extra - 'ms_played' = '{}';
-- Who keeps Spotify apart from another means both of its exports.
INSERT INTO origins_apart (account_id, origin, other_origin, decided_at)
SELECT account_id, least(other, 'spotify_account'), greatest(other, 'spotify_account'), decided_at FROM (
    SELECT account_id, decided_at, CASE origin WHEN 'spotify' THEN other_origin ELSE origin END AS other
    FROM origins_apart WHERE 'spotify' IN (origin, other_origin)
) AS kept ON CONFLICT DO NOTHING;
INSERT INTO account_origins
SELECT DISTINCT account_id, origin FROM scrobbles JOIN accounts ON accounts.id = account_id
WHERE origin = 'spotify_account' ON CONFLICT DO NOTHING;
DELETE FROM account_origins o WHERE origin = 'spotify' AND EXISTS
    (SELECT FROM account_origins a WHERE a.account_id = o.account_id AND a.origin = 'spotify_account')
    AND NOT EXISTS (SELECT FROM scrobbles s WHERE s.account_id = o.account_id AND s.origin = 'spotify');

-- Accounts whose plays are compared all over again: how far that is. Taken up wherever it lies (pipeline/comparing.py).
CREATE TABLE comparisons (
    account_id bigint PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    reached_at timestamptz,             -- compared up to this play (listened_at, id); NULL: not begun
    reached_id bigint NOT NULL DEFAULT 0,
    touched_at timestamptz NOT NULL     -- when it was asked for, or went on
);
-- Plays of several services that came before such plays were compared; or, from Spotify, as one service's.
INSERT INTO comparisons (account_id, touched_at)
SELECT account_id, '1970-01-01Z' FROM account_origins GROUP BY 1 HAVING count(*) > 1;

-- Names by artist, and by artist and track, whatever the release: an account's plays of a track are found by its names.
CREATE INDEX lookups_named ON lookups (hashtextextended(artist_key, 0), hashtextextended(track_key, 0));
