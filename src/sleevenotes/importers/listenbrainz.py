"""ListenBrainz: its export, and files of listens as its API has them; also our own export in that form.

    listenbrainz_user_1700000000.zip   user.json, listens/2024/1.jsonl …, feedback.jsonl, pinned_recording.jsonl
    one listen a line (.jsonl), or one list of listens (the export before 2024), or {"payload": {"listens": […]}}

A listen is {"listened_at", "track_metadata": {"artist_name", "track_name", "release_name", "additional_info"}}; what
ListenBrainz adds by itself (inserted_at, recording_msid, mbid_mapping) is no part of what was sent, and left out. Its
feedback names tracks by msid or MBID only, so it is understood by the listens of the same archive
(listenbrainz/background/export.py). What our own export says beyond is in additional_info.sleevenotes, see `own`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from sleevenotes import model
from sleevenotes.importers import acts, contract, jsonitems, own, times
from sleevenotes.importers.contract import Unfit
from sleevenotes.importers.files import File

ORIGIN = "listenbrainz"
PLAYERS = ("media_player", "listening_from", "submission_client")  # the first that says something
_MBIDS = ("recording_mbid", "release_mbid", "release_group_mbid")
_THEIRS = ("recording_msid", "release_msid", "artist_msid")
_LISTS = ("listens", "payload")
_MAX_INT = 2**31 - 1
_MAX_DURATION_S = 2_073_600  # 24 days, as at ListenBrainz

Heard = dict[str, tuple[str, str]]  # msid or MBID -> artist and track, for the feedback


class ListenBrainz:
    """The importer of listens."""

    name = "listenbrainz"
    called = "ListenBrainz, its zip export or listens as JSON lines; and Sleevenotes' own"

    def recognises(self, file: File) -> bool:
        """Say whether the file holds listens, or is the feedback that lies beside them."""
        if file.head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] not in (b"{", b"["):
            return False
        return b'"track_metadata"' in file.head or _is_own(file.head) or _is_feedback(file)

    def read(self, files: Sequence[File], options: contract.Options) -> Iterator[contract.Item]:
        """Yield a scrobble, Feedback, Acted or a Skipped for every listen or word; see `contract.Importer.read`."""
        heard: Heard = {}
        wanted = any(_is_feedback(file) for file in files)
        for file in sorted(files, key=_is_feedback):  # behind the listens that name its tracks
            if _is_feedback(file):
                yield from _lines(file, lambda word, _: _feedback(word, heard))
            else:
                yield from _listens(file, options, heard if wanted else None)


def _is_feedback(file: File) -> bool:
    return file.name.rpartition("/")[2] == "feedback.jsonl"


def _listens(file: File, options: contract.Options, heard: Heard | None) -> Iterator[contract.Item]:
    def make(listen: Any) -> Iterator[contract.Item]:
        yield from _items(listen, options, heard)

    gather = acts.Gather()

    def line(listen: Any, number: int) -> Iterator[contract.Item]:
        if isinstance(listen, dict) and own.MEMBER in listen:
            return own.read_act(gather, listen[own.MEMBER], contract.Skipped(number, "", file.name))
        return make(listen)

    begins = file.head.removeprefix(b"\xef\xbb\xbf").lstrip()
    whole = begins.startswith(b"[") or (b'"track_metadata"' not in begins.split(b"\n", 1)[0]) or _is_document(begins)
    if whole and not _is_own(begins.split(b"\n", 1)[0]):
        yield from jsonitems.read(file, make, lists=_LISTS, inside=("payload",))
    else:
        yield from _lines(file, line)
        yield from own.read_act(gather, None, contract.Skipped(0, "", file.name))


def _is_own(begins: bytes) -> bool:
    return own.FEEDBACK_SIGN in begins or acts.SIGN in begins


def _is_document(begins: bytes) -> bool:
    """Tell a submitted document or a reply of the API, all on one line, from a listen."""
    return begins[:200].lstrip(b"{ \r\n\t").startswith((b'"payload"', b'"listen_type"'))


def _lines(file: File, make: Any) -> Iterator[contract.Item]:
    for number, line in contract.lines(file.open()):
        if not line.strip():
            continue
        file.at(number)
        try:
            yield from make(_decoded(line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line), number)
        except Unfit as unfit:
            yield contract.Skipped(number, str(unfit), file.name, unfit.kind)


def _decoded(line: bytes) -> Any:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unfit(f"not JSON: {error}") from None
    if b"\\u0000" in line:
        jsonitems.check(value)
    return value


def _items(listen: Any, options: contract.Options, heard: Heard | None) -> Iterable[contract.Item]:
    if not isinstance(listen, dict):
        raise Unfit(f"not a listen: {str(listen)[:40]}")
    if "feedback" in listen:
        return [own.read_feedback(listen["feedback"])]
    metadata = listen.get("track_metadata")
    if not isinstance(metadata, dict):
        raise Unfit("no track_metadata")
    info = metadata.get("additional_info")
    info = info if isinstance(info, dict) else {}
    if own.MEMBER in info:
        return own.read_member(info[own.MEMBER])
    artist, track = _text(metadata.get("artist_name")), _text(metadata.get("track_name"))
    contract.named(artist, track)
    if heard is not None:
        _remember(heard, metadata, (artist, track))
    at = _when(listen.get("listened_at"), options.until)
    return [_scrobble(artist, track, at, dict(info), metadata, options.origin or ORIGIN)]


def _scrobble(
    artist: str, track: str, at: datetime, info: dict[str, Any], metadata: Mapping[str, Any], origin: str
) -> model.Scrobble:
    for name in _THEIRS:
        info.pop(name, None)
    known = ("artist_name", "track_name", "release_name", "additional_info", "mbid_mapping", *_THEIRS)
    further = {name: value for name, value in metadata.items() if name not in known}
    duration_ms = _take_duration(info)
    evidence = _take_evidence(info)
    return model.Scrobble(
        artist=artist,
        track=track,
        release=_text(metadata.get("release_name")),
        listened_at=at,
        album_artist=_text(info.get("release_artist_name")),
        duration_ms=duration_ms,
        source_app=next(filter(None, (_text(info.get(field)) for field in PLAYERS)), ""),
        origin=origin,
        evidence=evidence,
        extra={**info, "track_metadata": further} if further else info,
    )


def _when(value: object, until: datetime | None) -> datetime:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Unfit("no listened_at", contract.NO_TIME)
    if isinstance(value, str):
        return times.moment(value, until, UTC, "listened_at")
    return times.of_seconds(value, until, "listened_at")


def _take_duration(info: dict[str, Any]) -> int | None:
    for field, unit_ms in (("duration_ms", 1), ("duration", 1000)):
        value = info.get(field)
        if isinstance(value, (int, float)) and 0 < value * unit_ms <= _MAX_DURATION_S * 1000:
            del info[field]
            return round(value * unit_ms)
    return None


def _take_evidence(info: dict[str, Any]) -> model.Evidence:
    """Take what identifies the play out of `info`; what is not in the expected form stays there."""
    found: dict[str, Any] = {}
    for field in _MBIDS:
        if own.is_mbid(info.get(field)):
            found[field] = info.pop(field).lower()
    artists = info.get("artist_mbids")
    if isinstance(artists, list) and artists and all(map(own.is_mbid, artists)):
        found["artist_mbids"] = tuple(each.lower() for each in info.pop("artist_mbids"))
    if isinstance(info.get("isrc"), str):
        found["isrc"] = info.pop("isrc").strip()
    number = str(info.get("tracknumber", ""))
    if number.isascii() and number.isdigit() and int(number) <= _MAX_INT:
        del info["tracknumber"]
        found["track_number"] = int(number)
    return model.Evidence(**found)


def _remember(heard: Heard, metadata: Mapping[str, Any], names: tuple[str, str]) -> None:
    mapping = metadata.get("mbid_mapping")
    ids = [metadata.get("recording_msid"), mapping.get("recording_mbid") if isinstance(mapping, dict) else None]
    for each in ids:
        if isinstance(each, str):
            heard.setdefault(each, names)


def _feedback(word: Any, heard: Heard) -> Iterable[contract.Item]:
    if not isinstance(word, dict) or word.get("score") not in (1, -1):
        raise Unfit("neither loved nor hated")
    names = next((heard[key] for key in (word.get("recording_msid"), word.get("recording_mbid")) if key in heard), None)
    if names is None:
        raise Unfit("a loved or hated recording that is in none of the listens", contract.UNNAMED)
    created = word.get("created")
    at = datetime.fromtimestamp(created, UTC) if isinstance(created, int) and 0 < created < 2**32 else None
    return [contract.Feedback(*names, word["score"], at)]


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
