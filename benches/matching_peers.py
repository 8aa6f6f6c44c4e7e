"""How others decide, on the same candidates: what `make bench B=matching` measures beside ours.

listenbrainz   the rules of ListenBrainz' mapper (its mbid_mapping package): the exact key of artist, recording and
               release, then of artist and recording; then at most five edits in artist and in recording ("medium
               quality"), first of the names as sent, then of those cut at brackets, "feat." and dashes.
beets          the distance of beets for single tracks, beets' own code, as it decides unattended: the nearest, if its
               recommendation is strong (0.04). `beets_medium` takes what it would ask its user to confirm (0.25).
maloja         Maloja's clean-up: artists split at joining words and guests taken from titles, then names without
               accents and punctuation must be the same. It has no catalogue: equal names are the same track.
"""

from __future__ import annotations

import importlib.util
import re
import unicodedata
from collections.abc import Callable, Sequence
from typing import Any

from anyascii import anyascii
from rapidfuzz.distance import Levenshtein

from sleevenotes.matching import decide

Method = Callable[[decide.Asked, Sequence[decide.Option]], str]  # the id that is chosen; "" for none


def methods() -> dict[str, Method]:
    """Return the peers by name; beets only where it is installed (`make bench` installs it)."""
    peers: dict[str, Method] = {"listenbrainz": listenbrainz, "maloja": maloja}
    if importlib.util.find_spec("beets"):
        peers["beets"] = lambda asked, options: beets(asked, options, 0.04)
        peers["beets_medium"] = lambda asked, options: beets(asked, options, 0.25)
    return peers


# ---------------------------------------------------------------- ListenBrainz


def listenbrainz(asked: decide.Asked, options: Sequence[decide.Option]) -> str:
    """Decide as ListenBrainz' mapper does."""
    for release in filter(None, (asked.release, "")):
        wanted = _lb_key(asked.artist + asked.track + release)
        for option in options:
            if any(_lb_key(_lb_texts(option) + one.title) == wanted for one in option.releases):
                return option.recording.mbid
    wanted = _lb_key(asked.artist + asked.track)
    for option in options:
        if _lb_key(_lb_texts(option)) == wanted:
            return option.recording.mbid
    for artist, track in ((asked.artist, asked.track), (_detuned_artist(asked.artist), _detuned(asked.track))):
        nearest = min(((_lb_edits(artist, track, option), option.recording.mbid) for option in options), default=None)
        if nearest and nearest[0] <= 10:
            return nearest[1]
    return ""


def _lb_texts(option: decide.Option) -> str:
    return option.recording.artist_credit.name + option.recording.title


def _lb_key(text: str) -> str:
    return anyascii(re.sub(r"\W+", "", text)).lower()


def _lb_words(text: str) -> str:
    return " ".join(re.sub(r"[^\w ]+", "", anyascii(text)).lower().split())


def _lb_edits(artist: str, track: str, option: decide.Option) -> int:
    recording = option.recording
    by = Levenshtein.distance(_lb_words(artist), _lb_words(recording.artist_credit.name), score_cutoff=5)
    title = Levenshtein.distance(_lb_words(track), _lb_words(recording.title), score_cutoff=5)
    return by + title if by <= 5 and title <= 5 else 99


def _detuned(track: str) -> str:
    track = re.sub(r"\s+-\s+\d{4}.*master.*$", "", track, flags=re.IGNORECASE)
    return _cut(track, ("(", "[", " ft ", " ft. ", " feat ", " feat. ", " featuring ", " - "))


def _detuned_artist(artist: str) -> str:
    return _cut(artist, ("(", "[", " ft ", " ft. ", " feat ", " feat. ", " featuring ", " - ", ",", " with ", " & "))


def _cut(text: str, marks: Sequence[str]) -> str:
    places = [at for mark in marks if (at := text.lower().find(mark)) > 0]
    return text[: min(places)] if places else text


# ---------------------------------------------------------------- beets


def beets(asked: decide.Asked, options: Sequence[decide.Option], most: float) -> str:
    """Decide by beets' own distance of a single track, at most `most`."""
    best = min(((_beets_distance(asked, option), option.recording.mbid) for option in options), default=(1.0, ""))
    return best[1] if best[0] < most else ""


def _beets_distance(asked: decide.Asked, option: decide.Option) -> float:
    item = _Item(asked)
    recording = option.recording
    length = recording.length_ms / 1000 if recording.length_ms and asked.duration_ms else None
    autotag: Any = importlib.import_module("beets.autotag")  # only where it is installed
    info = autotag.TrackInfo(title=recording.title, artist=recording.artist_credit.name, length=length)
    return float(autotag.track_distance(item, info, incl_artist=True).distance)


class _Item:
    """What beets reads of a track of its library; a real one would need its database."""

    def __init__(self, asked: decide.Asked) -> None:
        self.title, self.artist = asked.track, asked.artist
        self.length = (asked.duration_ms or 0) / 1000
        self.track = self.disc = 0
        self.mb_trackid = ""

    def get(self, _name: str) -> Any:
        return None


# ---------------------------------------------------------------- Maloja

_GUESTS = re.compile(r"\s*[(\[]?\b(?:feat\.?|ft\.?|featuring|with)\s+(?P<guests>[^()\[\]]+)[)\]]?", re.IGNORECASE)
_TOGETHER = re.compile(r"\s*(?:,|;|/|\bvs\.?\s|\bx\s|&|\+|\band\s)\s*", re.IGNORECASE)


def maloja(asked: decide.Asked, options: Sequence[decide.Option]) -> str:
    """Decide as Maloja would, were the candidates plays it knows: the same names after clean-up."""
    wanted = _maloja(asked.artist, asked.track)
    for option in options:
        if _maloja(option.recording.artist_credit.name, option.recording.title) == wanted:
            return option.recording.mbid
    return ""


def _maloja(artist: str, title: str) -> tuple[frozenset[str], str]:
    guests = [found["guests"] for found in (_GUESTS.search(artist), _GUESTS.search(title)) if found]
    plain = _GUESTS.sub("", title).replace("[", "(").replace("]", ")")
    plain = re.sub(
        r"\s*\((?:official|video|audio|lyrics?|explicit|album version|remaster)[^)]*\)", "", plain, flags=re.IGNORECASE
    )
    plain = re.sub(r"\s+-\s+(?:remaster|\d{4} remaster)[^-]*$", "", plain, flags=re.IGNORECASE)
    artists = [part for text in (_GUESTS.sub("", artist), *guests) for part in _TOGETHER.split(text)]
    return frozenset(map(_maloja_name, filter(None, artists))), _maloja_name(plain)


def _maloja_name(text: str) -> str:
    letters = unicodedata.normalize("NFD", text.lower())
    kept = "".join(letter for letter in letters if letter.isalnum() or letter == " ")
    return " ".join(word for word in kept.split() if word != "the") or text.lower()
