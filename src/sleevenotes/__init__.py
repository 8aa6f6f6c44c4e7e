"""Sleevenotes: a scrobble server that gives every play its recording, album, artists and cover art.

As a library: `Name`, `enrich`, `enrich_file`, `Enriched` and `Report`, of `sleevenotes.library`; they are loaded when
they are asked for, so that importing any other part stays cheap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sleevenotes.library import Enriched, Name, Report, enrich, enrich_file

__all__ = ["Enriched", "Name", "Report", "enrich", "enrich_file"]


if not TYPE_CHECKING:  # type checkers know the names from above, and no others

    def __getattr__(name: str) -> object:
        if name in __all__:
            from sleevenotes import library  # noqa: PLC0415 - see above

            return getattr(library, name)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
