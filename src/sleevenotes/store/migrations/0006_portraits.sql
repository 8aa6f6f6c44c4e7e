-- What the pages show of an artist beyond its name. Looked for when somebody opens the artist's page.
CREATE TABLE portraits (
    artist_id     bigint PRIMARY KEY REFERENCES artists ON DELETE CASCADE,
    status        text NOT NULL DEFAULT 'pending'
                  CHECK (status IN ('pending',  -- -> told
                                    'told')),   -- -> pending, when a page is opened after look_again_at
    image_id      bigint REFERENCES images ON DELETE SET NULL,  -- NULL where nobody has a picture
    listeners     bigint,                       -- as Last.fm counts them; NULL where not told
    page          text NOT NULL DEFAULT '',     -- the artist's page there, for attribution
    look_again_at timestamptz                   -- NULL while pending
);
CREATE INDEX portraits_image ON portraits (image_id) WHERE image_id IS NOT NULL;
