"""What a listener has said of plays, taken away with them and brought again: corrections, covers, marks, edits.

In again, each goes the way of the listener's own act: what was said here already stays, what cannot be applied is told
and holds up nothing else, and undoing the import takes back what it brought. What the file tells of recordings and
albums is believed only where no source has told of them, and gives way to the first that does (`catalog.HEARSAY`).
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import datetime

import msgspec

from sleevenotes import errors, model, names
from sleevenotes.artwork import image
from sleevenotes.artwork.files import Files
from sleevenotes.importers import acts
from sleevenotes.pipeline import album_art, corrections, preferences, sameplay
from sleevenotes.store import accounts, catalog, deletions, images, same_plays, scrobbles
from sleevenotes.store import acts as rows
from sleevenotes.store.imports import Import
from sleevenotes.store.postgres import Connection, Database
from sleevenotes.store.preferences import Subject

_AT_ONCE = 200  # lines handed over together


# ---------------------------------------------------------------- out


async def lines(database: Database, files: Files, account_id: int) -> AsyncIterator[list[acts.Line]]:
    """Yield what an account has said, some lines at a time; images stand before what shows them."""
    said = await rows.in_force(database, account_id)
    for digest in sorted({row["image"] for kind in ("cover", "uploaded") for row in said[kind]}):
        data = await asyncio.to_thread(files.original, digest)
        if data is not None:
            yield list(acts.parts(digest, data))
    told: list[acts.Line] = [
        acts.Said(row.pop("number"), row.pop("kind"), row.pop("at"), msgspec.convert(row, acts.Name))
        for row in said.pop("correction")
    ]
    told += [msgspec.convert({"act": kind, **row}, acts.Line) for kind, each in said.items() for row in each]
    for at in range(0, len(told), _AT_ONCE):
        yield told[at : at + _AT_ONCE]


# ---------------------------------------------------------------- in


async def kept(files: Files, told: Iterable[acts.Act]) -> dict[str, object]:
    """Decode and store the images among these; return by digest the image, or why it was refused.

    Most were fetched from a source once, which may be larger than an upload, or a GIF.
    """
    found: dict[str, object] = {}
    for act in told:
        if isinstance(act, acts.Image):
            try:
                found[act.digest] = await asyncio.to_thread(_read, files, act.data)
            except errors.Garbled as why:
                found[act.digest] = f"image: {why}"
    return found


def _read(files: Files, data: bytes) -> model.Image:
    examined = image.examine(data)
    return examined.as_image(files.keep(data), source=album_art.SOURCE, source_url="")


class Bringing:
    """Applies the acts of a batch in its transaction, which has locked the account."""

    def __init__(self, conn: Connection, brought_by: Import, pictures: dict[str, object], now: datetime) -> None:
        self._conn = conn
        self._account_id = brought_by.account_id
        self._import_id = brought_by.id
        self._pictures = pictures
        self._now = now
        self.applied = 0

    async def apply(self, told: Sequence[acts.Act]) -> list[str]:
        """Apply these, and say of each what could not be, "" where all was."""
        if not told:
            return []
        await scrobbles.lock_accounts(self._conn, [self._account_id])
        return [await self._one(act) for act in told]

    async def _one(self, act: acts.Act) -> str:
        match act:
            case acts.Image():
                return await self._image(act)
            case acts.Correction():
                return await self._correction(act)
            case acts.Cover():
                return await self._cover(act)
            case acts.Brought():
                return await self._uploaded(act)
            case acts.Own():
                return await self._own(act)
            case acts.Apart():
                return await self._apart(act)
            case acts.Deleted():
                return await self._deleted(act)
            case acts.Edited():
                return await self._edited(act)

    async def _image(self, act: acts.Image) -> str:
        picture = self._pictures[act.digest]
        if isinstance(picture, str):
            return picture
        await images.keep(self._conn, picture, self._now)  # type: ignore[arg-type] # a model.Image, see `kept`
        return ""

    async def _correction(self, act: acts.Correction) -> str:
        identities = [names.digest(name.artist, name.track, name.release) for name in act.names]
        played = await rows.names_played(self._conn, self._account_id, identities)
        says = {
            played[identity][0]: name.became
            for identity, name in zip(identities, act.names, strict=True)
            if identity in played and not played[identity][1]
        }
        if says:
            done = await corrections.bring(self._conn, self._account_id, act.kind, says, act.at, now=self._now)
            await rows.mark(self._conn, "corrections", done, self._import_id)
            self.applied += 1
        missing = [name for name, each in zip(act.names, identities, strict=True) if each not in played]
        told = ", ".join(f"{name.artist}, {name.track}" for name in missing[:5])
        return f"a correction of names of which there is no play here: {told[:300]}" if missing else ""

    async def _cover(self, act: acts.Cover) -> str:
        play = await self._play(act.play) if act.play else None
        if act.play and play is None:
            return _no_play("a cover", act.play)
        group = await self._group(act)
        subject = Subject(act.artist, act.release, group, play["id"] if play else None)
        keys = names.key(act.artist), names.key(act.release)
        if await rows.has_cover(self._conn, self._account_id, keys, group, subject.scrobble_id):
            return ""
        address = act.address if act.address.startswith(("https://", "http://")) else ""  # it is shown as a link
        try:
            done = await preferences.choose(
                self._conn, self._account_id, subject, _digest(act.image), self._now, address=address, at=act.at
            )
        except errors.Refused as why:
            return f"a cover of {act.artist}, {act.release}: {why}"[:500]
        await rows.mark(self._conn, "artwork_preferences", done, self._import_id)
        self.applied += 1
        return ""

    async def _group(self, act: acts.Cover) -> int | None:
        if act.release_group is None:
            return None
        known = await rows.release_group(self._conn, act.release_group)
        if known is None and act.artist_credit is not None and act.artist_credit.names:
            return await catalog.keep_hearsay_group(self._conn, act.release_group, act.artist_credit)
        return known

    async def _uploaded(self, act: acts.Brought) -> str:
        play = await self._play(act.play)
        if play is None:
            return _no_play("a picture", act.play)
        picture = await images.by_digest(self._conn, _digest(act.image))
        if picture is None or picture.expires_at is not None:
            return f"a picture of {act.play.artist}, {act.play.track}: the file does not hold it"
        if play["image_id"] not in (None, picture.id) or (
            play["image_id"] is None and not self._brought(play["import_id"])
        ):
            return f"a picture of {act.play.artist}, {act.play.track}: the play was here before, without it"
        if play["image_id"] is None:
            await images.hold(self._conn, picture.id, self._now)
            await scrobbles.give_images(self._conn, self._account_id, {play["id"]: picture.id})
            self.applied += 1
        return ""

    def _brought(self, import_id: int | None) -> bool:
        return import_id == self._import_id

    async def _own(self, act: acts.Own) -> str:
        play = await self._play(act.play)
        if play is None:
            return _no_play("a play of its own", act.play)
        if await rows.own_play(self._conn, play["id"], act.at, self._import_id):
            changes = await same_plays.make_own(self._conn, self._account_id, play["id"], self._now)
            await sameplay.tell(self._conn, changes, self._now)
            self.applied += 1
        return ""

    async def _apart(self, act: acts.Apart) -> str:
        if act.origin == act.other:
            return "two origins kept apart that are one"
        if await rows.apart(self._conn, self._account_id, (act.origin, act.other), act.at, self._import_id):
            changes = await same_plays.keep_apart(self._conn, self._account_id, act.origin, act.other, self._now)
            await sameplay.tell(self._conn, changes, self._now)
            self.applied += 1
        return ""

    async def _deleted(self, act: acts.Deleted) -> str:
        play = act.listened_at, bytes.fromhex(act.identity)
        if await deletions.dismiss(self._conn, self._account_id, play, self._import_id):
            self.applied += 1
        return ""

    async def _edited(self, act: acts.Edited) -> str:
        play = await self._play(act.play)
        if play is None:
            return _no_play("an edit", act.play)
        was = act.listened_at, bytes.fromhex(act.identity)
        other = await rows.play(self._conn, self._account_id, *was)
        if other is not None and other["id"] != play["id"]:
            told = f"{other['artist']}, {other['track']} of {act.listened_at:%Y-%m-%d %H:%M:%S}"
            return f"an edit: {told} is here, too, as it was before"[:500]
        if await rows.edited_play(self._conn, self._account_id, play["id"], was, self._import_id):
            self.applied += 1
        return ""

    async def _play(self, key: acts.Key) -> rows.Row | None:
        identity = names.digest(key.artist, key.track)
        found = await rows.play(self._conn, self._account_id, key.listened_at, identity)
        return dict(found) if found else None


def _no_play(what: str, key: acts.Key) -> str:
    return f"{what}: there is no play of {key.artist}, {key.track} of {key.listened_at:%Y-%m-%d %H:%M:%S} here"[:500]


def _digest(text: str) -> str:
    return text if len(text) == 64 and set(text) <= set("0123456789abcdef") else "0" * 64


# ---------------------------------------------------------------- undoing


async def take_back(conn: Connection, told: Import, now: datetime) -> None:
    """Take back what an import brought beside plays; what the listener said since then stays."""
    await scrobbles.lock_accounts(conn, [told.account_id])
    account = await accounts.by_id(conn, told.account_id)
    if account is None:
        raise errors.Gone("The account is gone.")
    left = await rows.of_import(conn, told.account_id, told.id)
    for correction_id in left["corrections"]:
        await corrections.undo(conn, account, correction_id, now=now)
    for preference_id in left["covers"]:
        await preferences.undo(conn, told.account_id, preference_id, now)
    for scrobble_id in left["own"]:
        await same_plays.no_longer_own(conn, told.account_id, scrobble_id)
    if left["own"]:
        await sameplay.tell(conn, await sameplay.compare(conn, left["own"]), now)
    if await rows.take_back(conn, told.account_id, told.id):
        await sameplay.compare_all(conn, told.account_id, now)
