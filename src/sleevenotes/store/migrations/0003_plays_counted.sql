-- How many plays a name has is counted where it is asked for (the index scrobbles_lookup), no longer kept: keeping it
-- meant writing every known name's row anew with every play, and imports that share names waited for each other.

ALTER TABLE lookups DROP COLUMN plays;
