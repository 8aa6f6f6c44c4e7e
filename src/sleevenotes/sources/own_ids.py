"""What sources themselves call recordings, albums and artists: their own ids, beside MusicBrainz'.

They come with the answers to what is asked anyway: a search for a track tells the track's id, its album's and its
artist's. Whether they are of what was asked is not for a source to say, so each goes with the name it is told under.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from sleevenotes import names

Of = Literal["recording", "release_group", "artist"]
"""Of what an id is. Shops know no release groups: their album is taken for one, as everywhere here."""


class SourceId(msgspec.Struct, frozen=True, omit_defaults=True):
    """An id of a source's own, never an MBID; `name` and `by` (an album's artist) are as the source writes them.

    `kind` is the source's own, where it has several of one ("master", "release"); `page` is where a listener finds it,
    "" where no reply tells; `mbid` the MusicBrainz id that the source gives it, "" for none.
    """

    of: Of
    id: str
    name: str
    by: str = ""
    kind: str = ""
    page: str = ""
    mbid: str = ""


def is_near(asked: str, told: str) -> bool:
    """Tell whether one of two titles holds the other: ids of what is not even near are not worth their room.

    "Nevermind" and "Nevermind (Deluxe Edition)" are near, "Nevermind" and "In Utero" are not.
    """
    one, other = names.key(names.plain(asked)), names.key(names.plain(told))
    return one in other or other in one
