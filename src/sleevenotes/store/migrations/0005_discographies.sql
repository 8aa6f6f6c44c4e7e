-- The names of one artist that still wait: many of them are answered together, by the artist's releases.

CREATE INDEX lookups_pending_artist ON lookups (hashtextextended(artist_key, 0)) WHERE status = 'pending';
