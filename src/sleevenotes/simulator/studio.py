"""The process that draws the images, so that the simulator's event loop never waits for one.

It imports the drawing and nothing else, ignores the terminal's interrupt (its parent ends it), and ends by itself
when its parent is gone, however that died.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from concurrent.futures import ProcessPoolExecutor

from sleevenotes.simulator import sleeves


def opened() -> ProcessPoolExecutor:
    """Start the process and wait until it draws. To be shut down, or used as a context manager."""
    # "spawn" and not "fork": the parent may have threads, and its world should not be copied.
    pool = ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), initializer=_settle)
    pool.submit(sleeves.image, sleeves.Picture("front ", "", ""), 250, "jpg").result()
    return pool


def _settle() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, name="end with parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(0)
