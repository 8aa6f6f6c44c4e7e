-- What is sent on goes with the connection it was asked for. Disconnecting used to leave the switch and what waited,
-- and both served whoever was connected next.

DELETE FROM forwarding f WHERE NOT EXISTS
    (SELECT FROM connections c WHERE c.account_id = f.account_id AND c.service = f.service AND c.forwards);
DELETE FROM forwards w WHERE status IN ('waiting', 'sending') AND NOT EXISTS
    (SELECT FROM forwarding f WHERE f.account_id = w.account_id AND f.service = w.service);
DELETE FROM forwards w WHERE status IN ('refused', 'withdrawn') AND NOT EXISTS
    (SELECT FROM connections c WHERE c.account_id = w.account_id AND c.service = w.service);

-- A switch older than its connection was turned for another one: what was played before this one does not go there.
DELETE FROM forwards w USING forwarding f, connections c
WHERE w.status IN ('waiting', 'sending') AND w.listened_at < c.connected_at AND f.since < c.connected_at
  AND (f.account_id, f.service) = (w.account_id, w.service) AND (c.account_id, c.service) = (w.account_id, w.service);
UPDATE forwarding f SET since = c.connected_at FROM connections c
WHERE (c.account_id, c.service) = (f.account_id, f.service) AND f.since < c.connected_at;

ALTER TABLE forwarding ADD FOREIGN KEY (account_id, service)
    REFERENCES connections (account_id, service) ON DELETE CASCADE;

-- A login that failed over a connection that works takes nothing away, and is only told.
ALTER TABLE connections ADD COLUMN login_note text NOT NULL DEFAULT '';  -- why the last one failed, in a sentence
