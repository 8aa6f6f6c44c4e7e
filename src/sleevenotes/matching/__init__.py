"""Which recording and which release a name means. Pure: no clock, no network, no database.

    titles    what a title says: name, guests, version
    distance  how far a candidate is, as named penalties
    release   which of a recording's releases
    decide    the decision: chosen, abstained, or nothing
    evidence  what a single play's hints make of that
    neighbours  the album that a play is amid, by the plays around it

The rules in words, with examples: docs/reference/matching.md.
"""
