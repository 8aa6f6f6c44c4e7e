"""The story of a play, read top to bottom: submit, match, reconsider, evidence, artwork; recheck looks again later."""
