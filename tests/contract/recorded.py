"""Recorded exchanges of the real services, as replies."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from sleevenotes.sources import contract


class Exchange(NamedTuple):
    """One recorded request and what was answered; `path` has the query."""

    method: str
    path: str
    reply: contract.Reply


def exchanges(shared_data: Path, service: str, host: str) -> Iterator[Exchange]:
    """Read all recorded exchanges with a service."""
    with gzip.open(shared_data / "recorded" / f"{service}.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            body = row["body"] if isinstance(row["body"], str) else json.dumps(row["body"], ensure_ascii=False)
            # The recording unpacked and re-encoded the body: what it says of its length no longer holds.
            headers = {
                name.lower(): value
                for name, value in row["headers"].items()
                if name.lower() not in ("content-length", "transfer-encoding", "content-encoding")
            }
            url = f"https://{host}{row['path']}"
            yield Exchange(row["method"], row["path"], contract.Reply(row["status"], headers, body.encode(), url))
