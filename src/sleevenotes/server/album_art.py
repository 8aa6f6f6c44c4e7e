"""Pictures uploaded with a native submit: a form instead of a document, with files beside it.

    scrobbles     the document, as it is sent without pictures
    album_art[3]  the picture of its item 3, counted from 0; `album_art` alone is that of item 0

A form and no address of data within the JSON: base64 makes a picture a third larger, and all of a document has to be
read before the first picture is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from litestar import Request
from litestar.datastructures import UploadFile

from sleevenotes import errors, model
from sleevenotes.pipeline import album_art as pictures
from sleevenotes.server import artworks
from sleevenotes.server.artworks import UPLOAD_FIELD
from sleevenotes.server.problems import FieldProblem, ItemProblem
from sleevenotes.server.scrobble_json import Batch
from sleevenotes.server.services import Services
from sleevenotes.store import images, scrobbles
from sleevenotes.store.postgres import Connection

_PART = re.compile(rf"{UPLOAD_FIELD}(?:\[(\d{{1,3}})\])?")


async def split(request: Request[Any, Any, Any]) -> tuple[bytes, dict[int, UploadFile]]:
    """Return the submitted document and the files, by the index of their item.

    Raises errors.Refused for a form without a document, and for a part that is none of these.
    """
    if request.content_type[0] != "multipart/form-data":
        return await request.body(), {}
    document, files = b"", {}
    for name, part in (await request.form()).multi_items():
        place = _PART.fullmatch(name)
        if name == "scrobbles":
            document = await part.read() if isinstance(part, UploadFile) else str(part).encode()
        elif place and isinstance(part, UploadFile):
            files[int(place[1] or 0)] = part
        else:
            raise errors.Refused(
                f"{name[:40]}: is no part of a submit; a picture is a file album_art[0].", field=name[:40]
            )
    if not document:
        raise errors.Refused("scrobbles: is required.", field="scrobbles")
    return document, files


async def read(parts: Services, batch: Batch, files: Mapping[int, UploadFile]) -> dict[int, model.Image]:
    """Read the pictures of the valid items, by index; an item whose picture cannot be read is not valid.

    Raises errors.Refused for a picture of an item that is not there.
    """
    there = {index for index, _ in batch.valid} | {problem.index for problem in batch.problems}
    if strangers := sorted(files.keys() - there):
        name = f"{UPLOAD_FIELD}[{strangers[0]}]"
        raise errors.Refused(f"{name}: there is no such item.", field=name)
    kept: dict[int, model.Image] = {}
    for index, scrobble in list(batch.valid):
        if index not in files:
            continue
        try:
            kept[index] = await pictures.read(parts.files, await artworks.read(files[index]), UPLOAD_FIELD)
        except errors.Refused as refused:
            batch.valid.remove((index, scrobble))
            said = str(refused).removeprefix(f"{UPLOAD_FIELD}: ")
            batch.problems.append(ItemProblem(index, [FieldProblem(UPLOAD_FIELD, said)]))
    batch.problems.sort(key=lambda problem: problem.index)
    return kept


async def keep(conn: Connection, account_id: int, pictures: Mapping[int, model.Image], parts: Services) -> None:
    """Let these scrobbles show the pictures that were uploaded with them; needs a transaction."""
    now = parts.clock.now()
    kept: dict[int, int] = {}
    for scrobble_id, picture in sorted(pictures.items()):
        kept[scrobble_id] = await images.keep(conn, picture, now)
        await images.hold(conn, kept[scrobble_id], now)
    if kept:
        await scrobbles.give_images(conn, account_id, kept)
