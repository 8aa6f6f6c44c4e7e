"""The conditions of the simulated services: coverage, crowding, decoys, latencies and faults.

The JSON layout is that of the benchmarks' world.json; docs/reference/simulator.md describes every field.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

SIGMA = 0.5  # of every latency's lognormal distribution


class Coverage(msgspec.Struct, frozen=True):
    """How likely an artist is known to a source: the mean over artists, and what it leans on."""

    mean: float
    popularity: float = 0.0
    non_latin: float = 0.0
    noise: float = 0.0


class Crowding(msgspec.Struct, frozen=True):
    """How many rows a MusicBrainz search finds for one name: lognormal."""

    median: float = 6.0
    sigma: float = 1.4
    max: int = 3000


class Decoys(msgspec.Struct, frozen=True):
    """How many misleading recordings there are per name, and of which kinds."""

    per_name: float = 0.15
    kinds: tuple[str, ...] = (
        "same title by another artist",
        "live",
        "remix",
        "cover",
        "karaoke tribute",
        "homonym artist",
    )


class DirtyNames(msgspec.Struct, frozen=True):
    """How often a player sends a name that is not the catalogue's, and in which ways."""

    share: float = 0.08
    kinds: tuple[str, ...] = (
        "case",
        "punctuation",
        "feat. in title",
        "remaster suffix",
        "one typo",
        "missing accents",
        "artist article",
    )


class Latency(msgspec.Struct, frozen=True):
    """The median time a reply takes, in seconds, by service."""

    median: dict[str, float]


class Conditions(msgspec.Struct, frozen=True):
    """Everything that is given about the simulated services."""

    coverage: dict[str, Coverage]
    front_image: dict[str, float]
    latency: dict[str, float]
    faults: dict[str, dict[str, float]]
    crowding: Crowding = Crowding()
    decoys: Decoys = Decoys()
    dirty_names: DirtyNames = DirtyNames()
    seed: int = 1

    def front_share(self, source: str) -> float:
        """Return the share of release groups of which a source (that knows the artist) has a front image."""
        return self.front_image.get(source, self.front_image.get(f"{source}_if_known", 0.0))


class _Document(msgspec.Struct):
    coverage: dict[str, msgspec.Raw]
    latency_seconds: Latency
    faults: dict[str, dict[str, object]]
    recordings_per_name: Crowding = Crowding()
    decoys: Decoys = Decoys()
    dirty_names: DirtyNames = DirtyNames()
    seed: int = 1


def decode(document: bytes) -> Conditions:
    """Read conditions from JSON. Raises msgspec.ValidationError naming the field that is wrong."""
    read = msgspec.json.decode(document, type=_Document)
    front = read.coverage.pop("front_image", msgspec.Raw(b"{}"))
    return Conditions(
        coverage={source: msgspec.json.decode(raw, type=Coverage) for source, raw in read.coverage.items()},
        front_image=msgspec.json.decode(front, type=dict[str, float]),
        latency=read.latency_seconds.median,
        faults={
            day: {name: float(share) for name, share in shares.items() if isinstance(share, int | float)}
            for day, shares in read.faults.items()
        },
        crowding=read.recordings_per_name,
        decoys=read.decoys,
        dirty_names=read.dirty_names,
        seed=read.seed,
    )


def load(path: Path) -> Conditions:
    """Read conditions from a file."""
    return decode(path.read_bytes())


def calm() -> Conditions:
    """Return the built-in conditions of `--simulate`: as the benchmarks', but nearly everything is known."""
    known = Coverage(mean=0.98, popularity=0.6, noise=0.5)
    return Conditions(
        coverage={
            "listenbrainz_exact": Coverage(mean=0.9, popularity=0.6, noise=0.5),
            "listenbrainz_fuzzy_get": Coverage(mean=0.94, popularity=0.6, noise=0.5),
            **dict.fromkeys(("musicbrainz", "deezer", "itunes", "discogs", "theaudiodb", "lastfm"), known),
        },
        front_image={
            "coverartarchive": 0.96,
            "theaudiodb_if_known": 0.85,
            "discogs_if_known": 0.9,
            "deezer_if_known": 0.99,
            "itunes_if_known": 0.99,
            "lastfm_if_known": 0.9,
        },
        latency={
            "musicbrainz": 0.7,
            "listenbrainz": 0.35,
            "coverartarchive": 0.2,
            "archive_redirect": 0.35,
            "archive_node": 0.75,
            "theaudiodb": 0.45,
            "discogs": 0.5,
            "lastfm": 0.25,
            "deezer": 0.25,
            "itunes": 0.4,
            "image_cdn": 0.15,
        },
        faults={
            "calm": {"archive_500": 0.01, "musicbrainz_shed": 0.005},
            "bad_day": {"archive_500": 0.5, "musicbrainz_shed": 0.25},
        },
    )
