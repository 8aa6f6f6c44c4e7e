"""What a source is: a policy and two pure functions.

A source turns questions into one request and its reply into answers. It has no client, no clock, no log and no
await in it; pacing, packing, caching, retrying and faults are written once, in `sleevenotes.upstream`.

Absence is an answer: `Answer(())` says the source answered and has nothing. A fault is an exception
(`sleevenotes.errors.Fault`): we do not know yet. A member of a pack of which the reply tells nothing (a merged
reply was cut) is `UNKNOWN`, and is asked again in a smaller pack.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping, Sequence
from typing import Literal, Protocol, TypeVar

import msgspec

from sleevenotes import errors, model, names
from sleevenotes.sources import own_ids, personal

Shape = TypeVar("Shape")

# ---------------------------------------------------------------- questions


class FindRecording(msgspec.Struct, frozen=True, omit_defaults=True, tag="find_recording"):
    """Which recordings go by this artist and track? One question per (artist, track), whatever the release.

    `besides` is a word that told apart every recording that was told of, where a reply was cut ("live", of "live,
    2003-06-29: Main Stage"): the rest of the question is for those without it. None says that there is none without.
    It is the same question still.
    """

    artist: str
    track: str
    besides: str | None = ""


class FindByIsrc(msgspec.Struct, frozen=True, tag="find_by_isrc"):
    """Which recordings have this ISRC (twelve characters, capitals)?

    The names sent with it tell whose is which in a reply to several such questions, where the rows show no ISRC.
    """

    isrc: str
    artist: str
    track: str


class DescribeRecording(msgspec.Struct, frozen=True, tag="describe_recording"):
    """What is the recording with this MusicBrainz id? Merged ids answer with the surviving recording."""

    mbid: str


class DescribeRelease(msgspec.Struct, frozen=True, tag="describe_release"):
    """Is this track on a source's release, and by which title? `foreign_id` is the source's own: "discogs:r27".

    A track of "" asks for all of them. "discogs:m27" is a master, whose main release is asked for.
    """

    foreign_id: str
    track: str


class BrowseReleases(msgspec.Struct, frozen=True, omit_defaults=True, tag="browse_releases"):
    """Which recordings are on this artist's official releases? One page of them, from the `offset`-th release on.

    `left` is how many releases are still to be listed, as the page before told; it is the same question whatever it is.
    """

    artist_mbid: str
    offset: int = 0
    left: int = 0


class ListRecordings(msgspec.Struct, frozen=True, omit_defaults=True, tag="list_recordings"):
    """Which recordings are on this MusicBrainz release, or on those of this release group?

    One of the two ids is "". Of a group, it is one page, from the `offset`-th release on.
    """

    release_mbid: str = ""
    release_group_mbid: str = ""
    offset: int = 0


class FindImages(msgspec.Struct, frozen=True, tag="find_images"):
    """Which front covers does this album have? `release_group_mbid` is "" where it is not known."""

    artist: str
    release: str
    release_group_mbid: str = ""


class FindArtist(msgspec.Struct, frozen=True, tag="find_artist"):
    """Who is this artist: what pictures are there, and how many listen? `artist_mbid` is "" where it is not known."""

    artist: str
    artist_mbid: str = ""


class FetchImage(msgspec.Struct, frozen=True, tag="fetch_image"):
    """The bytes of the image at this address."""

    url: str


Question = (
    FindRecording
    | FindByIsrc
    | DescribeRecording
    | DescribeRelease
    | BrowseReleases
    | ListRecordings
    | FindImages
    | FindArtist
    | FetchImage
    | personal.Question
)


def kind(question: Question) -> str:
    """Return the question's kind as it is stored: "find_recording" …"""
    return tag(type(question))


def tag(asked: type[msgspec.Struct]) -> str:
    """Return the kind that questions of this type are."""
    return str(asked.__struct_config__.tag)


def key(question: Question) -> bytes:
    """Identify a question by 16 bytes: questions that mean the same are asked once.

    Names are compared by their match key, so that "AC/DC" and "ACDC" are one question.
    """
    match question:
        case FindRecording(artist, track, _):
            return names.digest(kind(question), str(names.KEY_VERSION), names.key(artist), names.key(track))
        case FindByIsrc(isrc, artist, track):
            return names.digest(kind(question), str(names.KEY_VERSION), isrc, names.key(artist), names.key(track))
        case DescribeRelease(foreign_id, track):
            return names.digest(kind(question), str(names.KEY_VERSION), foreign_id, names.key(track))
        case BrowseReleases(mbid, offset, _):
            return names.digest(kind(question), mbid, str(offset))
        case FindImages(artist, release, mbid):
            version = str(names.KEY_VERSION)
            return names.digest(kind(question), version, names.key(artist), names.key(release), mbid)
        case FindArtist(artist, mbid):
            return names.digest(kind(question), str(names.KEY_VERSION), names.key(artist), mbid)
        case plain:  # ids, addresses and bounds are what they are
            return names.digest(kind(plain), *map(str, msgspec.structs.astuple(plain)))


# ---------------------------------------------------------------- answers


class ImageAt(msgspec.Struct, frozen=True, omit_defaults=True, tag="image_at"):
    """Where a front cover lies, and whose the source says it is, so that it can be held against what was asked.

    `exact` is true where it was found by the album's own MBID, or is part of the matched recording's own answer, and
    not by its name. Sizes are in pixels, 0 where not told. `page` is where a listener finds it, for attribution.
    """

    url: str
    artist: str = ""
    release: str = ""
    width: int = 0
    height: int = 0
    exact: bool = False
    page: str = ""
    genres: tuple[str, ...] = ()  # of the album, where the same reply tells them; as the source writes them


GenresOf = tuple[Literal["release_group", "artist"], str, tuple[str, ...]]
"""Of what, its MBID, and its genres as the source writes them, the surest first."""


class RecordingCandidate(msgspec.Struct, frozen=True, omit_defaults=True, tag="recording"):
    """A recording that may be meant, with the releases it is known to be on.

    `score` is the source's own, 0..100; MusicBrainz' is relative to the best hit of that query. A source without
    MBIDs gives its own ids instead (`model.Recording.foreign_id`).
    """

    recording: model.Recording
    releases: tuple[model.Release, ...] = ()
    score: int = 0
    images: tuple[ImageAt, ...] = ()  # covers of these releases that the same reply names, best first
    genres: tuple[GenresOf, ...] = ()  # of its albums and artists, where the same reply tells them
    ids: tuple[own_ids.SourceId, ...] = ()  # the source's own, of the recording, its albums and its artists


class ArtistCandidate(msgspec.Struct, frozen=True, omit_defaults=True, tag="artist"):
    """An artist as a source has it; `listeners` is how many it counts, `page` where a listener reads on."""

    name: str
    mbid: str = ""
    images: tuple[ImageAt, ...] = ()
    listeners: int | None = None
    page: str = ""
    genres: tuple[str, ...] = ()  # where the same reply tells them; as the source writes them
    ids: tuple[own_ids.SourceId, ...] = ()  # the source's own


class ImageFile(msgspec.Struct, frozen=True, omit_defaults=True, tag="image_file"):
    """The bytes of an image; after they are stored, `data` is empty and `digest` (sha256, hex) names them."""

    url: str
    content_type: str = ""
    data: bytes = b""
    digest: str = ""


Candidate = RecordingCandidate | ImageAt | ArtistCandidate | ImageFile | personal.Candidate


class Answer(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a source said to one question; no candidates means it has nothing.

    `known` is False where the reply did not tell; candidates then are what little it told, and are not kept.

    `rest` is what to ask to hear what was not told, where that is not the question itself.

    `cut` says that the reply, shared with other questions, was cut: there may be better candidates for this one.
    `follow_ups` are what the reply itself says to ask next, one level deep: a thumbnail that the archive lacks
    though it has the cover leads to the original, a page to the next.
    `albums` are the source's own ids of the albums that were told of, whether there is a cover or not: those of one
    album and of its artists together.
    """

    candidates: tuple[Candidate, ...] = ()
    follow_ups: tuple[Question, ...] = ()
    known: bool = True
    cut: bool = False
    rest: Question | None = None
    albums: tuple[tuple[own_ids.SourceId, ...], ...] = ()


ABSENT = Answer()
UNKNOWN = Answer(known=False)

# ---------------------------------------------------------------- the wire


class Request(msgspec.Struct, frozen=True):
    """One HTTP request; `url` is absolute, https, with its query. `max_bytes` bounds the reply's body."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = {}
    body: bytes = b""
    max_bytes: int = 8_000_000


class Reply(msgspec.Struct, frozen=True):
    """What came back, redirects followed: `url` is the last hop's, header names are lower-case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str


# ---------------------------------------------------------------- policy


class Policy(msgspec.Struct, frozen=True):
    """How a source may be asked; data, read by the lanes.

    host      the budget's name: one lane per host and process
    called    how people write the source's name, within a sentence: "the Cover Art Archive"
    requests  how many requests …
    window    … in any span of this many seconds
    parallel  requests under way at once
    together  questions one request takes at most
    singly    the kinds of question of which a request takes one all the same
    ids       of what its answers tell ids of its own
    awaited   questions one request takes where somebody waits, of such alone: who is crowded out of a reply waits for
              another; 0: as many as otherwise, of whatever band
    timeout   seconds for the whole exchange, redirects included
    answers   the kinds of question it can be asked
    needs     the name of the setting that must be filled for it to be asked; "" where none
    images    the hosts whose images it fetches (FetchImage), "*.x.org" for all below x.org; () where it fetches none
    keep_s    seconds for which its terms let what it says be kept; None: for good
    credit    what must be shown beside what came from it; "" where nothing must
    doubt_s   seconds after it throttled us in which its finding nothing proves no absence
    by_mbid   True where it finds covers by an album's MBID, too; else the MBID is no part of the question
    only_by_mbid  True where it finds covers by nothing else
    apart     True where its requests go to many hosts: the trouble of one is no reason to leave the others alone
    told      how its headers begin that say what is left of the rate ("x-ratelimit"); "" where they say nothing of us
    """

    host: str
    called: str
    requests: int
    window: float
    parallel: int
    together: int
    timeout: float
    answers: tuple[type[msgspec.Struct], ...]
    needs: str = ""
    images: tuple[str, ...] = ()
    keep_s: float | None = None
    credit: str = ""
    doubt_s: float = 0.0
    by_mbid: bool = False
    only_by_mbid: bool = False
    told: str = ""
    apart: bool = False
    singly: tuple[type[msgspec.Struct], ...] = ()
    awaited: int = 0
    ids: tuple[own_ids.Of, ...] = ()

    @property
    def pace(self) -> float:
        """Return the seconds between two requests, on average."""
        return self.window / self.requests


class Keys(msgspec.Struct, frozen=True):
    """What the operator has been given by the services; "" where nothing. Never logged, never shown."""

    listenbrainz_token: str = ""
    lastfm_key: str = ""
    lastfm_secret: str = ""
    discogs_token: str = ""
    fanarttv_key: str = ""
    theaudiodb_key: str = "123"  # the public test key, which anybody may use


class Source(Protocol):
    """One service."""

    @property
    def name(self) -> str:
        """Return its name, as in traces, tables and pages."""
        ...

    @property
    def policy(self) -> Policy:
        """Return how it may be asked."""
        ...

    def request(self, questions: Sequence[Question]) -> Request:
        """Put 1..policy.together questions into one request. The lane adds the User-Agent."""
        ...

    def read(self, questions: Sequence[Question], reply: Reply) -> list[Answer]:
        """Answer each question, in the same order, from a reply of any status.

        Raises errors.Fault when the reply is no answer.
        """
        ...


# ---------------------------------------------------------------- shared by the sources


def retry_after(reply: Reply) -> float | None:
    """Read `Retry-After` in seconds; None when absent or given as a date."""
    try:
        return max(0.0, float(reply.headers.get("retry-after", "")))
    except ValueError:
        return None


def refuse_faults(source: str, reply: Reply) -> None:
    """Raise what the status alone says is a fault: 429 and 503 Throttled, other 5xx Unreachable."""
    if reply.status in (429, 503):
        raise errors.Throttled(f"{source} answered {reply.status}", retry_after=retry_after(reply))
    if reply.status >= 500:
        raise errors.Unreachable(f"{source} answered {reply.status}")


def read_json(source: str, reply: Reply, shape: type[Shape]) -> Shape:
    """Read a JSON body; its content type is not asked. Raises errors.Garbled where it is none of that shape."""
    try:
        return msgspec.json.decode(reply.body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        what = "a web page" if reply.body.lstrip()[:1] == b"<" else f"what cannot be read ({error})"
        raise errors.Garbled(f"{source} sent {what}", body=reply.body) from None


def fetches(policy: Policy, url: str) -> bool:
    """Tell whether the image at an address is for the source with this policy to fetch."""
    host = (urllib.parse.urlsplit(url).hostname or "").lower()
    return any(host == image or (image[:2] == "*." and host.endswith(image[1:])) for image in policy.images)
