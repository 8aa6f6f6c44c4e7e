"""All sources there are. To add one: write its file, name it here."""

from __future__ import annotations

from sleevenotes.sources import contract
from sleevenotes.sources.coverartarchive import CoverArtArchive
from sleevenotes.sources.musicbrainz import MusicBrainz

ALL: tuple[contract.Source, ...] = (MusicBrainz(), CoverArtArchive())


def by_name(name: str) -> contract.Source:
    """Return the source of that name. Raises KeyError for one that does not exist (any more)."""
    for source in ALL:
        if source.name == name:
            return source
    raise KeyError(name)
