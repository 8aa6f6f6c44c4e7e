-- Every player: tokens that log in the old way, applications that ask to be let in, and what each token sent last.

-- Players of the old protocols never send their password, only md5 of md5 of it with something more. So a token for
-- such a player keeps its md5 here, from which alone all the rest follows; see store/player_logins.py.
CREATE TABLE handshakes (
    token_id       bigint PRIMARY KEY REFERENCES tokens ON DELETE CASCADE,
    secret         bytea NOT NULL,         -- md5 of the token
    session_digest bytea NOT NULL UNIQUE,  -- sha256 of the session key that follows from it, as tokens.digest
    api_key        bytea NOT NULL UNIQUE   -- the API key that follows from it
);

-- Last.fm's auth.getToken: an application asks to be let in, and somebody has an hour to allow it on our page.
CREATE TABLE request_tokens (
    digest     bytea PRIMARY KEY,                            -- sha256 of the request token
    api_key    text NOT NULL,                                -- as the application sent it
    called     text NOT NULL,                                -- what the application calls itself
    account_id bigint REFERENCES accounts ON DELETE CASCADE, -- who has allowed it; NULL while nobody has
    created_at timestamptz NOT NULL
);
CREATE INDEX request_tokens_created ON request_tokens (created_at);

-- What was sent last with a token, for the listener who wonders whether a player is set up well.
CREATE TABLE sightings (
    token_id bigint PRIMARY KEY REFERENCES tokens ON DELETE CASCADE,
    dialect  text NOT NULL,
    kind     text NOT NULL,            -- scrobble, playing_now, refused
    artist   text NOT NULL DEFAULT '',
    track    text NOT NULL DEFAULT '',
    problem  text NOT NULL DEFAULT '', -- why it was refused, in our words
    seen_at  timestamptz NOT NULL
);

-- Last.fm's clients ask for tracks and albums by name: from a credit's name to its recordings and albums.
CREATE INDEX artist_credits_lower_name ON artist_credits (lower(name));
CREATE INDEX artists_lower_name ON artists (lower(name));
