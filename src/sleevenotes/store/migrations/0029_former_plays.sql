-- What plays were before they were told anew goes with an export, and undoing its import takes it back; NULL: said here.

ALTER TABLE former_plays ADD COLUMN import_id bigint;
CREATE INDEX former_plays_import ON former_plays (import_id) WHERE import_id IS NOT NULL;
