"""The log of portable players, `.scrobbler.log` (audioscrobbler.net/wiki/Portable_Player_Logging).

    #AUDIOSCROBBLER/1.1
    #TZ/UNKNOWN
    #CLIENT/Rockbox h3xx 1.1
    Metallica  Metallica  Enter Sandman  1  365  L  1143374412  62c2e20a-559e-422f-a44c-9afa7882f0c4

Between tabs: artist, album, track, its number, seconds, L (listened) or S (skipped), when it began, MusicBrainz' id.
Times are UTC where the header says #TZ/UTC; a player that does not know its zone (#TZ/UNKNOWN) counts the seconds of
the clock on its wall, which is read in the zone that the options name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo

from sleevenotes import model
from sleevenotes.importers import contract, times
from sleevenotes.importers.contract import Unfit
from sleevenotes.importers.files import File

ORIGIN = "rockbox"
SIGN = b"#AUDIOSCROBBLER/1."
_FIELDS = 7  # at least; the id is newer
_UUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}", re.IGNORECASE)


class Rockbox:
    """The importer of `.scrobbler.log`."""

    name = "rockbox"
    called = "Rockbox and other portable players (.scrobbler.log)"

    def recognises(self, file: File) -> bool:
        """Say whether the file begins as such a log."""
        return file.head.removeprefix(b"\xef\xbb\xbf").startswith(SIGN)

    def read(self, files: Sequence[File], options: contract.Options) -> Iterator[contract.Item]:
        """Yield a scrobble or a Skipped for every track; see `contract.Importer.read`."""
        for file in files:
            yield from _read(file, options)


def _read(file: File, options: contract.Options) -> Iterator[contract.Item]:
    client, where = "", times.zone(options.zone)
    for number, line in contract.lines(file.open()):
        if not line.strip():
            continue
        file.at(number)
        try:
            text = contract.text_of(line)
            fields = text.split("\t")
            if number == 1 or (text.startswith("#") and len(fields) < _FIELDS):  # "#1 Dads" is an artist
                head, _, told = text.partition("/")
                client = told.strip() if head == "#CLIENT" else client
                where = UTC if head == "#TZ" and told.strip().upper() == "UTC" else where
                continue
            yield _scrobble(fields, client, where, options)
        except Unfit as unfit:
            yield contract.Skipped(number, str(unfit), file.name, unfit.kind)


def _scrobble(fields: Sequence[str], client: str, where: tzinfo, options: contract.Options) -> model.Scrobble:
    if len(fields) < _FIELDS:
        raise Unfit(f"{len(fields)} fields where a log has {_FIELDS} or 8")
    artist, album, track, number, seconds, rating, began = (field.strip() for field in fields[:_FIELDS])
    mbid = fields[_FIELDS].strip().lower() if len(fields) > _FIELDS else ""
    contract.named(artist, track)
    if rating.upper() == "S":
        raise Unfit("skipped before its half was played", contract.SKIPPED)
    if rating.upper() != "L":
        raise Unfit(f"rating {rating[:20]!r} is neither L (listened) nor S (skipped)")
    at = times.seconds(began, None, "time")
    wall = at.replace(tzinfo=where).astimezone(UTC) if where is not UTC else at
    return model.Scrobble(
        artist=artist,
        track=track,
        release=album,
        listened_at=_past(wall, options.until),
        duration_ms=int(seconds) * 1000
        if seconds.isascii() and seconds.isdigit() and 0 < int(seconds) < 2**21
        else None,
        source_app=client,
        origin=options.origin or ORIGIN,
        evidence=model.Evidence(
            recording_mbid=mbid if _UUID.fullmatch(mbid) else "",
            track_number=int(number) if number.isascii() and number.isdigit() and int(number) < 2**31 else None,
        ),
    )


def _past(at: datetime, until: datetime | None) -> datetime:
    if until is not None and at > until:
        raise Unfit(f"{at:%Y-%m-%d %H:%M} UTC lies in the future", contract.FUTURE)
    return at
