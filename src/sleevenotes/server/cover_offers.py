"""What a listener may choose among: every picture that is here for a play or an album, with whose it is."""

from __future__ import annotations

import msgspec

from sleevenotes.server import views
from sleevenotes.store import artwork_candidates, preferences, sent_images, sleeves
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection


class Offer(msgspec.Struct, frozen=True):
    """A picture to choose: `digest` names it; `what` says in words what it is, `link` where it is found.

    `credit` is what its source's terms want shown beside it. `keepable` is false where they forbid to keep it;
    `shown` is true for the one that is shown now.
    """

    digest: str
    what: str
    source: str
    width: int
    height: int
    link: str = ""
    credit: str = ""
    why: str = ""
    keepable: bool = True
    shown: bool = False


class Refused(msgspec.Struct, frozen=True):
    """A picture that was offered and is none of this album's: only said, never shown."""

    source: str
    link: str
    why: str


class Offers(msgspec.Struct, frozen=True):
    """All of them, the shown one first, then the larger before the smaller; `asking` says that more may come."""

    pictures: tuple[Offer, ...]
    refused: tuple[Refused, ...]
    asking: bool


async def load(conn: Connection, account_id: int, play: Play | None, group: sleeves.ReleaseGroup | None) -> Offers:
    """Read what there is for a play, an album, or both."""
    found: list[artwork_candidates.Candidate] = []
    asking = False
    if group is not None:
        found = await artwork_candidates.load(conn, group.id)
        asking = await preferences.is_asking(conn, group.id)
    shown = play.image_digest if play else await _shown(conn, account_id, group)
    names = (play.artist, play.release) if play else (group.credit.name, group.title) if group else ("", "")
    subject = preferences.Subject(*names, group.id if group and names[1] else None, play.id if play else None)
    own = await preferences.pictures(conn, account_id, subject, play.artwork_uri if play else "")
    pictures = [_offer(each, shown) for each in found if each.digest] + [_own(each, shown) for each in own]
    once = {each.digest: each for each in reversed(pictures)}
    ordered = sorted(once.values(), key=lambda each: (not each.shown, -min(each.width, each.height), each.digest))
    refused = [Refused(each.source, each.page or each.url, each.reason) for each in found if each.status == "refused"]
    return Offers(tuple(ordered), tuple(refused), asking)


async def _shown(conn: Connection, account_id: int, group: sleeves.ReleaseGroup | None) -> str:
    if group is None:
        return ""
    chosen = await preferences.of_album(conn, account_id, group.id)
    return chosen.digest if chosen else group.cover.digest if group.cover else ""


_OF = {"release": "the front of the edition that was matched", "release_group": "the front of the album"}


def _offer(each: artwork_candidates.Candidate, shown: str) -> Offer:
    named = f"{each.release} by {each.artist}" if each.release and each.artist else ""
    return Offer(
        each.digest,
        _OF[each.subject] if each.exact else named or "found by its names",
        each.source,
        each.width,
        each.height,
        each.page or each.url,
        views.source_credit(each.source, each.url),
        each.reason,
        keepable=each.expires_at is None,
        shown=each.digest == shown,
    )


_CAME = {
    "chosen": "you chose it before",
    "uploaded": "came with this play, as an upload",
    "sent": "came with this play",
    "preview": "the preview by the names that were sent",
}


def _own(each: preferences.Picture, shown: str) -> Offer:
    return Offer(
        each.digest,
        _CAME[each.came],
        each.source,
        each.width,
        each.height,
        each.link,
        each.credit,
        keepable=each.keepable,
        shown=each.digest == shown,
    )


async def came_with(conn: Connection, play: Play) -> sent_images.SentImage | None:
    """Return what became of the image that a play came with; None where nobody asked for it (yet)."""
    return await sent_images.of_address(conn, play.artwork_uri) if play.artwork_uri else None
