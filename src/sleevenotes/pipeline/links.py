"""Links that a listener pastes: which question they are, and whom to ask it. Pure.

MusicBrainz' pages are /recording/MBID, /release/MBID and /release-group/MBID, with tabs behind (/release/MBID/discids;
https://musicbrainz.org/doc/MusicBrainz_Identifier). Discogs' are /release/NUMBER-Some-Words and
/master/NUMBER-Some-Words, with a language or, formerly, the title before (https://www.discogs.com/developers).
"""

from __future__ import annotations

import re
import urllib.parse
from typing import Final

import msgspec

from sleevenotes import errors
from sleevenotes.sources import contract

LONGEST: Final = 500

_MBID: Final = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
_MUSICBRAINZ: Final = re.compile(rf"^/(?P<kind>[a-z-]+)/(?P<mbid>{_MBID})(?:/|$)", re.IGNORECASE)
_DISCOGS: Final = re.compile(r"/(?P<kind>release|master)/(?P<number>\d{1,12})(?:-|/|$)")
_WANTED: Final = (
    "Paste the link of a recording, release or release group at MusicBrainz, or of a release or master at Discogs."
)


class Link(msgspec.Struct, frozen=True):
    """What a link asks, whom, and the link itself as it is shown; `of_album` is False for a single recording's."""

    source: str
    question: contract.Question
    address: str
    of_album: bool


def parse(text: str) -> Link:
    """Read a pasted link, with or without https://.

    Raises errors.Refused, of the field "link", that says what the link is instead.
    """
    text = text.strip()
    if len(text) > LONGEST:
        raise _refused(f"This link has more than {LONGEST} characters. {_WANTED}")
    try:
        parts = urllib.parse.urlsplit(text if "://" in text else f"https://{text}")
        host = (parts.hostname or "").lower().removeprefix("www.")
    except ValueError:
        raise _refused(f"{text[:80]!r} is no link. {_WANTED}") from None
    if parts.scheme in ("http", "https") and (host == "musicbrainz.org" or host.endswith(".musicbrainz.org")):
        return _musicbrainz(parts.path)
    if parts.scheme in ("http", "https") and host == "discogs.com":
        return _discogs(parts.path)
    if re.fullmatch(_MBID, text, re.IGNORECASE):
        raise _refused("This is an id alone, which does not say of what. Paste the whole link.")
    raise _refused(f"{text[:80]!r} does not lead to MusicBrainz or Discogs. {_WANTED}")


def _musicbrainz(path: str) -> Link:
    found = _MUSICBRAINZ.match(path)
    if not found:
        raise _refused(f"This link leads to MusicBrainz, and to no single thing there. {_WANTED}")
    kind, mbid = found["kind"].lower(), found["mbid"].lower()
    questions: dict[str, contract.Question] = {
        "recording": contract.DescribeRecording(mbid),
        "release": contract.ListRecordings(release_mbid=mbid),
        "release-group": contract.ListRecordings(release_group_mbid=mbid),
    }
    if kind not in questions:
        raise _refused(f"This link leads to a MusicBrainz {kind.replace('-', ' ')}. {_WANTED}")
    return Link("musicbrainz", questions[kind], f"musicbrainz.org/{kind}/{mbid}", kind != "recording")


def _discogs(path: str) -> Link:
    found = _DISCOGS.search(path)
    if not found:
        raise _refused(f"This link leads to Discogs, and to no release or master there. {_WANTED}")
    kind, number = found["kind"], int(found["number"])
    question = contract.DescribeRelease(f"discogs:{kind[0]}{number}", "")
    return Link("discogs", question, f"discogs.com/{kind}/{number}", of_album=True)


def _refused(said: str) -> errors.Refused:
    return errors.Refused(said, field="link")
