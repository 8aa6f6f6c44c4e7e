-- Whom to ask is learned from traces: what was judged of them, how each artist fared where, what was foreseen, and the
-- predictors themselves. None of it names an account.

-- Whether the answer held something that serves, and how often the name was played here by then. NULL: not judged.
ALTER TABLE traces ADD COLUMN served boolean, ADD COLUMN plays integer;
CREATE INDEX traces_judged ON traces (asked_at) WHERE served IS NOT NULL;

-- How an artist's questions fared at a source.
CREATE TABLE artist_answers (
    artist_key text NOT NULL,                -- names.key
    source     text NOT NULL,
    kind       text NOT NULL,                -- find_recording, find_images
    served     integer NOT NULL DEFAULT 0,   -- answers that held something that serves
    absent     integer NOT NULL DEFAULT 0,   -- answers that held nothing of the kind
    PRIMARY KEY (artist_key, source, kind)
);

-- What was foreseen of a source's answer for a subject, and chosen. The latest look's.
CREATE TABLE predictions (
    stage        text NOT NULL,              -- match (a lookup's id), artwork (a release group's id)
    subject_id   bigint NOT NULL,
    source       text NOT NULL,
    question_key bytea NOT NULL,
    kind         text NOT NULL,
    predictor_id bigint NOT NULL,
    chance       real NOT NULL,              -- that it serves
    way          text NOT NULL CHECK (way IN ('ask', 'skip', 'anyway')),
    served       boolean,                    -- what came of it, once judged
    predicted_at timestamptz NOT NULL,
    PRIMARY KEY (stage, subject_id, source)
);
CREATE INDEX predictions_at ON predictions (predicted_at);
CREATE INDEX predictions_question ON predictions (question_key);

CREATE TABLE predictors (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    status     text NOT NULL CHECK (status IN ('active',     -- in force; one at most -> retired
                                               'retired',    -- another is in force, or none is good enough
                                               'rejected')), -- was never in force
    trained_at timestamptz NOT NULL,
    until      timestamptz,                  -- it was trained on what was asked until then
    examples   integer NOT NULL,
    took_s     real NOT NULL,
    peak_mb    real NOT NULL,
    reason     text NOT NULL,                -- one sentence: why in force, or why not
    evaluation jsonb,                        -- prediction.learned.Evaluation
    features   smallint,                     -- version of the features' meaning; with what follows NULL where too
    sources    text[],                       -- little was there to learn from
    weights    real[],                       -- (kinds, sources, features), flattened
    runs       real[],                       -- (1 + sources, buckets), flattened
    threshold  real,
    latency_s  real[]                        -- of each source, at the median
);
CREATE UNIQUE INDEX predictors_active ON predictors (status) WHERE status = 'active';
