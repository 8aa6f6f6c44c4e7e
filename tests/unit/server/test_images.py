from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, cast

import httpx
import pytest
import pytest_asyncio
from litestar import Litestar
from litestar.datastructures import State
from PIL import Image

from sleevenotes.artwork import image
from sleevenotes.artwork.files import Files
from sleevenotes.clock import HandClock
from sleevenotes.server import images as handler
from sleevenotes.server.services import Services
from sleevenotes.settings import Settings
from sleevenotes.store import images
from sleevenotes.store.postgres import Database


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


@pytest_asyncio.fixture
async def client(
    database: Database, files: Files, settings: Settings, clock: HandClock
) -> AsyncIterator[httpx.AsyncClient]:
    """Return a client of an application that has nothing but the images."""
    unused = cast("Any", None)
    services = Services(settings, clock, database, submitter=unused, files=files, hub=unused)
    application = Litestar(handler.handlers, state=State({"services": services}))
    transport = httpx.ASGITransport(cast("Any", application))  # on this loop, as the database's connections are
    async with httpx.AsyncClient(transport=transport, base_url="http://here") as opened:
        yield opened


def cover() -> bytes:
    out = io.BytesIO()
    Image.radial_gradient("L").resize((600, 600)).convert("RGB").save(out, "JPEG")
    return out.getvalue()


async def stored(
    database: Database, files: Files, clock: HandClock, data: bytes, expires_at: datetime | None = None
) -> str:
    """Store an image as the artwork stage does; return its digest."""
    digest = files.keep(data)
    examined = image.examine(data)
    async with database.connection() as conn:
        kept = examined.as_image(digest, source="coverartarchive", source_url="")
        await images.keep(conn, kept, clock.now(), expires_at=expires_at)
    return digest


Client = httpx.AsyncClient


@pytest.mark.parametrize("size", [64, 250, 500])
async def test_a_cover_is_sent_as_webp_to_be_kept_for_ever(
    client: Client, database: Database, files: Files, clock: HandClock, size: int
) -> None:
    digest = await stored(database, files, clock, cover())
    reply = await client.get(f"/images/{digest}/{size}")
    assert reply.status_code == 200
    assert reply.headers["content-type"] == "image/webp"
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert reply.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in reply.headers
    assert Image.open(io.BytesIO(reply.content)).format == "WEBP"
    assert Image.open(io.BytesIO(reply.content)).size == (size, size)


async def test_who_has_it_already_gets_304_without_a_body(
    client: Client, database: Database, files: Files, clock: HandClock
) -> None:
    digest = await stored(database, files, clock, cover())
    tag = (await client.get(f"/images/{digest}/250")).headers["etag"]
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        reply = await client.get(f"/images/{digest}/250", headers={"If-None-Match": header})
        assert (reply.status_code, reply.content, reply.headers["etag"]) == (304, b"", tag)
        assert reply.headers["cache-control"] == handler.FOREVER
    other_size = await client.get(f"/images/{digest}/64", headers={"If-None-Match": tag})
    assert other_size.status_code == 200


async def test_head_tells_the_same_without_a_body(
    client: Client, database: Database, files: Files, clock: HandClock
) -> None:
    digest = await stored(database, files, clock, cover())
    head, got = await client.head(f"/images/{digest}/250"), await client.get(f"/images/{digest}/250")
    assert head.status_code == 200
    assert {name: head.headers[name] for name in ("etag", "content-type", "content-length")} == {
        name: got.headers[name] for name in ("etag", "content-type", "content-length")
    }


@pytest.mark.parametrize(
    "path",
    [
        f"/images/{'0' * 64}/250",  # a digest of nothing stored
        f"/images/{'0' * 63}/250",
        f"/images/{'G' * 64}/250",
        "/images/..%2f..%2fetc%2fpasswd/250",
        "/images/%2e%2e/250",
    ],
)
async def test_what_is_not_stored_is_404_and_not_to_be_kept(client: Client, path: str) -> None:
    reply = await client.get(path)
    assert reply.status_code == 404


async def test_a_missing_cover_may_come_yet(client: Client) -> None:
    reply = await client.get(f"/images/{'0' * 64}/250")
    assert reply.headers["cache-control"] == "no-store"
    conditional = await client.get(f"/images/{'0' * 64}/250", headers={"If-None-Match": "*"})
    assert conditional.status_code == 404


@pytest.mark.parametrize("size", ["0", "-64", "65", "501", "1200", "original", "250.webp"])
async def test_only_the_declared_sizes_exist(
    client: Client, database: Database, files: Files, clock: HandClock, size: str
) -> None:
    digest = await stored(database, files, clock, cover())
    assert (await client.get(f"/images/{digest}/{size}")).status_code == 404


async def test_thumbnails_are_made_when_somebody_first_looks(
    client: Client, database: Database, files: Files, clock: HandClock
) -> None:
    digest = await stored(database, files, clock, cover())
    assert files.thumbnail(digest, 250) is None
    assert (await client.get(f"/images/{digest}/250")).status_code == 200
    assert all(files.thumbnail(digest, size) is not None for size in image.SIZES)


async def test_a_lost_thumbnail_is_made_again_from_the_original(
    client: Client, database: Database, files: Files, clock: HandClock
) -> None:
    digest = await stored(database, files, clock, cover())
    before = (await client.get(f"/images/{digest}/250")).content
    for size in image.SIZES:
        files.thumbnail_path(digest, size).unlink()
    assert (await client.get(f"/images/{digest}/250")).content == before
    assert files.thumbnail(digest, 64) is not None


async def test_bytes_that_were_only_fetched_are_never_served(client: Client, files: Files) -> None:
    fetched = files.keep(cover())  # a lane stored them; nobody has examined them
    assert (await client.get(f"/images/{fetched}/250")).status_code == 404


async def test_an_original_that_was_damaged_on_disk_is_404_and_never_sent_as_it_is(
    client: Client, database: Database, files: Files, clock: HandClock
) -> None:
    digest = await stored(database, files, clock, cover())
    files.original_path(digest).write_bytes(b"<script>alert(1)</script>")
    assert (await client.get(f"/images/{digest}/250")).status_code == 404
    files.original_path(digest).unlink()
    assert (await client.get(f"/images/{digest}/250")).status_code == 404


async def test_a_stop_gap_is_kept_by_the_browser_alone_and_until_it_expires(
    client: Client, database: Database, files: Files, clock: HandClock
) -> None:
    digest = await stored(database, files, clock, cover(), clock.now() + timedelta(hours=6))
    clock.turn(3600)
    reply = await client.get(f"/images/{digest}/250")
    assert (reply.status_code, reply.headers["cache-control"]) == (200, "private, max-age=18000")
    again = await client.get(f"/images/{digest}/250", headers={"If-None-Match": reply.headers["etag"]})
    assert (again.status_code, again.headers["cache-control"]) == (304, "private, max-age=18000")
    clock.turn(5 * 3600)
    gone = await client.get(f"/images/{digest}/250", headers={"If-None-Match": reply.headers["etag"]})
    assert (gone.status_code, gone.headers["cache-control"]) == (404, "no-store")


async def test_files_that_outlived_their_row_are_not_served(
    client: Client, database: Database, files: Files, clock: HandClock
) -> None:
    digest = await stored(database, files, clock, cover(), clock.now())
    async with database.transaction() as conn:
        await images.purge(conn, clock.now())
    assert files.original(digest) is not None
    assert (await client.get(f"/images/{digest}/250")).status_code == 404
