"""What the API and the pages of covers share: reading what a listener brings, and waiting for what is fetched.

A listener brings an image as an address, as a file, or as an image that is here already. An address is fetched by the
lanes, so a request waits for it, for a few seconds, to say whether it can be shown.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import NamedTuple

from litestar.datastructures import UploadFile

from sleevenotes import errors
from sleevenotes.pipeline import album_art, sent_images
from sleevenotes.pipeline.preferences import FIELD
from sleevenotes.server import home
from sleevenotes.server.services import Services
from sleevenotes.sources import contract
from sleevenotes.store import images
from sleevenotes.store import sent_images as rows

UPLOAD_FIELD = "album_art"
MAX_ADDRESS = 2_000
PATIENCE = timedelta(seconds=10)
LOOK_AGAIN = 0.05
"""Seconds between two looks whether an image has come."""

TRIES = 3
"""Faults in a row after which a listener is told, though it is tried on."""

_OURS = re.compile(r"/images/([0-9a-f]{64})(?:/\d+)?")


class Brought(NamedTuple):
    """An image that a listener brought, by its digest, and the address it came from ("" for a file)."""

    digest: str
    address: str


async def brought(parts: Services, address: str, file: UploadFile | None) -> Brought:
    """Read what a listener brought: exactly one of an address and a file.

    Raises errors.Refused that names the field.
    """
    address = address.strip()
    given = file is not None and bool(file.filename)
    if given == bool(address):
        raise errors.Refused(f"{FIELD}: give a file or an address, one of the two.", field=FIELD)
    if file is not None and given:
        return Brought(await uploaded(parts, await read(file)), "")
    if ours := _OURS.fullmatch(home.inward(address)):
        return Brought(ours[1], "")
    return Brought(await fetched(parts, address), address)


async def read(file: UploadFile) -> bytes:
    """Read an upload, no more of it than is needed to see that it is too large."""
    return await file.read(album_art.MAX_BYTES + 1)


async def uploaded(parts: Services, data: bytes) -> str:
    """Keep an uploaded image and return its digest. Raises errors.Refused, of the field `album_art`."""
    image = await album_art.read(parts.files, data, UPLOAD_FIELD)
    async with parts.database.transaction() as conn:
        await images.hold(conn, await images.keep(conn, image, parts.clock.now()), parts.clock.now())
    return image.digest


async def fetched(parts: Services, address: str) -> str:
    """Have the image at an address fetched, and return its digest when it is here.

    Raises errors.Refused, of the field `preferred_artwork_url`, where it is none, or does not come within ten seconds.
    """
    if len(address) > MAX_ADDRESS or not re.match(r"https?://[^\s/]+\.", address) or not address.isprintable():
        raise errors.Refused(f"{FIELD}: must be an http or https address of an image.", field=FIELD)
    since = parts.clock.now()
    async with parts.database.transaction() as conn:
        known = await rows.of_address(conn, address)
        if known is not None and known.image_id is not None:
            return known.digest
        await sent_images.fetch(conn, address, since)
    while parts.clock.now() - since < PATIENCE:
        await parts.clock.sleep(LOOK_AGAIN)
        async with parts.database.connection() as conn:
            sent = await rows.of_address(conn, address)
            troubles = await rows.troubles(conn, contract.key(contract.FetchImage(address)), since)
        if sent is not None and sent.digest:
            return sent.digest
        if sent is not None and sent.status != "pending":
            raise errors.Refused(f"{FIELD}: {sent.reason}", field=FIELD)
        if len(troubles) >= TRIES:
            raise errors.Refused(f"{FIELD}: {sent_images.reason(troubles, 'It could not be reached')}", field=FIELD)
    raise errors.Refused(
        f"{FIELD}: nothing came from there within {PATIENCE.seconds} seconds. Nothing was changed; try again later.",
        field=FIELD,
    )
