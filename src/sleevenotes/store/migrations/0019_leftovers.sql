-- What an import of our own export brought beside plays, so that undoing the import takes it back; NULL: said here.
ALTER TABLE corrections ADD COLUMN import_id bigint;
ALTER TABLE artwork_preferences ADD COLUMN import_id bigint;
ALTER TABLE own_plays ADD COLUMN import_id bigint;
ALTER TABLE origins_apart ADD COLUMN import_id bigint;
ALTER TABLE feedback ADD COLUMN import_id bigint;
CREATE INDEX corrections_import ON corrections (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX artwork_preferences_import ON artwork_preferences (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX own_plays_import ON own_plays (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX origins_apart_import ON origins_apart (import_id) WHERE import_id IS NOT NULL;
CREATE INDEX feedback_import ON feedback (import_id) WHERE import_id IS NOT NULL;

ALTER TABLE imports ADD COLUMN acts integer NOT NULL DEFAULT 0;  -- corrections, covers and marks taken over
