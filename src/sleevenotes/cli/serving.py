"""`serve`, `work` and `simulate`: the programs that keep running."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from sleevenotes import clock, errors
from sleevenotes.cli import tools

if TYPE_CHECKING:
    from sleevenotes.app import Parts
    from sleevenotes.settings import Settings

SIMULATED_DATA = "data-simulated"
LISTENER = "listener"
# Nothing but invented plays lies behind it, so it may be known; it is printed at every start.
LISTENER_PASSWORD = "sample listener"  # noqa: S105
READY = "Simulator on "  # the first line that `simulate` prints; the address follows
TOKEN_VARIABLE = "SLEEVENOTES_LISTENER_TOKEN"  # noqa: S105 - the variable's name

Host = Annotated[str | None, typer.Option("--host", help="Address to listen on. [default: 127.0.0.1]")]
Port = Annotated[int | None, typer.Option("--port", help="Port to listen on. [default: 8000]", min=1, max=65535)]


def register(app: typer.Typer) -> None:
    """Add this module's commands."""
    app.command("serve")(serve)
    app.command("work")(work)
    app.command("simulate")(simulate)


def serve(
    context: typer.Context,
    host: Host = None,
    port: Port = None,
    simulate: Annotated[
        bool, typer.Option("--simulate", help="Ask a simulated internet; a sample listener plays.")
    ] = False,
    no_work: Annotated[
        bool, typer.Option("--no-work", help="Only answer requests; run `sleevenotes work` beside it.")
    ] = False,
) -> None:
    """Run the server, and the worker in the same process.

    With --simulate, data goes to data-simulated (unless --data-dir says otherwise), so that invented plays
    never mix with yours.
    """
    from sleevenotes import app

    settings = (_simulated if simulate else tools.load)(context, host=host, port=port)
    check_free(settings.host, settings.port)
    if not simulate:
        tools.run(app.serve(settings, work=not no_work))
        return
    with tools.telling(), _simulator(settings) as child:
        pointed = _pointed(settings, child.address)
        tools.run(app.serve(pointed, work=not no_work, ready=child.begin))


def check_free(host: str, port: int) -> None:
    """Tell a port that cannot be had before the database is started, not after."""
    try:
        family, _, _, _, address = socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        socket.create_server(address, family=family).close()
    except OSError as error:
        tools.fail(
            f"cannot listen on {host}:{port}: {error.strerror}. Choose another with --port, or stop what listens there"
        )


def work(context: typer.Context) -> None:
    """Run a worker only: match plays and fetch covers for servers that share the database."""
    from sleevenotes import app

    tools.run(app.work(tools.load(context)))


# ---------------------------------------------------------------- serve --simulate


def _simulated(context: typer.Context, **overrides: object) -> Settings:
    given: tools.Given = context.obj
    own = given.data_dir or os.environ.get("SLEEVENOTES_DATA_DIR") or SIMULATED_DATA
    settings = tools.load(context, data_dir=own, **overrides)
    if settings.database_url and not given.database_url:
        tools.fail(
            "--simulate fills its database with invented plays, and DATABASE_URL names yours. "
            "Unset it to use a database of its own, or name one with --database-url"
        )
    return settings


def _pointed(settings: Settings, address: str) -> Settings:
    """Point at the simulator, with the key by which its Last.fm lets listeners connect where there is none."""
    from sleevenotes.simulator import lastfm_listeners

    given = {"lastfm_key": lastfm_listeners.KEY, "lastfm_secret": lastfm_listeners.SECRET}
    return msgspec.structs.replace(settings, simulator=address, **({} if settings.lastfm_key else given))


class _Child:
    """The simulator as a child process; with a token, its sample listener plays to our server."""

    def __init__(self, process: subprocess.Popen[str], own: str) -> None:
        self._process = process
        self._own = own
        first = process.stdout.readline() if process.stdout else ""
        if not first.startswith(READY):
            raise errors.Unusable("the simulator did not start; its own message is above")
        self.address = first.removeprefix(READY).strip()

    async def begin(self, parts: Parts) -> None:
        """Let the sample listener play, now that the server answers, and say how to look."""
        token = await _sample_listener(parts)
        if self._process.stdin:
            self._process.stdin.write(f"{token}\n")
            self._process.stdin.flush()
        typer.echo(f"Open {self._own} and log in as {LISTENER!r}, password {LISTENER_PASSWORD!r}. Token: {token}")


async def _sample_listener(parts: Parts) -> str:
    """Have the sample listener's account with a fresh token; return the token."""
    from sleevenotes.store import accounts

    async with parts.database.transaction() as conn:
        now = parts.clock.now()
        listener = await accounts.by_name(conn, LISTENER)
        if listener is None:
            first = await accounts.count(conn) == 0
            listener = await accounts.create(conn, LISTENER, LISTENER_PASSWORD, is_owner=first, now=now)
        for old in await accounts.tokens(conn, listener.id):
            if old.name == LISTENER:
                await accounts.revoke_token(conn, listener.id, old.id)
        return await accounts.create_token(conn, listener.id, LISTENER, now)


@contextmanager
def _simulator(settings: Settings) -> Iterator[_Child]:
    """Run the simulator as a child, so that its work is not our server's.

    The child ends when its standard input does, so it also ends when this process is killed.
    """
    own = reached_at(settings.host, settings.port)
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "sleevenotes", "simulate", "--port", "0", "--play-to", own, "--child"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield _Child(process, own)
    finally:
        process.terminate()
        process.communicate()


def reached_at(host: str, port: int) -> str:
    """Return the address at which a server that listens on `host` is reached from here."""
    here = {"": "127.0.0.1", "0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    return f"http://[{here}]:{port}" if ":" in here else f"http://{here}:{port}"


# ---------------------------------------------------------------- simulate


def simulate(
    *,
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port to listen on; 0: any free one.", min=0, max=65535)] = 9000,
    world: Annotated[
        Path | None,
        typer.Option("--world", help="Conditions: coverage, latencies, faults (JSON).", exists=True),
    ] = None,
    catalogue: Annotated[
        Path | None,
        typer.Option("--catalogue", help="Names, in the columns of MusicBrainz' canonical dump (CSV).", exists=True),
    ] = None,
    day: Annotated[str, typer.Option("--day", help="calm or bad_day: how often the services fail.")] = "calm",
    seed: Annotated[int, typer.Option("--seed", help="Of the invented world, when no catalogue is given.")] = 1,
    clock_text: Annotated[
        str, typer.Option("--clock", envvar="SLEEVENOTES_CLOCK", help="system, or scale:FACTOR:ANCHOR.")
    ] = "",
    play_to: Annotated[
        str, typer.Option("--play-to", help="Also play: submit a sample listener's plays to this server.")
    ] = "",
    token: Annotated[str, typer.Option("--token", envvar=TOKEN_VARIABLE, help="The sample listener's token.")] = "",
    child: Annotated[bool, typer.Option("--child", hidden=True)] = False,
) -> None:
    """Run a small music world behind the real protocols of MusicBrainz and the Cover Art Archive.

    Point a server at it with SLEEVENOTES_SIMULATOR=HOST:PORT.
    """
    from sleevenotes.cli import simulating

    try:
        time = clock.from_text(clock_text)
    except ValueError as error:
        tools.fail(str(error))
    if play_to and not token and not child:
        tools.fail(f"--play-to needs a token: give --token or set {TOKEN_VARIABLE}")
    with tools.telling():
        told = simulating.Told(host, port, world, catalogue, day, seed, play_to, token)
        simulating.run(told, time, child=child)
