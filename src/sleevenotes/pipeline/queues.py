"""How long a question put now would wait, for stages that ask only whom answers soon."""

from __future__ import annotations

from collections.abc import Sequence

from sleevenotes import model
from sleevenotes.pipeline.tools import Tools
from sleevenotes.store import wants
from sleevenotes.store.postgres import Connection


async def quick(tools: Tools, conn: Connection, asked: Sequence[str], band: model.Band, seconds: float) -> set[str]:
    """Return those of these sources whose queue, at its pace, is no longer than so many seconds."""
    policies = {source.name: source.policy for source in tools.sources}
    ahead = await wants.ahead(conn, asked, band)
    return {name for name in asked if ahead[name] / policies[name].together * policies[name].pace <= seconds}
