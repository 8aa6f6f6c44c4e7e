"""What the commands share: settings as given, running to the end, telling mistakes, and finding accounts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import msgspec
import typer

from sleevenotes import errors, settings

if TYPE_CHECKING:
    from sleevenotes.store.accounts import Account
    from sleevenotes.store.postgres import Connection

MISTAKE = 2  # exit code where the caller can mend it

Result = TypeVar("Result")


class Given(msgspec.Struct, frozen=True):
    """Options that hold for every command."""

    data_dir: str | None = None
    database_url: str | None = None


def load(context: typer.Context, **overrides: object) -> settings.Settings:
    """Read the settings with what the command line gave on top; a bad one is told as a mistake."""
    given: Given = context.obj
    with telling():
        return settings.load(None, **{"data_dir": given.data_dir, "database_url": given.database_url, **overrides})


@contextmanager
def telling() -> Iterator[None]:
    """Tell our own errors as one sentence; anything else is a defect and keeps its traceback."""
    try:
        yield
    except errors.SleevenotesError as error:
        fail(str(error))


def run(main: Coroutine[Any, Any, Result]) -> Result:
    """Run a command to its end on the fast event loop; our own errors are told as mistakes."""
    with telling(), asyncio.Runner(loop_factory=_loop_factory()) as runner:
        return runner.run(main)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


def fail(message: str) -> NoReturn:
    """Tell a mistake and end with exit code 2."""
    typer.echo(f"sleevenotes: {message}", err=True)
    raise typer.Exit(MISTAKE)


def say_json(value: object) -> None:
    """Print one JSON document; times as ISO 8601."""
    typer.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


async def account(conn: Connection, name: str) -> Account:
    """Find an account by its name, whatever its case.

    Raises errors.Refused naming the accounts there are.
    """
    from sleevenotes.store import accounts

    found = await accounts.by_name(conn, name)
    if found is not None:
        return found
    everybody = await accounts.every(conn)
    known = ", ".join(found.name for found in everybody) or "none yet; create one with `sleevenotes user add NAME`"
    raise errors.Refused(f"there is no account {name!r}. Accounts: {known}", field="account")
