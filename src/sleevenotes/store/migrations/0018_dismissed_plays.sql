-- What a listener has deleted or told anew does not come back by the next sync, which reads the last days once more.

CREATE TABLE dismissed_plays (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    listened_at timestamptz NOT NULL,
    identity    bytea NOT NULL,         -- as scrobbles.identity: it had this key when it was here
    PRIMARY KEY (account_id, listened_at, identity)
);

-- Whoever deletes or rewrites plays need not know of histories, hence triggers. Of an account without a connection
-- nothing is remembered (so disconnecting, and deleting an account, remember nothing), nor of an import's plays: an
-- import is undone, not judged.
CREATE FUNCTION dismiss_play() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO dismissed_plays (account_id, listened_at, identity)
    SELECT OLD.account_id, OLD.listened_at, OLD.identity
    WHERE EXISTS (SELECT FROM connections WHERE account_id = OLD.account_id)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER dismiss_deleted AFTER DELETE ON scrobbles
    FOR EACH ROW WHEN (OLD.import_id IS NULL) EXECUTE FUNCTION dismiss_play();
CREATE TRIGGER dismiss_rewritten AFTER UPDATE OF listened_at, identity ON scrobbles
    FOR EACH ROW WHEN (OLD.import_id IS NULL
                       AND (OLD.listened_at, OLD.identity) IS DISTINCT FROM (NEW.listened_at, NEW.identity))
    EXECUTE FUNCTION dismiss_play();
