"""All sources there are. To add one: write its file, name it here."""

from __future__ import annotations

from collections.abc import Collection, Container

from sleevenotes import errors
from sleevenotes.sources import contract, imagehosts
from sleevenotes.sources.coverartarchive import CoverArtArchive
from sleevenotes.sources.deezer import Deezer
from sleevenotes.sources.discogs import Discogs
from sleevenotes.sources.fanarttv import FanartTv
from sleevenotes.sources.itunes import ITunes
from sleevenotes.sources.lastfm import LastFm
from sleevenotes.sources.lastfm_history import LastFmHistory
from sleevenotes.sources.listenbrainz import ListenBrainz, ListenBrainzFuzzy, ListenBrainzMetadata
from sleevenotes.sources.listenbrainz_history import ListenBrainzHistory
from sleevenotes.sources.musicbrainz import MusicBrainz
from sleevenotes.sources.theaudiodb import TheAudioDB


def every(keys: contract.Keys) -> tuple[contract.Source, ...]:
    """Return all sources, in the declared order: cheap and bulk first."""
    return (
        ListenBrainz(keys.listenbrainz_token),
        ListenBrainzMetadata(),
        ListenBrainzFuzzy(keys.listenbrainz_token),
        MusicBrainz(),
        CoverArtArchive(),
        TheAudioDB(keys.theaudiodb_key),
        Discogs(keys.discogs_token),
        LastFm(keys.lastfm_key),
        Deezer(),
        ITunes(),
        FanartTv(keys.fanarttv_key),
        LastFmHistory(keys.lastfm_key, keys.lastfm_secret),
        ListenBrainzHistory(),
        *imagehosts.HOSTS,
        imagehosts.ELSEWHERE,
    )


def usable(keys: contract.Keys, only: Container[str] = ()) -> tuple[contract.Source, ...]:
    """Return those that can be asked: with the key they need, and named in `only` unless that is empty.

    Hosts of images are asked without being named: whoever may tell of a cover is of no use without its bytes.
    """
    return tuple(source for source in every(keys) if not why_off(source, keys, only))


def why_off(source: contract.Source, keys: object, only: Container[str] = ()) -> str:
    """Say why a source is not asked, "" where it is; `keys` is anything that holds them, such as the settings."""
    if only and source.name not in only and not _is_image_host(source):
        return "The setting sources leaves it out."
    if source.policy.needs and not getattr(keys, source.policy.needs):
        return f"The setting {source.policy.needs} is empty."
    return ""


def check(only: Collection[str]) -> None:
    """Raise errors.Unusable where one of these names is no source's."""
    sources = every(contract.Keys())
    if unknown := sorted(set(only) - {source.name for source in sources}):
        known = ", ".join(source.name for source in sources if not _is_image_host(source))
        raise errors.Unusable(f"settings: sources: there is no {', '.join(map(repr, unknown))}. There are: {known}")


def _is_image_host(source: contract.Source) -> bool:
    return isinstance(source, imagehosts.ImageHost)


def named(name: str) -> contract.Source:
    """Return the source of that name. Raises KeyError for one that does not exist (any more)."""
    return {source.name: source for source in every(contract.Keys())}[name]
