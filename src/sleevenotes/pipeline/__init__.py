"""The story of a play, read top to bottom: submit, match, evidence, artwork; recheck looks again later."""
