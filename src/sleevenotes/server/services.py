"""What the server's handlers work with, put together once by `sleevenotes.app`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from litestar.connection import ASGIConnection

    from sleevenotes.artwork.files import Files
    from sleevenotes.clock import Clock
    from sleevenotes.pipeline.submit import Submitter
    from sleevenotes.server.live import Hub
    from sleevenotes.settings import Settings
    from sleevenotes.store.postgres import Database


@dataclass(frozen=True)
class Services:
    """The parts a request may use."""

    settings: Settings
    clock: Clock
    database: Database
    submitter: Submitter
    files: Files
    hub: Hub


def of(connection: ASGIConnection[Any, Any, Any, Any]) -> Services:
    """Return the services of the application that serves this connection."""
    services: Services = connection.app.state.services
    return services
