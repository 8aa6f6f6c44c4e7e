"""The nouns, in MusicBrainz's words. All frozen; what is unknown is None, "" or ().

Dates of releases are MusicBrainz's partial dates, as text: "1977", "1977-10" or "1977-10-28".
Lengths and durations are in milliseconds.
"""

from __future__ import annotations

import enum
from datetime import datetime

import msgspec


class Band(enum.IntEnum):
    """How much a question or job matters; the number is its priority, the lower-cased name is what people see."""

    LOW_PRIORITY = 0  # imports, history sync, backfill, recheck
    DEFAULT = 1  # live plays and their art
    CRITICAL = 2  # refresh, correction, what an open page shows

    @property
    def label(self) -> str:
        """Return the name as people see it: "low_priority", "default", "critical"."""
        return self.name.lower()


class Status(enum.StrEnum):
    """What is known of a lookup's match, as the API says it."""

    PENDING = "pending"
    ENRICHED = "enriched"
    NOT_FOUND = "not_found"  # every source worth asking answered, and none had it
    FAILED = "failed"  # retries of real faults are spent; tried again later


class Evidence(msgspec.Struct, frozen=True, omit_defaults=True):
    """What only this play knows of its identity, from the client. Hints, to be checked against the names."""

    recording_mbid: str = ""
    release_mbid: str = ""
    release_group_mbid: str = ""
    artist_mbids: tuple[str, ...] = ()
    isrc: str = ""
    track_number: int | None = None


class Scrobble(msgspec.Struct, frozen=True, omit_defaults=True):
    """One play as a client sent it; `listened_at` is None only for what is playing now."""

    artist: str
    track: str
    release: str = ""
    listened_at: datetime | None = None
    album_artist: str = ""
    duration_ms: int | None = None
    source_app: str = ""
    source_device: str = ""
    origin: str = "api"  # api, listenbrainz, audioscrobbler, import, lastfm, listenbrainz_sync: where it came from
    foreign_id: str = ""  # the play's own id where it came from, where it has one
    artwork_uri: str = ""  # an image address the client sent
    evidence: Evidence = Evidence()
    extra: dict[str, object] = {}  # every further field the client sent, as it was


class ArtistCreditName(msgspec.Struct, frozen=True, omit_defaults=True):
    """One artist within a credit: as credited there, and what joins the next one."""

    mbid: str
    name: str
    join_phrase: str = ""
    artist_name: str = ""  # the artist's own name where it differs from the credited one
    sort_name: str = ""
    disambiguation: str = ""
    aliases: tuple[str, ...] = ()
    foreign_id: str = ""  # "deezer:27" where the source has no MBID; `mbid` is "" then

    @property
    def identity(self) -> str:
        """Return the MBID, else the id in another catalogue; "" where there is neither."""
        return self.mbid or self.foreign_id


class ArtistCredit(msgspec.Struct, frozen=True):
    """Who a recording or release is by, in order."""

    names: tuple[ArtistCreditName, ...]

    @property
    def name(self) -> str:
        """Return the whole credit as printed on the sleeve: "Queen & David Bowie"."""
        return "".join(part.name + part.join_phrase for part in self.names)


class ReleaseGroup(msgspec.Struct, frozen=True, omit_defaults=True):
    """An album in the sense listeners mean: all its editions together."""

    mbid: str
    title: str
    primary_type: str = ""  # Album, Single, EP, Broadcast, Other
    secondary_types: tuple[str, ...] = ()  # Compilation, Live, Soundtrack, Remix …
    first_release_date: str = ""
    foreign_id: str = ""  # "deezer:302127" where the source has no MBID

    @property
    def identity(self) -> str:
        """Return the MBID, else the id in another catalogue; "" where there is neither."""
        return self.mbid or self.foreign_id


class Release(msgspec.Struct, frozen=True, omit_defaults=True):
    """One edition; `artist_credit` is None where it is the recording's own."""

    mbid: str
    title: str
    release_group: ReleaseGroup
    artist_credit: ArtistCredit | None = None
    status: str = ""  # Official, Promotion, Bootleg …
    date: str = ""
    country: str = ""
    track_count: int | None = None
    track_number: str = ""  # of the recording on it, as printed ("A1")
    foreign_id: str = ""  # as ReleaseGroup's

    @property
    def identity(self) -> str:
        """Return the MBID, else the id in another catalogue; "" where there is neither."""
        return self.mbid or self.foreign_id


class Recording(msgspec.Struct, frozen=True, omit_defaults=True):
    """A distinct piece of recorded sound."""

    mbid: str
    title: str
    artist_credit: ArtistCredit
    length_ms: int | None = None
    disambiguation: str = ""
    first_release_date: str = ""
    isrcs: tuple[str, ...] = ()
    video: bool = False
    foreign_id: str = ""  # "deezer:3135556" where the source has no MBID

    @property
    def identity(self) -> str:
        """Return the MBID, else the id in another catalogue; "" where there is neither."""
        return self.mbid or self.foreign_id


class Penalty(msgspec.Struct, frozen=True):
    """One named reason why a candidate is not perfect, in words a listener can read, and its weight 0..1."""

    name: str
    weight: float


class Match(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a name was decided to be."""

    recording: Recording
    release: Release | None
    source: str
    distance: float  # 0 is identical, 1 is nothing in common
    reason: str  # one sentence: why this one
    penalties: tuple[Penalty, ...] = ()


class Image(msgspec.Struct, frozen=True, omit_defaults=True):
    """A stored cover: `digest` is the sha256 of its original bytes, in hex."""

    digest: str
    width: int
    height: int
    mime: str
    size: int
    thumbhash: bytes
    colour: str  # dominant, "#rrggbb"
    source: str = ""
    source_url: str = ""
    page: str = ""  # where a listener finds it at its source
    credit: str = ""  # what the source's terms want shown beside it
