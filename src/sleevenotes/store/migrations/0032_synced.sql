-- What a connection brought, without what was imported from a file of the same service: it stays when the other goes.
DROP INDEX scrobbles_synced;
CREATE INDEX scrobbles_synced ON scrobbles (account_id, origin, listened_at)
    WHERE origin IN ('lastfm', 'listenbrainz_sync') AND import_id IS NULL;
