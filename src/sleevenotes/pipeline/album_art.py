"""Pictures that listeners upload: read wholly or refused, and kept like every other image."""

from __future__ import annotations

import asyncio

from sleevenotes import errors, model
from sleevenotes.artwork import files, image

MAX_BYTES = 5_000_000
MIMES = ("image/jpeg", "image/png", "image/webp")
SOURCE = "upload"
"""The source of an image that a listener brought."""


async def read(store: files.Files, data: bytes, field: str) -> model.Image:
    """Decode an upload off the event loop and store its file.

    Raises errors.Refused, of that field, for what is no JPEG, PNG or WebP of at most 5,000,000 bytes.
    """
    if not data:
        raise errors.Refused(f"{field}: is empty.", field=field)
    if len(data) > MAX_BYTES:
        raise errors.Refused(f"{field}: is larger than {MAX_BYTES // 1_000_000} MB.", field=field)
    try:
        return await asyncio.to_thread(_read, store, data)
    except errors.Garbled as error:
        raise errors.Refused(
            f"{field}: is no JPEG, PNG or WebP image that can be read ({error}).", field=field
        ) from None


def _read(store: files.Files, data: bytes) -> model.Image:
    examined = image.examine(data)
    if examined.mime not in MIMES:
        raise errors.Garbled(f"it is {examined.mime}")
    digest = store.keep(data)
    return examined.as_image(digest, source=SOURCE, source_url="")
