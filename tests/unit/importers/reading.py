"""Reading exports from memory, as the pipeline reads them from disk."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from datetime import UTC, datetime

from sleevenotes import model
from sleevenotes.importers import contract, registry
from sleevenotes.importers.files import Upload

MBID = "62c2e20a-559e-422f-a44c-9afa7882f0c4"


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def items(data: bytes | str, **options: object) -> list[contract.Item]:
    """Read an export of any format to its end."""
    chosen = contract.Options(**options)  # type: ignore[arg-type]
    with Upload(data.encode() if isinstance(data, str) else data) as upload:
        return list(registry.read(registry.plan(upload, chosen), chosen))


def plays(data: bytes | str, **options: object) -> list[model.Scrobble]:
    """Read an export in which every row is a play."""
    found = items(data, **options)
    assert all(isinstance(item, model.Scrobble) for item in found), found
    return [item for item in found if isinstance(item, model.Scrobble)]


def skips(data: bytes | str, **options: object) -> list[contract.Skipped]:
    """Read an export and return what was left out."""
    return [item for item in items(data, **options) if isinstance(item, contract.Skipped)]


def format_of(data: bytes | str) -> str:
    """Return the name of the format that an export is taken for."""
    with Upload(data.encode() if isinstance(data, str) else data) as upload:
        return registry.plan(upload).importer.name


def archive(files: Mapping[str, str | bytes]) -> bytes:
    """Return a zip archive of these files."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return data.getvalue()
