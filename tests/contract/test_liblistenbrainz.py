"""A ListenBrainz client that we did not write is content with our answers.

It runs as a program of its own, for it is GPL-3 (docs/decisions/0003), against a real port.
"""

from __future__ import annotations

import importlib.util
import json

import pytest
from tests.contract import clients
from tests.serving import Listener

from sleevenotes.clock import HandClock


async def test_liblistenbrainz_makes_every_call_that_we_serve(maria: Listener, clock: HandClock) -> None:
    if importlib.util.find_spec("liblistenbrainz") is None:
        pytest.skip("liblistenbrainz is not installed: pip install -r requirements-clients.txt")
    first = int(clock.now().timestamp()) - 1000
    async with clients.on_a_port(maria.app) as address:
        said = await clients.run("liblistenbrainz_player.py", address, maria.token, "maria", str(first))
    assert json.loads(said) == {
        "count": 100,  # one, and a hundred, and the hundred again, and one deleted
        "newest": ["track 100", "track 99", "track 98", "track 97", "track 96"],
        "after_deletion": ["track 99"],
        "oldest": ["Roygbiv", "0e7a7c6e-3c4a-4ccb-8c2e-0d5c2f3b9a11", "Tauon", ["idm"]],
        "now": "Olson",
        "loved": [["Roygbiv", 1]],
        "hated": [0, []],
        "artists": [["Boards of Canada", 100]],
        "recordings": ["Boards of Canada", 1, 100],
        "releases": [["Music Has the Right to Children", 1]],
        "release_groups": [["Music Has the Right to Children", 1]],
        "this_month": None,  # it has just begun: 204
    }
