-- What reading an export back, and undoing a deletion, left behind: both could show a play twice, or never again.

CREATE TEMPORARY TABLE mended (account_id bigint NOT NULL) ON COMMIT DROP;

-- A play of its own has no record hidden behind it: saying so brings them forward. Where one has, nobody has said so; an
-- import that turned two records round has marked it. (Where the record has come forward since, nothing tells such a
-- mark from the listener's own, and it stays.)
WITH gone AS (
    DELETE FROM own_plays o USING scrobbles s
    WHERE s.id = o.scrobble_id AND EXISTS (SELECT FROM scrobbles h WHERE h.same_as = s.id) RETURNING s.account_id
)
INSERT INTO mended SELECT account_id FROM gone;

-- Records that are hidden behind a play that is gone come forward.
WITH forward AS (
    UPDATE scrobbles s SET same_as = NULL
    WHERE same_as IS NOT NULL AND NOT EXISTS (SELECT FROM scrobbles shown WHERE shown.id = s.same_as)
    RETURNING s.account_id
)
INSERT INTO mended SELECT account_id FROM forward;

-- They are compared with what lies near them, as everything of these accounts is.
INSERT INTO comparisons (account_id, touched_at)
SELECT DISTINCT account_id, timestamptz '1970-01-01Z' FROM mended JOIN accounts ON accounts.id = account_id
ON CONFLICT (account_id) DO UPDATE SET reached_at = NULL, reached_id = 0;
