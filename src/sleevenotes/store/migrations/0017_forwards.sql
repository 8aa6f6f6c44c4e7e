-- Forwarding: plays that are sent on to a service their listener has connected, and what became of each.

-- Which listeners want it where, and how the sending stands.
CREATE TABLE forwarding (
    account_id   bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    service      text NOT NULL CHECK (service IN ('lastfm', 'listenbrainz')),
    since        timestamptz NOT NULL,           -- plays from then on are sent; turned off is no row
    due_at       timestamptz NOT NULL,           -- nothing is sent before: backoff after a fault
    leased_until timestamptz,                    -- a process is sending; after this moment another may
    faults       smallint NOT NULL DEFAULT 0,    -- one after another
    note         text NOT NULL DEFAULT '',       -- what keeps it waiting, in a sentence; '' for nothing
    pack_limit   smallint,                       -- send at most so many together: something in a larger pack was refused
    playing      jsonb,                          -- model.Scrobble that plays now and is yet to be told, never twice
    PRIMARY KEY (account_id, service)
);
CREATE INDEX forwarding_due ON forwarding (due_at);

-- One row for each play and service. It outlives the play, so that what comes back from there is recognised.
CREATE TABLE forwards (
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    service     text NOT NULL,
    scrobble_id bigint NOT NULL,            -- of scrobbles
    listened_at timestamptz NOT NULL,       -- the second it is sent with
    artist      text NOT NULL,              -- as sent
    track       text NOT NULL,
    status      text NOT NULL DEFAULT 'waiting'
                CHECK (status IN ('waiting',    -- -> sending, refused, withdrawn
                                  'sending',    -- -> sent, waiting, refused: its fate is not known yet
                                  'sent',
                                  'refused',    -- -> waiting, when the listener asks
                                  'withdrawn')),-- deleted, or hidden behind one that is there already
    reason      text NOT NULL DEFAULT '',   -- why refused or withdrawn, in a sentence
    told_artist text NOT NULL DEFAULT '',   -- the names as the service corrected them; '' where it kept ours
    told_track  text NOT NULL DEFAULT '',
    queued_at   timestamptz NOT NULL,
    done_at     timestamptz,
    PRIMARY KEY (account_id, service, scrobble_id)
);
CREATE INDEX forwards_waiting ON forwards (account_id, service, listened_at, scrobble_id)
    WHERE status IN ('waiting', 'sending');
CREATE INDEX forwards_at ON forwards (account_id, service, listened_at);
