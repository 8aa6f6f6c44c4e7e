-- Last.fm's histories to the minute are a record of their own beside those to the second. What was imported before is told
-- by its form: of a table of Last.fm, plays that nearly all begin with a minute, and are too many for that to be chance.
WITH rough AS (
    SELECT i.id FROM imports i JOIN scrobbles s ON s.import_id = i.id
    WHERE i.format = 'lastfm_csv' AND s.origin = 'lastfm'
    GROUP BY i.id HAVING count(*) > 2
        AND count(*) FILTER (WHERE s.listened_at = date_trunc('minute', s.listened_at)) > 0.9 * count(*)
)
UPDATE scrobbles SET origin = 'lastfm_minutes' FROM rough
WHERE scrobbles.import_id = rough.id AND scrobbles.origin = 'lastfm';
-- Who keeps Last.fm apart from another means both of its histories.
INSERT INTO origins_apart (account_id, origin, other_origin, decided_at)
SELECT account_id, least(other, 'lastfm_minutes'), greatest(other, 'lastfm_minutes'), decided_at FROM (
    SELECT account_id, decided_at, CASE origin WHEN 'lastfm' THEN other_origin ELSE origin END AS other
    FROM origins_apart WHERE 'lastfm' IN (origin, other_origin)
) AS kept
WHERE EXISTS (SELECT FROM scrobbles s WHERE s.account_id = kept.account_id AND s.origin = 'lastfm_minutes')
ON CONFLICT DO NOTHING;
INSERT INTO account_origins
SELECT DISTINCT account_id, origin FROM scrobbles WHERE origin = 'lastfm_minutes' ON CONFLICT DO NOTHING;
DELETE FROM account_origins o WHERE origin = 'lastfm' AND EXISTS
    (SELECT FROM account_origins a WHERE a.account_id = o.account_id AND a.origin = 'lastfm_minutes')
    AND NOT EXISTS (SELECT FROM scrobbles s WHERE s.account_id = o.account_id AND s.origin = 'lastfm');
INSERT INTO comparisons (account_id, touched_at)
SELECT account_id, '1970-01-01Z' FROM account_origins a
WHERE EXISTS (SELECT FROM account_origins m WHERE m.account_id = a.account_id AND m.origin = 'lastfm_minutes')
GROUP BY 1 HAVING count(*) > 1 ON CONFLICT (account_id) DO UPDATE SET reached_at = NULL, reached_id = 0;
