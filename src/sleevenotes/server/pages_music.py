"""Album, artist, track and scrobble: what a listener sees on the back of the sleeve.

All of them are shown only to an account whose own plays lead there; to anybody else they do not exist.
"""

from __future__ import annotations

from typing import Any

from litestar import get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath
from litestar.response import Template

from sleevenotes import model, names
from sleevenotes.server import charts, cover_offers, feeds, services, stories, templating, views
from sleevenotes.server.strangers import SignedIn
from sleevenotes.server.templating import Asking
from sleevenotes.store import (
    artwork_candidates,
    corrections,
    events,
    explanations,
    feedback,
    genres,
    jobs,
    library,
    linked_plays,
    played,
    portraits,
    preferences,
    replies,
    sleeves,
    source_ids,
    traces,
)
from sleevenotes.store.accounts import Account
from sleevenotes.store.postgres import Connection

PLAYS = 30  # of a track, on its page


@get("/albums/{release_group_id:int}")
async def album(request: Asking, account: SignedIn, release_group_id: FromPath[int]) -> Template:
    """Show a release group: cover, own plays, small print."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        heard = (await events.read(conn, account.id, "")).cursor
        facts = await _album(conn, account, release_group_id)
        await feeds.hurry_covers(conn, [release_group_id])
    return templating.page(
        request,
        "album.html",
        account,
        cursor=heard,
        tell=feeds.dater(account, now),
        chart=charts.months(facts.pop("months"), views.day(now, views.zone(account.time_zone))),
        **facts,
    )


async def _album(conn: Connection, account: Account, release_group_id: int) -> dict[str, Any]:
    totals = await library.album_played(conn, account.id, release_group_id)
    group = await sleeves.release_group(conn, release_group_id) if totals else None
    if group is None:
        raise NotFoundException
    own = await library.album_releases(conn, account.id, release_group_id)
    return {
        "album": group,
        "chosen": await preferences.of_album(conn, account.id, release_group_id),
        "played": totals,
        "tracks": await library.album_tracks(conn, account.id, release_group_id),
        "months": await library.album_months(conn, account.id, release_group_id, account.time_zone),
        "editions": [edition for edition in group.editions if edition.id in own],
        "genres": await genres.of_release_group(conn, release_group_id),
        "ids": await source_ids.of_release_group(conn, release_group_id),
        "name_id": await library.album_name(conn, account.id, release_group_id),
        "traces": await traces.of_release_group(conn, release_group_id),
        "offers": [each for each in await artwork_candidates.load(conn, release_group_id) if _passed_over(each, group)],
    }


def _passed_over(offer: artwork_candidates.Candidate, group: sleeves.ReleaseGroup) -> bool:
    """Tell whether this cover was offered and is not the one that is shown."""
    return bool(offer.reason) and offer.digest != (group.cover.digest if group.cover else "")


@get("/artists/{artist_id:int}")
async def artist(request: Asking, account: SignedIn, artist_id: FromPath[int]) -> Template:
    """Show an artist: albums and recordings the account plays."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        heard = (await events.read(conn, account.id, "")).cursor
        facts = await _artist(conn, account, artist_id)
        bare = [each.release_group_id for each in facts["albums"] if each.artwork_status == "pending"]
        await feeds.hurry_covers(conn, bare)
    async with parts.database.transaction() as conn:
        if await portraits.want(conn, artist_id, now):
            await replies.forget(conn, "portrait", [artist_id], only_unfound=False)  # ask anew what was asked long ago
            await jobs.enqueue(conn, "portrait", [artist_id], model.Band.CRITICAL)
    return templating.page(
        request,
        "artist.html",
        account,
        cursor=heard,
        tell=feeds.dater(account, now),
        chart=charts.months(facts.pop("months"), views.day(now, views.zone(account.time_zone))),
        **facts,
    )


async def _artist(conn: Connection, account: Account, artist_id: int) -> dict[str, Any]:
    totals = await library.artist_played(conn, account.id, artist_id)
    found = await sleeves.artist(conn, artist_id) if totals else None
    if found is None:
        raise NotFoundException
    return {
        "artist": found,
        "portrait": await portraits.of(conn, artist_id),
        "genres": await genres.of_artist(conn, artist_id),
        "ids": await source_ids.of_artist(conn, artist_id),
        "played": totals,
        "albums": await library.artist_albums(conn, account.id, artist_id),
        "tracks": await library.artist_tracks(conn, account.id, artist_id),
        "months": await library.artist_months(conn, account.id, artist_id, account.time_zone),
    }


@get("/tracks/{recording_id:int}")
async def track(request: Asking, account: SignedIn, recording_id: FromPath[int]) -> Template:
    """Show a recording: its albums, own plays, and the names that led to it."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        heard = (await events.read(conn, account.id, "")).cursor
        facts = await _track(conn, account, recording_id)
        await feeds.hurry_covers(conn, [each.release_group_id for each in facts["albums"] if not each.image_digest])
    return templating.page(
        request,
        "track.html",
        account,
        cursor=heard,
        tell=feeds.dater(account, now),
        usual_app=feeds.usual_app(facts["plays"]),
        chart=charts.months(facts.pop("months"), views.day(now, views.zone(account.time_zone))),
        **facts,
    )


async def _track(conn: Connection, account: Account, recording_id: int) -> dict[str, Any]:
    totals = await library.recording_played(conn, account.id, recording_id)
    found = await sleeves.recording(conn, recording_id) if totals else None
    if found is None:
        raise NotFoundException
    plays = await played.by_ids(conn, account.id, await library.recording_plays(conn, account.id, recording_id, PLAYS))
    names_sent = await library.recording_names(conn, account.id, recording_id)
    identities = [names.digest(each.artist, each.track) for each in names_sent]
    scores = await feedback.scores(conn, account.id, identities)
    return {
        "recording": found,
        "ids": await source_ids.of_recording(conn, recording_id),
        "played": totals,
        "albums": await library.recording_albums(conn, account.id, recording_id),
        "plays": plays,
        "names": names_sent,
        "loved": feedback.LOVED in scores.values(),
        "months": await library.recording_months(conn, account.id, recording_id, account.time_zone),
    }


@get("/scrobbles/{scrobble_id:int}")
async def scrobble(request: Asking, account: SignedIn, scrobble_id: FromPath[int]) -> Template:
    """Show one play: what was sent, what it became, and why."""
    parts = services.of(request)
    now = parts.clock.now()
    async with parts.database.connection() as conn:
        heard = (await events.read(conn, account.id, "")).cursor
        plays = await played.by_ids(conn, account.id, [scrobble_id])
        story = await explanations.explain(conn, scrobble_id) if plays else None
        came_with = await cover_offers.came_with(conn, plays[0]) if plays else None
        corrected = await corrections.in_force(conn, account.id, plays[0].lookup_id) if plays else None
        records = await linked_plays.records(conn, account.id, scrobble_id)
        own = await linked_plays.is_own(conn, scrobble_id)
        await feeds.hurry(conn, plays, now)
    if story is None:
        raise NotFoundException
    play = plays[0]
    return templating.page(
        request,
        "scrobble.html",
        account,
        cursor=heard,
        play=play,
        records=records,
        own=own,
        story=story,
        pairs=stories.pairs(play),
        line=stories.line(play, story),
        hints=stories.hints(play),
        came_with=came_with,
        candidates=stories.candidates(story.lookup.candidates),
        matched=play.status is model.Status.ENRICHED,
        correction_id=corrected,
        tell=feeds.dater(account, now),
    )


handlers = [album, artist, track, scrobble]
