"""The program that trains: a task and examples in, what was learned out.

It reads lines of JSON: first the task, then an example each, in the order in which they were asked. It writes one
JSON document. A process of its own, so that what training needs of memory goes back when it ends, and a slow fit
keeps no event loop waiting. It is given nothing but names of music: no database, no settings.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterable, Iterator
from typing import BinaryIO, Final

import msgspec

from sleevenotes.prediction.learned import Example, Task, Trained

TEXTS: Final = ("source", "kind", "artist_key", "question", "artist", "track", "release")


def main(stdin: BinaryIO, stdout: BinaryIO) -> None:
    """Train on what comes in."""
    task = msgspec.json.decode(stdin.readline(), type=Task)
    stdout.write(msgspec.json.encode(_trained(list(_read(stdin)), task)))


def _read(lines: Iterable[bytes]) -> Iterator[Example]:
    """Read examples; a text that comes again and again is kept once."""
    decoder, once = msgspec.json.Decoder(Example), dict[str, str]()
    for line in lines:
        each = decoder.decode(line)
        texts = {name: once.setdefault(text, text) for name in TEXTS for text in (getattr(each, name),)}
        yield msgspec.structs.replace(each, **texts)


def _trained(examples: list[Example], task: Task) -> Trained:
    from sleevenotes.prediction import training  # noqa: PLC0415 - scikit-learn, in this process alone

    began = time.perf_counter()
    trained = training.train(examples, task)
    return msgspec.structs.replace(trained, took_s=time.perf_counter() - began, peak_mb=_peak_mb())


def _peak_mb() -> float:
    """Return the most memory this process has had, in MB; 0 where the system does not say."""
    try:
        import resource  # noqa: PLC0415 - not on Windows
    except ImportError:
        return 0.0
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1024 * 1024 if sys.platform == "darwin" else 1024)


if __name__ == "__main__":
    if hasattr(os, "nice"):
        os.nice(10)  # whoever listens goes first
    main(sys.stdin.buffer, sys.stdout.buffer)
