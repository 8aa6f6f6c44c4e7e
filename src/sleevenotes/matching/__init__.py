"""Which recording and which release a name means. Pure: no clock, no network, no database.

    titles    what a title says: name, guests, version
    distance  how far a candidate is, as named penalties
    release   which of a recording's releases
    decide    the decision: chosen, abstained, or nothing

The rules in words, with examples: docs/reference/matching.md.
"""
