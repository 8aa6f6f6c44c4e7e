"""From fetched bytes to an image that can be shown: decoded and measured.

Its thumbnails are made when somebody first looks at it (server.images): most candidates for a cover are never seen.
"""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import msgspec

from sleevenotes import errors, model
from sleevenotes.artwork import image
from sleevenotes.pipeline.tools import Tools
from sleevenotes.sources import contract


class Picture(msgspec.Struct, frozen=True):
    """A decoded image; `phash` is its perceptual hash, `expires_at` when its source's terms forbid to keep it on."""

    image: model.Image
    phash: int | None
    expires_at: datetime | None


async def read(tools: Tools, file: contract.ImageFile, source: str, page: str) -> Picture:
    """Decode and measure a stored file, off the event loop. Raises errors.Garbled."""
    examined = await asyncio.to_thread(_examine, tools, file.digest)
    fetching = tools.fetching(file.url)
    policy = fetching.policy if fetching else None
    keep_s = policy.keep_s if policy else None
    return Picture(
        examined.as_image(
            file.digest, source=source, source_url=file.url, page=page, credit=policy.credit if policy else ""
        ),
        examined.phash,
        tools.clock.now() + timedelta(seconds=keep_s) if keep_s is not None else None,
    )


def _examine(tools: Tools, digest: str) -> image.Examined:
    data = tools.files.original(digest)
    if data is None:
        raise errors.Garbled("its file is gone")
    return image.examine(data)
