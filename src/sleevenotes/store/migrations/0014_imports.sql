-- Imports of listening histories: what was given, how far it is, what was left out and why.

CREATE TABLE imports (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account_id  bigint NOT NULL REFERENCES accounts ON DELETE CASCADE,
    file_name   text NOT NULL,              -- as its owner calls it
    upload      text NOT NULL DEFAULT '',   -- the kept file's name in the directory of uploads; '' where it is gone
    size        bigint NOT NULL,            -- bytes
    format      text NOT NULL,              -- an importer's name
    options     jsonb NOT NULL DEFAULT '{}', -- importers.contract.Options
    status      text NOT NULL DEFAULT 'offered'
                CHECK (status IN ('offered',  -- looked at, not begun -> running
                                  'running',  -- -> done, failed, undoing
                                  'done',     -- -> undoing
                                  'failed',   -- -> running (again, from where it was), undoing
                                  'undoing',  -- -> undone
                                  'undone')),
    problem     text NOT NULL DEFAULT '',   -- why it failed
    position    bigint NOT NULL DEFAULT 0,  -- items of the file that are dealt with
    share       real NOT NULL DEFAULT 0,    -- part of the file that is read, 0 .. 1
    stored      integer NOT NULL DEFAULT 0, -- plays that are new
    duplicates  integer NOT NULL DEFAULT 0, -- plays that were there already
    feedback    integer NOT NULL DEFAULT 0, -- tracks loved or hated
    skipped     integer NOT NULL DEFAULT 0, -- rows of import_skips
    removed     integer NOT NULL DEFAULT 0, -- plays that undoing has deleted
    created_at  timestamptz NOT NULL,
    started_at  timestamptz,
    finished_at timestamptz
);
CREATE INDEX imports_account ON imports (account_id, id);

-- Rows of the file that became no play, and why.
CREATE TABLE import_skips (
    import_id bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    number    bigint NOT NULL,  -- which item of the upload it is, in the order of reading
    file      text NOT NULL,    -- within the archive, '' where there is only one
    unit      text NOT NULL,    -- what `line` counts: line, item, row; 'file': the whole file
    line      bigint NOT NULL,
    kind      text NOT NULL,    -- the reason in a word or two, to count by
    reason    text NOT NULL,
    PRIMARY KEY (import_id, number)
);

-- Plays of an export of ours that are hidden behind another of it, until all are there and the links can be made.
CREATE TABLE import_links (
    import_id   bigint NOT NULL REFERENCES imports ON DELETE CASCADE,
    scrobble_id bigint NOT NULL,
    listened_at timestamptz NOT NULL,  -- of the play that is shown instead
    identity    bytea NOT NULL,        -- as scrobbles.identity
    PRIMARY KEY (import_id, scrobble_id)
);
