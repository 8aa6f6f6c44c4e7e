"""Databases as an earlier version of the schema made them, to be brought forward."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from sleevenotes.store import migrate, postgres


async def connected(database_url: str, number: int, directory: Path, now: datetime) -> Any:
    """Empty a database, bring it to this migration and no further, and return a connection; `directory` is scratch."""
    for migration in migrate.read()[:number]:
        (directory / f"{migration.number:04}_{migration.name}.sql").write_text(migration.sql, "utf-8")
    connection = await postgres.connect(database_url)
    await connection.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public")
    await migrate.run(connection, now, directory=directory)
    return connection
