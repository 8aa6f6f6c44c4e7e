"""Whatever goes wrong, at every service at once: it delays, and nothing known ever counts as absent."""

from __future__ import annotations

import pytest

from sleevenotes.simulator import faults
from tests.journey.conftest import House
from tests.journey.test_many_sources import first

EVERYWHERE = ("musicbrainz", "deezer", "theaudiodb", "itunes")
ART = frozenset({"coverartarchive", "deezer"})
HOSTS = (
    "musicbrainz.org",
    "coverartarchive.org",
    "archive.org",
    "us.archive.org",
    "api.deezer.com",
    "cdn-images.dzcdn.net",
    "www.theaudiodb.com",
    "r2.theaudiodb.com",
    "itunes.apple.com",
    "mzstatic.com",
    "api.listenbrainz.org",
)
ONE_SERVICE_S = [kind for kind in faults.KINDS if kind == "401" or kind.startswith("error ")]


@pytest.mark.parametrize("kind", [kind for kind in faults.KINDS if kind not in ONE_SERVICE_S])
async def test_a_fault_of_every_service_delays_and_never_becomes_absence(house: House, kind: str) -> None:
    play = first(known=frozenset(EVERYWHERE), art=ART)
    house.simulator.fail_next("itunes.apple.com", "rate")  # it says "nothing found" only soon after it throttled
    for host in HOSTS:
        house.simulator.fail_next(host, kind, 1 if host == "itunes.apple.com" else 2)
    await house.submit(house.listen(play), kind="single")
    await house.until_settled()
    assert await house.count("SELECT status FROM lookups") == "enriched"
    assert str(await house.count("SELECT mbid FROM recordings")) == house.truth(play).recording_mbid
    assert await house.count("SELECT status FROM artworks") == "found"
    absent = await house.count("SELECT array_agg(DISTINCT source) FROM replies WHERE outcome = 'absent'") or []
    assert not house.truth(play).has_art & set(absent)
