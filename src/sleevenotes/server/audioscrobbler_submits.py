"""track.scrobble, track.updateNowPlaying, track.love and track.unlove."""

from __future__ import annotations

from sleevenotes.model import Band
from sleevenotes.server import audioscrobbler_plays, ops
from sleevenotes.server.audioscrobbler_answers import BAD_PARAMETER, Failure, Node
from sleevenotes.server.audioscrobbler_call import Call, application
from sleevenotes.server.audioscrobbler_context import Context, Method
from sleevenotes.server.audioscrobbler_plays import Item
from sleevenotes.store import feedback
from sleevenotes.store.accounts import Scope

DIALECT = "audioscrobbler"


async def scrobble(context: Context) -> Node:
    """track.scrobble: store up to 50 plays; each is stored whatever the others are."""
    account = await context.account(Scope.SUBMIT)
    call = _posted(context)
    items = audioscrobbler_plays.read_all(call.params, context.now, application(call.agent))
    sent = [item.scrobble for item in items if item.scrobble]
    stored = await context.parts.submitter.submit(account.id, sent, band=Band.DEFAULT)
    duplicates = sum(one.duplicate for one in stored)
    ops.count_listens(
        DIALECT, "batch", stored=len(stored) - duplicates, duplicate=duplicates, rejected=len(items) - len(sent)
    )
    _notice(context, items[-1], "scrobble")
    return audioscrobbler_plays.answer(items)


async def update_now_playing(context: Context) -> Node:
    """track.updateNowPlaying: note what plays now."""
    account = await context.account(Scope.SUBMIT)
    call = _posted(context)
    fields = audioscrobbler_plays.single(call.params)
    item = audioscrobbler_plays.read(fields, context.now, application(call.agent), playing=True)
    if not fields:
        raise Failure(BAD_PARAMETER, "Invalid parameters - artist and track are required")
    if item.scrobble:
        await context.parts.submitter.play_now(account.id, item.scrobble)
        ops.count_listens(DIALECT, "playing_now", stored=0, duplicate=0, rejected=0)
    _notice(context, item, "playing_now")
    return audioscrobbler_plays.answer_now(item)


async def love(context: Context) -> None:
    """track.love: remember that the listener loves a track, in every play of it."""
    await _give(context, feedback.LOVED)


async def unlove(context: Context) -> None:
    """track.unlove: forget it."""
    await _give(context, 0)


async def _give(context: Context, score: int) -> None:
    account = await context.account(Scope.SUBMIT)
    artist, track = _posted(context).required("artist"), context.call.required("track")
    if "\0" in artist + track or max(len(artist), len(track)) > audioscrobbler_plays.MAX_NAME:
        raise Failure(BAD_PARAMETER, "Invalid parameters - artist or track is no name")
    async with context.parts.database.transaction() as conn:
        await feedback.give(conn, account.id, artist, track, score, context.now)


def _posted(context: Context) -> Call:
    if not context.call.posted:
        raise Failure(BAD_PARAMETER, "Invalid parameters - this method wants POST")
    return context.call


def _notice(context: Context, item: Item, kind: str) -> None:
    token = context.bearer
    if not token:
        return
    noticed = context.request.app.state.noticed
    if item.scrobble:
        noticed.note(token, DIALECT, kind, artist=item.scrobble.artist, track=item.scrobble.track)
    else:
        noticed.note(token, DIALECT, "refused", problem=item.problem)


METHODS: dict[str, Method] = {
    "track.scrobble": scrobble,
    "track.updatenowplaying": update_now_playing,
    "track.love": love,
    "track.unlove": unlove,
}
