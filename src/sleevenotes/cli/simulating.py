"""The simulator's own process: the simulated services on a port, and the sample listener who plays."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

import aiohttp
import msgspec

from sleevenotes import errors
from sleevenotes.cli import serving, tools
from sleevenotes.clock import Clock
from sleevenotes.simulator import asgi, conditions, listener
from sleevenotes.simulator.world import World

PAST_PLAYS = 30  # what the sample listener played before anybody looked
EVERY = 10.0  # seconds from one play to the next; nobody wants to watch for a whole song
AGAIN = 1.0  # seconds until a server that does not answer is asked again


class Told(NamedTuple):
    """What the command line said."""

    host: str
    port: int
    world: Path | None
    catalogue: Path | None
    day: str
    seed: int | None
    play_to: str
    token: str


def run(told: Told, time: Clock, *, child: bool) -> None:
    """Serve until told to stop. Connections are taken from the start; they wait while the world is made.

    As a child, the listener's token is the first line of standard input, and its end is the order to stop.
    Raises errors.Refused for a day or file that is no good.
    """
    with _listening(told.host, told.port) as door:
        host, port = door.getsockname()[:2]
        print(f"{serving.READY}{host}:{port}", flush=True)  # noqa: T201 - a command line prints
        tools.run(_serve(_build(told), door, told, time, child=child))


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), backlog=512)
    except OSError as error:
        raise errors.Refused(f"cannot listen on {host}:{port}: {error.strerror}; choose another --port") from None


def _build(told: Told) -> World:
    try:
        given = conditions.load(told.world) if told.world else conditions.calm()
        if told.seed is not None:
            given = msgspec.structs.replace(given, seed=told.seed)
        world = World.from_csv(told.catalogue, given) if told.catalogue else World.invented(given)
    except ValueError as error:  # msgspec's errors are ValueErrors as well
        raise errors.Refused(f"the simulated world: {error}") from None
    if told.day not in given.faults:
        raise errors.Refused(f"--day {told.day!r}: must be one of {', '.join(given.faults)}")
    return world


async def _serve(world: World, door: socket.socket, told: Told, time: Clock, *, child: bool) -> None:
    host, port = door.getsockname()[:2]
    token: asyncio.Future[str] = asyncio.get_running_loop().create_future()
    if child:
        _obey(token)
    else:
        token.set_result(told.token)
    playing = asyncio.create_task(_play(told.play_to, token, world, time)) if told.play_to else None
    if playing is not None:
        playing.add_done_callback(_complain)
    try:
        await asgi.serve(host, port, world, time, day=told.day, door=door)
    finally:
        if playing is not None:
            playing.cancel()
            await asyncio.gather(playing, return_exceptions=True)


def _complain(playing: asyncio.Task[None]) -> None:
    if not playing.cancelled() and (error := playing.exception()) is not None:
        print(f"the sample listener stopped playing: {error!r}", file=sys.stderr, flush=True)  # noqa: T201


def _obey(token: asyncio.Future[str]) -> None:
    """Take the token from standard input's first line, and end when it ends: our parent has gone then."""
    loop = asyncio.get_running_loop()

    def listen() -> None:
        line = sys.stdin.readline().strip()
        if line:
            loop.call_soon_threadsafe(token.set_result, line)
            sys.stdin.read()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=listen, name="obey", daemon=True).start()


# ---------------------------------------------------------------- the sample listener's player


async def _play(server: str, token: asyncio.Future[str], world: World, time: Clock) -> None:
    """Be a player: some plays of the past where there are none yet, then a new one every few seconds."""
    plays = listener.choices(world)
    headers = {"Authorization": f"Token {await token}"}
    async with aiohttp.ClientSession(server, headers=headers) as session:
        player = Player(session, time)
        if not await player.count():
            await player.submit("import", list(_past(itertools.islice(plays, PAST_PLAYS), time)))
        for play in plays:
            await player.submit("playing_now", [_listen(play)])
            await time.sleep(EVERY)
            await player.submit("single", [_listen(play, time.now())])


def _past(plays: Iterable[listener.Play], time: Clock) -> Iterator[dict[str, object]]:
    """Date plays so that the last has just ended."""
    at = time.now()
    for play in reversed(list(plays)):
        at -= timedelta(milliseconds=play.duration_ms or 200_000)
        yield _listen(play, at)


def _listen(play: listener.Play, at: datetime | None = None) -> dict[str, object]:
    about = {"media_player": "Sample player", "submission_client": "sleevenotes simulate"}
    length = {"duration_ms": play.duration_ms} if play.duration_ms else {}
    listen: dict[str, object] = {
        "track_metadata": {
            "artist_name": play.artist,
            "track_name": play.track,
            "release_name": play.release,
            "additional_info": about | length,
        }
    }
    return listen if at is None else {"listened_at": int(at.timestamp()), **listen}


class Player:
    """A ListenBrainz client that waits for a server that is away, as players do."""

    def __init__(self, session: aiohttp.ClientSession, time: Clock) -> None:
        self._session = session
        self._time = time

    async def count(self) -> int:
        """Return how many plays the server has of us."""
        name = (await self._exchange("GET", "/1/validate-token"))["user_name"]
        counted = await self._exchange("GET", f"/1/user/{name}/listen-count")
        return int(counted["payload"]["count"])

    async def submit(self, listen_type: str, payload: list[dict[str, object]]) -> None:
        """Submit, and send again what was not taken because the server was away."""
        await self._exchange("POST", "/1/submit-listens", {"listen_type": listen_type, "payload": payload})

    async def _exchange(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        while True:
            try:
                async with self._session.request(method, path, json=body) as answer:
                    if answer.status == 200:
                        document: dict[str, Any] = await answer.json()
                        return document
                    if answer.status < 500:
                        raise errors.Refused(f"{path} was answered {answer.status}: {await answer.text()}")
            except aiohttp.ClientConnectionError:
                pass  # it is starting, or has been stopped; players try again
            await self._time.sleep(AGAIN)
