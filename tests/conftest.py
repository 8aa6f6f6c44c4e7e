"""The ground every test stands on: a real PostgreSQL, a clock turned by hand, and the real data where they are."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from sleevenotes.clock import HandClock
from sleevenotes.settings import Settings
from sleevenotes.store import bundled, postgres

TEMPLATE = "sleevenotes_template"
MEMORY = "/dev/shm"  # noqa: S108 - made below it are directories of our own
_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Return the directory of real data (histories, recorded exchanges); skips where it is not there."""
    beside = Path(__file__).parents[2] / "shared" / "data"
    path = Path(os.environ.get("SLEEVENOTES_SHARED_DATA", beside))
    if not path.is_dir():
        pytest.skip(f"no real data here: set SLEEVENOTES_SHARED_DATA (looked in {path})")
    return path


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """Return an empty data directory that an unprivileged user may enter, for tests that run a server of their own.

    (pytest's own tmp_path is closed to other users, and root's PostgreSQL runs as one.)
    """
    path = _open_directory()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """Run one PostgreSQL for the session, with a migrated template; return the URL of its first database."""
    path = _open_directory()
    server = bundled.Server(path, durable=False)
    asyncio.run(_start(server))
    yield server.url
    asyncio.run(server.leave())
    shutil.rmtree(path)


@pytest_asyncio.fixture
async def database_url(server_url: str) -> AsyncIterator[str]:
    """Return the URL of a migrated, empty database of this test's own; dropped afterwards."""
    name = f"test_{next(_numbers)}"
    admin = await postgres.connect(_url_of(server_url, "postgres"))
    try:
        await admin.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY FILE_COPY")
        yield _url_of(server_url, name)
        await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    finally:
        await admin.close()


@pytest.fixture
def settings(database_url: str, tmp_path: Path) -> Settings:
    """Return settings with this test's own database and data directory."""
    return Settings(database_url=database_url, data_dir=str(tmp_path))


@pytest_asyncio.fixture
async def database(settings: Settings) -> AsyncIterator[postgres.Database]:
    """Return this test's own database, open."""
    opened = await postgres.Database.open(settings)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> HandClock:
    """Return a clock that stands at the start of 2026 until turned."""
    return HandClock()


async def _start(server: bundled.Server) -> None:
    await server.join()
    admin = await postgres.connect(_url_of(server.url, "postgres"))
    try:
        await admin.execute(f"CREATE DATABASE {TEMPLATE}")
    finally:
        await admin.close()
    migrated = await postgres.Database.open(Settings(database_url=_url_of(server.url, TEMPLATE)))
    await migrated.close()


def _url_of(url: str, name: str) -> str:
    base, _, query = url.partition("?")
    return f"{base.rpartition('/')[0]}/{name}?{query}"


def _open_directory() -> Path:
    path = Path(tempfile.mkdtemp(prefix="sleevenotes-test-", dir=_memory()))
    path.chmod(0o755)
    return path


def _memory() -> str | None:
    """Return a directory in memory, unless another is asked for or there is little room: databases come and go."""
    try:
        roomy = shutil.disk_usage(MEMORY).free > 2 << 30
    except OSError:
        return None
    return MEMORY if roomy and os.access(MEMORY, os.W_OK) and "TMPDIR" not in os.environ else None
