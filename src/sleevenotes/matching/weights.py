"""What each difference weighs: every penalty of `sleevenotes.matching`, with the reason for its size.

0 is identical, 1 is nothing in common. The weights are ordered, not measured in any unit: what is only another
way of writing weighs little (up to 0.05), what may be a slip of the pen more (up to 0.15), and what makes
another recording or another artist exceeds the threshold of `sleevenotes.matching.decide` alone.
"""

from __future__ import annotations

from typing import Final

# Other ways of writing the same. Each is above ANOTHER_ALBUM by more than the margin of decide.py: of two titles
# that differ in writing, the one as sent wins even where only the other is known on the submitted album.
WRITING: Final = 0.04  # case folds away; this is punctuation, accents, script
CREDITED_AS: Final = 0.01  # the artist's own name, credited otherwise on this recording
ALIAS: Final = 0.03
ORDER: Final = 0.02  # the same artists, in another order or otherwise joined
PARTLY_CREDITED: Final = 0.05  # one of several artists is missing on one side
ANOTHER_MEMBER: Final = 0.1  # "A and B" sent, only A credited: may be another act
NOT_FIRST: Final = 0.08  # only a later artist of the credit was named
ARTICLE: Final = 0.05  # "The" on one side only, or the last name before the first
UNKNOWN_ARTIST: Final = 0.1  # none was sent, and the album agrees
ANOTHER_SCRIPT: Final = 0.12  # one in Chinese characters, whose sound is not told; album and title agree
SURNAME: Final = 0.1  # "Mozart", and a title or an album that says which
NOTES: Final = 0.04  # a remaster or "album version" note on one side only
GUESTS: Final = 0.04  # guests named in the title on one side, in the credit on the other
GUESTS_ELSEWHERE: Final = 0.07  # guests the other side does not name at all
GUESTS_UNTOLD: Final = 0.16  # so, and no album says that it is this one: there may be one with the guests
POORLY_TITLED: Final = 0.05  # a title found that holds more than the title: one otherwise written is better
DAMAGED: Final = 0.03  # and more so where they are held against each other: a slip away, well written, is better
ANOTHER_TRACK: Final = 0.05  # both titles hold a track's number, and not the same
NAMELESS: Final = 0.16  # "[untitled]": an album may have many; the duration tells which
SMALL_SLIP: Final = 0.1
TRUNCATED: Final = 0.06  # cut off after thirty letters, as ID3v1 does
# Small doubts, which order what is otherwise alike.
DISAMBIGUATED: Final = 0.005
ANOTHER_ALBUM: Final = 0.02
LIVE_ON_LIVE_ALBUM: Final = 0.002
VIDEO: Final = 0.05
SUBTITLE: Final = 0.12  # slips of the pen weigh as much: sleevenotes.matching.slips
# Another recording, another artist.
VAGUE_VERSION: Final = 0.1  # "(Remix)" and "(Foo Remix)"
ANOTHER_VERSION: Final = 0.4
ANOTHER_NUMBER: Final = 0.5
ANOTHER_TITLE: Final = 0.4
ANOTHER_ARTIST: Final = 0.5
LONGEST: Final = 0.15  # what durations weigh at most, reached at 35 s apart
LONGEST_ON_ALBUM: Final = 0.06  # on the submitted album there is seldom another of the name
