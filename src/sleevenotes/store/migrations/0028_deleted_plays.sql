-- What a listener deletes stays deleted, also where an import brought it and no service is connected. Who deletes says
-- whether that was the listener's judgement: the triggers could only guess it, by what had brought the play.

DROP TRIGGER dismiss_deleted ON scrobbles;
DROP TRIGGER dismiss_rewritten ON scrobbles;  -- former_plays knows what was told anew
DROP FUNCTION dismiss_play();

ALTER TABLE dismissed_plays ADD COLUMN import_id bigint;  -- the import of an export of ours that said so; NULL: said here
CREATE INDEX dismissed_plays_import ON dismissed_plays (import_id) WHERE import_id IS NOT NULL;

-- What was told anew and is still here was not deleted.
DELETE FROM dismissed_plays d USING former_plays f, scrobbles s
WHERE (f.account_id, f.listened_at, f.identity) = (d.account_id, d.listened_at, d.identity) AND s.id = f.scrobble_id;

-- What was deleted within the last day.
INSERT INTO dismissed_plays (account_id, listened_at, identity)
SELECT account_id, (scrobble ->> 'listened_at')::timestamptz, (scrobble ->> 'identity')::bytea
FROM deletions d JOIN deleted_scrobbles s ON s.deletion_id = d.id ON CONFLICT DO NOTHING;
