"""Every importer, in the order in which they are asked whether a file is theirs."""

from __future__ import annotations

from collections.abc import Iterator

from sleevenotes import errors, model
from sleevenotes.importers import contract, table

ALL: tuple[contract.Importer, ...] = (table.Table(),)


def choose(data: bytes) -> contract.Importer:
    """Find the importer of an export by its first line.

    Raises errors.Refused when none knows it; the message says which formats there are.
    """
    head = contract.first_line(data)
    if not head.strip():
        raise errors.Refused("the file is empty")
    for importer in ALL:
        if importer.recognises(head):
            return importer
    known = "; ".join(importer.name for importer in ALL)
    raise errors.Refused(f"the file begins with {head[:80]!r}, which no importer knows. Known: {known}")


def read(data: bytes, options: contract.Options) -> Iterator[model.Scrobble | contract.Skipped]:
    """Read an export of any known format; see `contract.Importer.read`."""
    return choose(data).read(data, options)
