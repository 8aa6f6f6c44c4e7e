"""track.getInfo, album.getInfo, artist.getInfo and corrections: what one has played of them, and what they are."""

from __future__ import annotations

from sleevenotes import names
from sleevenotes.server import audioscrobbler_words as words
from sleevenotes.server import inputs
from sleevenotes.server.audioscrobbler_answers import BAD_PARAMETER, Failure, Node, not_found, numbers, text, tree
from sleevenotes.server.audioscrobbler_context import Context, Method
from sleevenotes.store import feedback, library, played, portraits, sleeves, subjects
from sleevenotes.store.accounts import Account, Scope
from sleevenotes.store.played import Play
from sleevenotes.store.postgres import Connection


async def track_info(context: Context) -> Node:
    """track.getInfo: one's own plays of a track; whether it is loved; the album it is on."""
    account = await _asking(context)
    artist, title, mbid = _by(context, "track")
    async with context.parts.database.connection() as conn:
        found, play = await _played(conn, account, await subjects.track(conn, account.id, artist, title, mbid))
        loved = await _loved(conn, account, artist or play.artist, title or play.track)
    base = context.call.base_url
    rows = [
        text("name", words.track_title(play)),
        text("mbid", play.recording_mbid),
        text("url", f"{base}/scrobbles/{play.id}"),
        text("duration", play.length_ms or play.duration_ms or 0),
        text("streamable", 0, fulltrack=0),
        *_counts(found),
        words.plain_artist(words.artist_name(play), words.artist_mbid(play), _artist_url(play, base)),
        *_on_album(play, base),
        text("userloved", loved),
        tree("toptags", [], ("tag",)),
    ]
    return tree("track", rows)


def _counts(found: subjects.Found) -> list[Node]:
    """Write how much it is played; nobody but the one who asks is counted."""
    return [text("listeners", 1), text("playcount", found.plays), text("userplaycount", found.plays)]


def _on_album(play: Play, base_url: str) -> list[Node]:
    title = words.album_title(play)
    if not title:
        return []
    rows = [
        text("artist", play.album_artist or words.artist_name(play)),
        text("title", title),
        text("mbid", play.release_mbid),
        text("url", f"{base_url}/albums/{play.release_group_id}" if play.release_group_id else ""),
        *words.images(base_url, play.image_digest, 5),
    ]
    return [tree("album", rows, ("image",))]


async def album_info(context: Context) -> Node:
    """album.getInfo: one's own plays of an album, and of which of its tracks."""
    account = await _asking(context)
    artist, title, mbid = _by(context, "album")
    async with context.parts.database.connection() as conn:
        found, play = await _played(conn, account, await subjects.album(conn, account.id, artist, title, mbid))
        group_id = found.release_group_id
        group = await sleeves.release_group(conn, group_id) if group_id else None
        tracks = await library.album_tracks(conn, account.id, group_id) if group_id else []
    base = context.call.base_url
    digest = group.cover.digest if group and group.cover else play.image_digest
    rows = [
        text("name", group.title if group else words.album_title(play)),
        text("artist", group.credit.name if group else words.artist_name(play)),
        text("mbid", group.mbid if group else ""),
        text("url", f"{base}/albums/{group_id}" if group_id else ""),
        *words.images(base, digest, 5),
        *_counts(found),
        tree("tracks", [_on(track, rank) for rank, track in enumerate(tracks, 1)], ("track",)),
        tree("tags", [], ("tag",)),
    ]
    return tree("album", rows, ("image",))


def _on(track: library.Track, rank: int) -> Node:
    rows = [
        text("name", track.title),
        text("url"),
        numbers(text("duration", round(track.length_ms / 1000) if track.length_ms else "")),
        text("streamable", 0, fulltrack=0),
        words.plain_artist(track.artist),
    ]
    return tree("track", rows, rank=rank)


async def artist_info(context: Context) -> Node:
    """artist.getInfo: one's own plays of an artist."""
    account = await _asking(context)
    name, _, mbid = _by(context, "")
    async with context.parts.database.connection() as conn:
        found, play = await _played(conn, account, await subjects.artist(conn, account.id, name, mbid))
        known = await sleeves.artist(conn, found.artist_id) if found.artist_id else None
        portrait = await portraits.of(conn, found.artist_id) if found.artist_id else None
    base = context.call.base_url
    rows = [
        text("name", known.name if known else words.artist_name(play)),
        text("mbid", known.mbid if known else ""),
        text("url", f"{base}/artists/{found.artist_id}" if known else ""),
        *words.images(base, portrait.digest if portrait else "", 5),
        text("streamable", 0),
        text("ontour", 0),
        tree("stats", _counts(found)),
        tree("similar", [], ("artist",)),
        tree("tags", [], ("tag",)),
    ]
    return tree("artist", rows, ("image",))


# ---------------------------------------------------------------- corrections


async def track_correction(context: Context) -> Node:
    """track.getCorrection: what the names of one's own play were matched to; empty for what one has not played."""
    account = await _asking(context)
    artist, title, _ = _by(context, "track")
    async with context.parts.database.connection() as conn:
        found = await subjects.track(conn, account.id, artist, title)
        plays = await played.by_ids(conn, account.id, [found.newest_id]) if found else []
    if not plays:
        return tree("corrections", [], ("correction",))
    (play,) = plays
    by, called = words.artist_name(play), words.track_title(play)
    url = f"{context.call.base_url}/scrobbles/{play.id}"
    rows = [
        text("name", called),
        text("mbid", play.recording_mbid),
        text("url", url),
        words.plain_artist(by, words.artist_mbid(play), _artist_url(play, context.call.base_url)),
    ]
    found_otherwise = tree(
        "correction",
        [tree("track", rows)],
        index=0,
        artistcorrected=_differ(by, artist),
        trackcorrected=_differ(called, title),
    )
    return tree("corrections", [found_otherwise])


async def artist_correction(context: Context) -> Node:
    """artist.getCorrection: what an artist's name was matched to in one's own plays; empty where there is none."""
    account = await _asking(context)
    name, _, _ = _by(context, "")
    async with context.parts.database.connection() as conn:
        found = await subjects.artist(conn, account.id, name)
        known = await sleeves.artist(conn, found.artist_id) if found and found.artist_id else None
    if known is None:
        return tree("corrections", [], ("correction",))
    url = f"{context.call.base_url}/artists/{known.id}"
    return tree("corrections", [tree("correction", [words.plain_artist(known.name, known.mbid, url)], index=0)])


def _differ(one: str, other: str) -> bool:
    return names.fold(one) != names.fold(other)


# ---------------------------------------------------------------- inside


async def _asking(context: Context) -> Account:
    """Return who asks; a `username` that is another's finds nothing, for plays are private."""
    account = await context.account(Scope.READ)
    name = context.call.get("username") or account.name
    if name.lower() != account.name.lower():
        raise not_found("User not found")
    return account


def _by(context: Context, kind: str) -> tuple[str, str, str]:
    """Return artist, title and MBID; where there is no MBID, the names are required."""
    call = context.call
    mbid = call.get("mbid").lower()
    if inputs.is_mbid(mbid):
        return call.get("artist"), call.get(kind) if kind else "", mbid
    artist, title = call.required("artist"), call.required(kind) if kind else ""
    if "\0" in artist + title:
        raise Failure(BAD_PARAMETER, "Invalid parameters - a name contains a NUL character")
    return artist, title, ""


async def _played(conn: Connection, account: Account, found: subjects.Found | None) -> tuple[subjects.Found, Play]:
    """Return what was found and its newest play. Raises Failure 6 where there is none."""
    plays = await played.by_ids(conn, account.id, [found.newest_id]) if found else []
    if found is None or not plays:
        raise not_found("Not found - you have not played it")
    return found, plays[0]


async def _loved(conn: Connection, account: Account, artist: str, title: str) -> bool:
    identity = names.digest(artist, title)
    return (await feedback.scores(conn, account.id, [identity])).get(identity, 0) > 0


def _artist_url(play: Play, base_url: str) -> str:
    return f"{base_url}/artists/{play.artists[0][0]}" if play.artists else ""


METHODS: dict[str, Method] = {
    "track.getinfo": track_info,
    "album.getinfo": album_info,
    "artist.getinfo": artist_info,
    "track.getcorrection": track_correction,
    "artist.getcorrection": artist_correction,
}
