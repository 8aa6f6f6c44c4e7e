"""Running clients that we did not write, as programs of their own, against a real port."""

from __future__ import annotations

import asyncio
import hashlib
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from litestar import Litestar


@asynccontextmanager
async def on_a_port(app: Litestar) -> AsyncIterator[str]:
    """Serve an application on a free loopback port; yields its address."""
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_config=None, lifespan="off", ws="websockets-sansio"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        if serving.done():
            await serving
        await asyncio.sleep(0)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


async def run(script: str, *words: str) -> bytes:
    """Run a script beside this file to its end; returns what it printed."""
    player = await asyncio.create_subprocess_exec(
        *(sys.executable, str(Path(__file__).with_name(script)), *words),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    said, complained = await player.communicate()
    assert player.returncode == 0, complained.decode()
    return said


def md5(text: str) -> str:
    """Return an md5 in hex, which Last.fm's protocols are made of."""
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
