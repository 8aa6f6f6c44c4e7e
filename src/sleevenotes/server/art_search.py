"""Which covers there are of an album, by its names: what is here already, and what the sources answer now.

Sources are asked by the lanes, before everything else that waits; a request waits for them a few seconds at most and
says whether all have answered. No image is fetched for it: who takes one sends its address.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

import msgspec

from sleevenotes import names
from sleevenotes.artwork import choose
from sleevenotes.matching import albums
from sleevenotes.pipeline import offers
from sleevenotes.server import artworks, home, views
from sleevenotes.server.services import Services
from sleevenotes.sources import contract, registry
from sleevenotes.store import artwork_candidates, own_albums, replies, sleeves
from sleevenotes.store.postgres import Connection

PATIENCE = timedelta(seconds=4)
MOST_ALBUMS = 20  # of the artist's others

MatchType = Literal["exact", "artist_catalog"]


class Option(msgspec.Struct, frozen=True):
    """A cover that can be chosen, by sending `artwork_url`; `preview_url` is on this server, null where it is not here.

    Sizes are 0 where the source tells none. `keepable` is false where the source's terms forbid to keep it: it cannot
    be chosen. `credit` and `page` are to be shown beside it.
    """

    source: str
    match_type: MatchType
    artwork_url: str
    preview_url: str | None
    artist_name: str
    album_name: str
    width: int
    height: int
    keepable: bool
    page: str
    credit: str


class SearchAnswer(msgspec.Struct, frozen=True):
    """The covers found, those of the album first; `complete` says that everybody has answered."""

    options: list[Option]
    complete: bool


async def search(parts: Services, account_id: int, *, artist: str, album: str, track: str) -> SearchAnswer:
    """Find covers by names; see the module."""
    since = parts.clock.now()
    keys = msgspec.convert(parts.settings, contract.Keys, from_attributes=True)
    sources = registry.usable(keys, parts.settings.only_sources)
    async with parts.database.transaction() as conn:
        if track and not album:
            album = await own_albums.release_of(conn, account_id, artist, track)
        here = await _here(conn, account_id, artist, album)
        asked = await offers.ask_by_names(conn, sources, artist, album, since) if album else []
    known: dict[tuple[str, bytes], replies.Reply] = {}
    while True:
        async with parts.database.connection() as conn:
            known = await replies.load(conn, list({key for _, key in asked}))
        complete = all(each in known for each in asked)
        if complete or parts.clock.now() - since >= PATIENCE:
            break
        await parts.clock.sleep(artworks.LOOK_AGAIN)
    told = [option for each in asked if each in known for option in _told(known[each], artist, album, sources)]
    once = {option.artwork_url: option for option in [*told, *here]}
    return SearchAnswer(sorted(once.values(), key=_order), complete)


def _order(option: Option) -> tuple[bool, int]:
    return option.match_type != "exact", -min(option.width, option.height)


async def _here(conn: Connection, account_id: int, artist: str, album: str) -> list[Option]:
    """Return what is known of the account's own albums of this artist."""
    found: list[Option] = []
    for group_id in await own_albums.of_artist(conn, account_id, artist, MOST_ALBUMS):
        group = await sleeves.release_group(conn, group_id)
        if group is None:
            continue
        is_it = bool(album) and albums.fits(artist, album, group.credit.name, group.title).fits
        for each in await artwork_candidates.load(conn, group_id):
            if each.status == "fetched" and (is_it or not found or found[-1].album_name != group.title):
                found.append(_kept(each, group, "exact" if is_it else "artist_catalog"))
    return found


def _kept(
    each: artwork_candidates.Candidate,
    group: sleeves.ReleaseGroup,
    match_type: MatchType,
) -> Option:
    return Option(
        each.source,
        match_type,
        home.outward(f"/images/{each.digest}/500"),
        home.outward(f"/images/{each.digest}/250"),
        group.credit.name,
        group.title,
        each.width,
        each.height,
        each.expires_at is None,
        each.page,
        views.source_credit(each.source, each.url),
    )


def _told(reply: replies.Reply, artist: str, album: str, sources: Sequence[contract.Source]) -> list[Option]:
    answer = msgspec.convert(reply.answer, contract.Answer)
    options = []
    for image in answer.candidates:
        if not isinstance(image, contract.ImageAt) or choose.is_placeholder(image.url):
            continue
        fits = image.exact or albums.fits(artist, album, image.artist, image.release).fits
        same_artist = names.key(image.artist) == names.key(artist)
        if fits or same_artist:
            options.append(_offered(reply.source, image, "exact" if fits else "artist_catalog", sources))
    return options


def _offered(source: str, image: contract.ImageAt, match_type: MatchType, sources: Sequence[contract.Source]) -> Option:
    return Option(
        source,
        match_type,
        image.url,
        None,
        image.artist,
        image.release,
        image.width,
        image.height,
        all(each.policy.keep_s is None for each in _concerned(sources, source, image.url)),
        image.page,
        views.source_credit(source, image.url),
    )


def _concerned(sources: Sequence[contract.Source], source: str, url: str) -> list[contract.Source]:
    return [each for each in sources if each.name == source or contract.fetches(each.policy, url)]
