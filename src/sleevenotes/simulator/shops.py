"""What a shop's search finds: tracks and albums by any of their words, namesakes and imitations among them.

Deezer and iTunes sell much the same; this is their shared shelf, over the artists each knows. A track is found by
the words of its artist and title, an album by those of its artist and name. A shop may ask for all words of a query
or be content with a share of them, by weight (rare words weigh more). So a search also finds:

- the same title by somebody else, covers, karaoke and tribute records, a namesake of the artist: the world's decoys;
- live and other versions by the artist, those that were officially sold;
- for every tenth album, one of the same name by another artist (`imagehosts.namesake`).

Shops know none of MusicBrainz' ids.
"""

from __future__ import annotations

import functools
import math
import weakref
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from sleevenotes.simulator import draw, entities, extras, imagehosts, lucene
from sleevenotes.simulator.world import World, chosen

_MOST_EXPANDED = 60  # things whose decoys are looked at, best first
_RELEASES = 6  # albums one track is sold on, at most
_VERSIONS = 3  # of a crowd that are looked at
_SOLD = 0.6  # share of decoys by others that a shop sells


class Album(NamedTuple):
    """An album on sale. With `of_namesake`, `group` is the one whose name it bears, and it is not its own."""

    release: entities.Release
    group: entities.Group
    of_namesake: bool = False


class Track(NamedTuple):
    """A recording as sold on one album."""

    recording: entities.Recording
    album: Album


class Words:
    """Finds texts by their words."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._places: dict[str, list[int]] = {}
        self._count = 0
        for place, text in enumerate(texts):
            self._count += 1
            for token in set(lucene.tokens(text)):
                self._places.setdefault(token, []).append(place)

    def weights(self, query: str) -> dict[str, float]:
        """Return each word of a query with its weight, the rarest first; they sum to 1."""
        found = {token: math.log(1 + self._count / (1 + len(self._places.get(token, ())))) for token in _tokens(query)}
        total = sum(found.values()) or 1.0
        return {token: found[token] / total for token in sorted(found, key=lambda token: -found[token])}

    def find(self, query: str, share: float) -> list[tuple[float, int]]:
        """Return (weight of the words it has, place) of every text that has at least that share, best first."""
        weights = self.weights(query)
        scores: dict[int, float] = {}
        left = 1.0
        for token, weight in weights.items():
            # A text without any of the words so far cannot reach the share by the words left.
            more = left >= share - 1e-9
            left -= weight
            for place in self._places.get(token, ()):
                if more or place in scores:
                    scores[place] = scores.get(place, 0.0) + weight
        found = [(score, place) for place, score in scores.items() if score >= share - 1e-9]
        return sorted(found, key=lambda each: (-each[0], each[1]))


def matched(weights: dict[str, float], text: str) -> float:
    """Return the weight of the words of a query that a text has."""
    tokens = _tokens(text)
    return sum(weight for token, weight in weights.items() if token in tokens)


@functools.lru_cache(maxsize=60_000)
def _tokens(text: str) -> frozenset[str]:
    return frozenset(lucene.tokens(text))


class Stock:
    """What is searched, of one world: the same for all shops, so built once."""

    def __init__(self, world: World) -> None:
        self.albums = [album for group in world.catalogue.groups.values() for album in _editions(group)]
        self.album_words = Words(f"{entities.printed(each.group.credit)} {each.release.title}" for each in self.albums)
        self.track_words = Words(map(_track_text, world.catalogue.recordings))


_stocks: weakref.WeakKeyDictionary[World, Stock] = weakref.WeakKeyDictionary()


def _stock(world: World) -> Stock:
    if world not in _stocks:
        _stocks[world] = Stock(world)
    return _stocks[world]


class Shop:
    """One shop: whom it knows, and how sure of a query's words it must be (`share` of their weight, 1.0: all)."""

    def __init__(self, world: World, name: str, share: float) -> None:
        self._world = world
        self._name = name
        self._share = share

    def warm(self) -> None:
        """Build what is searched."""
        _stock(self._world)

    # ------------------------------------------------------------ tracks

    def tracks(self, query: str) -> list[Track]:
        """Return the tracks a query finds, best first."""
        words = _stock(self._world).track_words
        weights = words.weights(query)
        found: list[tuple[float, float, Track]] = []
        for score, row in words.find(query, self._share)[:_MOST_EXPANDED]:
            for recording in self._sold(row):
                own = score if recording.member < 0 else matched(weights, _track_text(recording))
                if own >= self._share - 1e-9:
                    found.extend((-own, self._unpopularity(track), track) for track in self._appearances(recording))
        return [track for _, _, track in sorted(found, key=lambda each: each[:2])]

    def by_isrc(self, row: int, code: str) -> Track | None:
        """Return the track of a catalogue row, where the shop sells it and it has that ISRC."""
        recordings = self._world.catalogue.recordings
        if not 0 <= row < len(recordings) or recordings[row].isrc != code or not self.knows(recordings[row].credit):
            return None
        return next(iter(self._appearances(recordings[row])), None)

    def knows(self, credit: entities.Credit) -> bool:
        """Tell whether the shop sells an artist's records; it sells whoever is not of the catalogue."""
        index = credit[0].artist.index
        return index < 0 or index in self._world.known.by(self._name)

    def _sold(self, row: int) -> Iterator[entities.Recording]:
        """Yield a catalogue recording and what is sold beside it."""
        made, base = self._world.extras, self._world.catalogue.recordings[row]
        if self.knows(base.credit):
            yield base
            for member in range(min(_VERSIONS, made.crowd(row))):
                if extras.VERSIONS[made.kinds(row)[member]].status == "Official":
                    yield made.recording(row, member)
        yield from self._decoys(row)

    def _decoys(self, row: int) -> Iterator[entities.Recording]:
        for number in range(self._world.extras.decoys(row)):
            decoy = self._world.extras.recording(row, extras.FIRST_DECOY + number)
            sold = draw.number(self._world.seed, self._name, "decoy", decoy.mbid) < _SOLD
            if sold and self.knows(decoy.credit):
                yield decoy

    def _appearances(self, recording: entities.Recording) -> list[Track]:
        """Return a recording on each album it is sold on, the one the catalogue names always among them."""
        home = self._world.catalogue.home(recording.row) if recording.member < 0 else recording.releases[0]
        releases = [home, *(each for each in recording.releases if each is not home and each.status == "Official")]
        return [Track(recording, Album(release, release.group)) for release in releases[:_RELEASES]]

    def _unpopularity(self, track: Track) -> float:
        """Return what decides between equals, 0 is the most popular; the album a song belongs to mostly leads."""
        home = track.recording.member < 0 and track.album.release is self._world.catalogue.home(track.recording.row)
        drawn = draw.number(self._world.seed, self._name, track.recording.mbid, track.album.release.mbid)
        return drawn * 0.4 if home else drawn

    # ------------------------------------------------------------ albums

    def albums(self, query: str) -> list[Album]:
        """Return the albums a query finds, best first."""
        stock = _stock(self._world)
        weights = stock.album_words.weights(query)
        found: list[tuple[float, float, Album]] = []
        seen: set[str] = set()
        for score, place in stock.album_words.find(query, self._share)[:_MOST_EXPANDED]:
            album = stock.albums[place]
            if self.knows(album.group.credit):
                found.append((-score, self._order(album), album))
            for other in self._like(album, seen):
                own = matched(weights, f"{entities.printed(other.release.credit)} {other.release.title}")
                if own >= self._share - 1e-9:
                    found.append((-own, self._order(other), other))
        return [album for _, _, album in sorted(found, key=lambda each: each[:2])]

    def _order(self, album: Album) -> float:
        return draw.number(self._world.seed, self._name, album.release.mbid)

    def _like(self, album: Album, seen: set[str]) -> Iterator[Album]:
        """Yield, once in a search, what imitates an album: its namesake, and the records of its songs' decoys."""
        if album.group.mbid in seen:
            return
        seen.add(album.group.mbid)
        if other := namesake(self._world, album.group):
            yield other
        for track in album.release.tracks[:3]:
            if track.member < 0:
                yield from (Album(each.releases[0], each.releases[0].group) for each in self._decoys(track.row))


def namesake(world: World, group: entities.Group) -> Album | None:
    """Return the album of the same name by another artist, where there is one."""
    other = imagehosts.namesake(world, group)
    if other is None:
        return None
    date = chosen(group).date
    return Album(entities.Release(other.mbid, other.title, other, other.credit, date=date), group, of_namesake=True)


def length(recording: entities.Recording) -> int:
    """Return the length in ms; a shop always knows it, since it sells the file."""
    return recording.length or 150_000 + int(draw.number("length", recording.mbid) * 120_000)


def number(name: str, *of: str) -> int:
    """Return a shop's own id of something: eight or nine digits."""
    return 1_000_000 + int(draw.number("shop", name, *of) * 899_000_000)


def _editions(group: entities.Group) -> Sequence[Album]:
    """Return one release of every name the group was sold under, the one that stands for it first."""
    titles: dict[str, entities.Release] = {}
    for release in (chosen(group), *group.releases):
        if release.status == "Official" or release is chosen(group):
            titles.setdefault(release.title, release)
    return [Album(release, group) for release in titles.values()]


def _track_text(recording: entities.Recording) -> str:
    return f"{entities.printed(recording.credit)} {recording.title}"
