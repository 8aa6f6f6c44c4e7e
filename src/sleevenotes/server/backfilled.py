"""What sources that are new are being asked, as the status page says it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from sleevenotes.server import views
from sleevenotes.store.backfills import Backfill

_ASKED_FOR = {
    "find_recording": "names that nobody knew",
    "find_images": "albums without a right cover",
    "find_artist": "artists without a picture",
}


class New(msgspec.Struct, frozen=True):
    """A source that is new for one kind of question: "Discogs is new: 1,204 of 3,310 names asked"."""

    source: str
    asked_for: str
    asked: int
    total: int
    ended: bool


def told(found: Sequence[Backfill]) -> list[New]:
    """Put backfills into words."""
    return [
        New(views.source_name(each.source), _ASKED_FOR[each.kind], each.asked, each.total, each.ended_at is not None)
        for each in found
    ]
