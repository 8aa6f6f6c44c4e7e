-- What listeners were told of how long something takes, held against how long it took.

-- The first estimate for each thing that waits. Names nobody: a lookup or an album is shared by all who play it.
CREATE TABLE estimates (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    stage      text NOT NULL,             -- match (a lookup's id), artwork (a release group's id)
    subject_id bigint NOT NULL,
    band       smallint NOT NULL,         -- model.Band, when it was told
    way        text NOT NULL,             -- what was still to come: "match musicbrainz, then a cover"
    given_at   timestamptz NOT NULL,
    seconds    real NOT NULL,             -- what was told
    reckoned   real NOT NULL,             -- the same before it was corrected by how the last ones turned out
    settled_at timestamptz,               -- NULL while it waits
    took       real                       -- seconds from given_at to settled_at
);
CREATE UNIQUE INDEX estimates_open ON estimates (stage, subject_id) WHERE settled_at IS NULL;
CREATE INDEX estimates_settled ON estimates (settled_at) WHERE settled_at IS NOT NULL;
