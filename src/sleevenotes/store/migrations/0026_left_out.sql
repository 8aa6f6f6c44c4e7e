-- What lanes look for at each claim: what cut replies left out, by the pack that it bears, and what opens releases.

CREATE INDEX wants_left_out ON wants (source, pack_limit) WHERE pack_limit IS NOT NULL;
CREATE INDEX wants_opening ON wants (id) WHERE opens;
