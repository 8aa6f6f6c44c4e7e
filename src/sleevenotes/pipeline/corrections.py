"""Correcting: a listener says what names are; their pages show it at once, and its cover is looked for.

Nothing here asks the internet: what may be chosen was found before, as near misses of the decision or by a search
(`pipeline.search`). A correction speaks of the name, so no play is written: `store.effective` reads it.

Every function is to be called in a transaction, with the account whose names they are; names that it has not played are
errors.Gone, as if they were not there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from sleevenotes import errors, events, model
from sleevenotes.matching import decide, release, tracklist
from sleevenotes.pipeline import agreeing, reconsider
from sleevenotes.store import accounts, artworks, cases, catalog, corrections, jobs, matches, searches
from sleevenotes.store import events as store_events
from sleevenotes.store.cases import Case
from sleevenotes.store.postgres import Connection
from sleevenotes.store.searches import Search

MOST = 500
"""Names in one act."""

BY_HAND = "set by hand"
"""How the reason of a match begins that a listener chose."""


async def accept(
    conn: Connection,
    account: accounts.Account,
    lookup_id: int,
    candidate: str,
    *,
    search_id: int | None = None,
    everybody: bool = False,
    now: datetime,
) -> int:
    """Make a name the recording of this identity, out of its near misses or of a search; return the correction's id.

    Raises errors.Refused, of the field "candidate", where it is not among them.
    """
    case = await own(conn, account.id, lookup_id)
    _check_everybody(account, everybody=everybody)
    offered = await _offered(conn, account.id, case, search_id)
    chosen = next((one for one in offered if one.option.recording.identity == candidate), None)
    if chosen is None:
        raise errors.Refused(
            f"{candidate[:80]!r} is not among the candidates of this name any more. Load the page again.",
            field="candidate",
        )
    identities = await _kept(conn, {lookup_id: (chosen, case.release)}, BY_HAND, now)
    return await _put(conn, account.id, "match", identities, everybody=everybody, now=now)


async def none(
    conn: Connection, account: accounts.Account, lookup_id: int, *, everybody: bool = False, now: datetime
) -> int:
    """Say that a name is nothing of what was found: it shows no match; return the correction's id."""
    await own(conn, account.id, lookup_id)
    _check_everybody(account, everybody=everybody)
    return await _put(conn, account.id, "none", {lookup_id: None}, everybody=everybody, now=now)


async def confirm(
    conn: Connection,
    account: accounts.Account,
    lookup_ids: Sequence[int],
    *,
    everybody: bool = False,
    now: datetime,
) -> int:
    """Say that names are right as they are, so that they stay so; return the correction's id.

    Raises errors.Refused, of the field "lookups", where there are none, too many, or one is matched to nothing.
    """
    once = list(dict.fromkeys(lookup_ids))
    if not 1 <= len(once) <= MOST:
        raise errors.Refused(f"lookups: from 1 to {MOST} names can be confirmed at once.", field="lookups")
    await corrections.require_played(conn, account.id, once)
    _check_everybody(account, everybody=everybody)
    says = {case.lookup_id: case.identity for case in await cases.load(conn, account.id, once)}
    if bare := [lookup_id for lookup_id, identity in says.items() if identity is None]:
        raise errors.Refused(f"lookups: {bare[0]} has no match to confirm.", field="lookups")
    return await _put(conn, account.id, "confirmed", says, everybody=everybody, now=now)


class Place(NamedTuple):
    """One of an album's names, and the recording that it would become; None where it is not on that album."""

    case: Case
    found: decide.Weighed | None


async def album_places(conn: Connection, account_id: int, search: Search) -> list[Place]:
    """Return what each name of an album would become, were it what this search found."""
    lookup_ids = await cases.of_album(conn, account_id, search.lookup_id, MOST)
    album = [one.option for one in weighed(search.candidates)]
    return [
        Place(case, tracklist.find(decide.Asked(case.artist, case.track, case.release), album))
        for case in await cases.load(conn, account_id, lookup_ids)
    ]


async def fix_album(
    conn: Connection,
    account: accounts.Account,
    lookup_id: int,
    search_id: int,
    *,
    everybody: bool = False,
    now: datetime,
) -> int:
    """Make the names of a name's album what a search found on an album; those not on it are left. Return the
    correction's id.

    Raises errors.Refused, of the field "search", where it is none of an album, or no name is on that.
    """
    await own(conn, account.id, lookup_id)
    _check_everybody(account, everybody=everybody)
    search = await searches.by_id(conn, account.id, search_id)
    if search is None or search.lookup_id != lookup_id or not is_album(search):
        raise errors.Refused("search: it is gone, or did not find an album. Search once more.", field="search")
    places = await album_places(conn, account.id, search)
    chosen = {each.case.lookup_id: (each.found, each.case.release) for each in places if each.found is not None}
    if not chosen:
        raise errors.Refused("search: none of your plays of this album is on that one.", field="search")
    identities = await _kept(conn, chosen, f"{BY_HAND}, with its whole album", now)
    return await _put(conn, account.id, "album", identities, everybody=everybody, now=now)


async def undo(
    conn: Connection, account: accounts.Account, correction_id: int, *, lookup_id: int | None = None, now: datetime
) -> list[int]:
    """Undo an act, or what it says of one name: what was before is shown again. Return the names.

    Raises errors.Gone where the account has no such act, or it is undone already.
    """
    corrections.require_ids([correction_id] if lookup_id is None else [correction_id, lookup_id])
    known = await corrections.recent(conn, account.id, 1, correction_id=correction_id)
    undone = await corrections.undo(conn, account.id, correction_id, now, lookup_id=lookup_id)
    if not undone:
        raise errors.Gone("There is no such correction of yours, or it is undone already.")
    await agreeing.hold(conn, undone, now)
    await _tell(conn, account.id, undone, everybody=known[0].everybody, now=now)
    return undone


async def share(conn: Connection, account: accounts.Account, correction_id: int, *, now: datetime) -> list[int]:
    """Make an act of the owner hold for everybody. Return the names.

    Raises errors.Refused, of the field "everybody", for others; errors.Gone where there is no such act in force.
    """
    _check_everybody(account, everybody=True)
    corrections.require_ids([correction_id])
    shared = await corrections.share(conn, account.id, correction_id)
    if not shared:
        raise errors.Gone("There is no such correction of yours in force.")
    await _tell(conn, account.id, shared, everybody=True, now=now)
    return shared


async def bring(
    conn: Connection,
    account_id: int,
    kind: corrections.Kind,
    says: Mapping[int, model.Match | None],
    said_at: datetime,
    *,
    now: datetime,
) -> int:
    """Take over an act that an export of ours tells, of names that the account has played; return the correction's id.

    What it tells of recordings and releases counts only where no source has told of them.
    """
    chosen = [(lookup_id, match) for lookup_id, match in says.items() if match is not None]
    kept = await catalog.keep_hearsay(conn, [(match.recording, match.release) for _, match in chosen])
    identities: dict[int, matches.Identity | None] = dict.fromkeys(says)
    for (lookup_id, match), row in zip(chosen, kept, strict=True):
        identities[lookup_id] = matches.Identity(
            recording_id=row.recording_id,
            release_id=row.release_id,
            release_group_id=row.release_group_id,
            source=match.source,
            distance=match.distance,
            reason=match.reason,
            penalties=match.penalties,
        )
    return await _put(conn, account_id, kind, identities, everybody=False, now=now, said_at=min(said_at, now))


async def own(conn: Connection, account_id: int, lookup_id: int) -> Case:
    """Return the case of a name that the account has played."""
    await corrections.require_played(conn, account_id, [lookup_id])
    return (await cases.load(conn, account_id, [lookup_id]))[0]


# ---------------------------------------------------------------- candidates


def weighed(kept: Sequence[dict[str, Any]]) -> list[decide.Weighed]:
    """Read candidates as they are kept with lookups and searches; what cannot be read any more is left out."""
    found = []
    for each in kept:
        try:
            found.append(msgspec.convert(each, decide.Weighed))
        except msgspec.ValidationError:  # an older form; it is looked for again some day
            continue
    return found


def is_album(search: Search) -> bool:
    """Tell whether a search asked what is on an album, and found something."""
    return search.whole_album and search.status == "answered" and search.question.get("type") != "find_recording"


async def _offered(conn: Connection, account_id: int, case: Case, search_id: int | None) -> list[decide.Weighed]:
    if search_id is None:
        return weighed(case.candidates)
    search = await searches.by_id(conn, account_id, search_id)
    return weighed(search.candidates) if search and search.lookup_id == case.lookup_id else []


Chosen = Mapping[int, tuple[decide.Weighed, str]]  # lookup -> the recording, and the album that was sent


async def _kept(conn: Connection, chosen: Chosen, reason: str, now: datetime) -> dict[int, matches.Identity | None]:
    """Store recordings and the releases they are taken to be on; return them as rows to point at."""
    choices = [
        release.choose(one.option.releases, sent, one.option.recording.artist_credit) for one, sent in chosen.values()
    ]
    pairs = [
        (one.option.recording, choice.release if choice else None)
        for (one, _), choice in zip(chosen.values(), choices, strict=True)
    ]
    rows = await catalog.keep(conn, pairs, now)
    return {
        lookup_id: matches.Identity(
            recording_id=row.recording_id,
            release_id=row.release_id,
            release_group_id=row.release_group_id,
            source=one.option.source,
            distance=one.distance,
            reason=f"{reason}; {choice.reason}" if choice else reason,
            penalties=one.penalties,
        )
        for (lookup_id, (one, _)), choice, row in zip(chosen.items(), choices, rows, strict=True)
    }


# ---------------------------------------------------------------- what follows


def _check_everybody(account: accounts.Account, *, everybody: bool) -> None:
    if everybody and not account.is_owner:
        raise errors.Refused("everybody: only the owner corrects for everybody.", field="everybody")


async def _put(
    conn: Connection,
    account_id: int,
    kind: corrections.Kind,
    says: Mapping[int, matches.Identity | None],
    *,
    everybody: bool,
    now: datetime,
    said_at: datetime | None = None,
) -> int:
    correction_id = await corrections.put(conn, account_id, kind, says, said_at or now, everybody=everybody)
    editions = {
        each.release_group_id: each.release_id
        for each in says.values()
        if each is not None and each.release_group_id is not None and each.release_id is not None
    }
    await jobs.enqueue(conn, "artwork", await artworks.want(conn, editions, now), model.Band.CRITICAL)
    await agreeing.hold(conn, list(says), now)
    await _tell(conn, account_id, list(says), everybody=everybody, now=now)
    return correction_id


async def _tell(
    conn: Connection, account_id: int, lookup_ids: Sequence[int], *, everybody: bool, now: datetime
) -> None:
    """Tell the pages of whom it concerns: of the account, or of everybody who plays these names, whose plays are
    then looked at.
    """
    told = {account_id: list(lookup_ids)}
    if everybody:
        told |= await matches.accounts_of_lookups(conn, lookup_ids)
        await reconsider.begin(conn, lookup_ids, model.Band.CRITICAL)  # plays whose evidence says otherwise keep theirs
    for each, ids in told.items():
        await store_events.tell(conn, [each], events.LookupsDecided(tuple(ids)), now)
