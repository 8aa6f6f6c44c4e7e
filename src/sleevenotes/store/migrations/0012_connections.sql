-- Connections: an account of ours and a listener's name at a service, whose history is read and to which plays may be
-- forwarded; and how far its history has been read.

CREATE TABLE connections (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    service      text NOT NULL CHECK (service IN ('lastfm', 'listenbrainz')),
    user_name    text NOT NULL,                  -- at the service; '' until the service has told it
    secret       text NOT NULL DEFAULT '',       -- Last.fm's session key, ListenBrainz' token: never shown, never logged
    token        text NOT NULL DEFAULT '',       -- of the web flow, to be exchanged for both; '' when done
    status       text NOT NULL
                 CHECK (status IN ('connecting', -- -> open, stopped
                                   'open',       -- -> stopped
                                   'stopped')),  -- -> connecting, open: the listener connects again
    problem      text NOT NULL DEFAULT '',       -- what is wrong, a word of store.connections.Problem; '' for nothing
    note         text NOT NULL DEFAULT '',       -- what the service said, in a sentence
    faults       smallint NOT NULL DEFAULT 0,    -- rounds of retries that were spent, one after another
    forwards     boolean NOT NULL DEFAULT false, -- plays are forwarded there
    connected_at timestamptz NOT NULL,
    synced_until timestamptz,                    -- what was played there until then has been read; NULL before the first look
    synced_at    timestamptz,                    -- when it was last looked for new plays
    looked_back  timestamptz,                    -- when it was last looked for plays that came late
    sync_due     timestamptz,                    -- when to look again
    UNIQUE (account_id, service)
);
CREATE INDEX connections_due ON connections (sync_due) WHERE status = 'open';

-- A walk back through a history, page by page, each ending where the one before began: new plays shift nothing.
CREATE TABLE walks (
    connection_id bigint NOT NULL REFERENCES connections ON DELETE CASCADE,
    kind          text NOT NULL CHECK (kind IN ('history', 'sync', 'loved')),
    since         timestamptz,                 -- what is older is not asked for; NULL: nothing is too old
    before        timestamptz,                 -- the next page's end: what is later has been read; NULL: not begun
    page          integer NOT NULL DEFAULT 1,  -- over 1 where pages cannot be told apart by time
    newest        timestamptz,                 -- of the plays read in this walk
    total         integer,                     -- how many there are, as the service tells; NULL until it has
    read          integer NOT NULL DEFAULT 0,  -- plays read in this walk …
    stored        integer NOT NULL DEFAULT 0,  -- … and those of them that were new
    skipped       integer NOT NULL DEFAULT 0,  -- … and those without a date, an artist or a title
    begun_at      timestamptz NOT NULL,
    moved_at      timestamptz NOT NULL,        -- when the latest page was read
    ended_at      timestamptz,                 -- NULL: under way
    PRIMARY KEY (connection_id, kind)
);

-- What was read from there is counted, and removed where the listener says so.
CREATE INDEX scrobbles_synced ON scrobbles (account_id, origin, listened_at)
    WHERE origin IN ('lastfm', 'listenbrainz_sync');
