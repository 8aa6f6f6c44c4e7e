"""A ListenBrainz client that we did not write is content with our answers.

It runs as a program of its own, for it is GPL-3 (docs/decisions/0003), against a real port.
"""

from __future__ import annotations

import asyncio
import importlib.util
import json
import os
import sys
from pathlib import Path

import pytest
from tests import serving
from tests.serving import Listener

from sleevenotes.clock import HandClock

PLAYER = Path(__file__).with_name("liblistenbrainz_player.py")


async def test_liblistenbrainz_submits_reads_back_and_deletes(maria: Listener, clock: HandClock) -> None:
    if importlib.util.find_spec("liblistenbrainz") is None:
        pytest.skip("liblistenbrainz is not installed: pip install -r requirements-clients.txt")
    first = int(clock.now().timestamp()) - 1000
    async with serving.on_a_port(maria.app) as address:
        player = await asyncio.create_subprocess_exec(
            *(sys.executable, str(PLAYER), address, maria.token, "maria", str(first)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={**os.environ, "PYTHONWARNINGS": "ignore"},
        )
        said, complained = await player.communicate()
    assert player.returncode == 0, complained.decode()
    assert json.loads(said) == {
        "count": 100,  # one, and a hundred, and the hundred again, and one deleted
        "newest": ["track 100", "track 99", "track 98", "track 97", "track 96"],
        "after_deletion": ["track 99"],
        "oldest": ["Roygbiv", "0e7a7c6e-3c4a-4ccb-8c2e-0d5c2f3b9a11", "Tauon", ["idm"]],
        "now": "Olson",
    }
