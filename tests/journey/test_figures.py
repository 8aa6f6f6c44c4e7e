"""The success figures of a day that was really lived through, with the internet simulated."""

from __future__ import annotations

import msgspec

from sleevenotes.pipeline import figures, sampling
from sleevenotes.store import successes
from tests.journey.conftest import House
from tests.journey.test_one_scrobble import _tools


async def report(house: House, name: str = "hour") -> figures.Report:
    async with house.parts.database.connection() as conn:
        now = house.clock.now()
        return await figures.report(conn, figures.named(name, now, await successes.began(conn)), now)


async def test_the_report_says_what_happened_to_a_few_plays(house: House) -> None:
    plays = house.names(6)
    before = await report(house)
    assert (before.waited_for.plays, before.waited_for.first.p95_s, before.success.names_share) == (0, None, None)
    for play in plays:
        await house.submit(house.listen(play), kind="single")
        house.clock.turn(2)
    await house.until_settled()
    again = house.names(6)[0]
    await house.submit(house.listen(again, house.clock.now()), kind="single")
    nobody = {"artist_name": "Nobody At All", "track_name": "Nothing Whatsoever"}
    await house.submit({"listened_at": int(house.clock.now().timestamp()) - 60, "track_metadata": nobody})
    await house.until_settled()
    house.clock.turn(70)
    await sampling.one_round(_tools(house))

    told = await report(house)
    shown = (await house.client.get("/api/v1/scrobbles")).json()["scrobbles"]
    live = [each for each in shown if each["artist_name"] != "Nobody At All"]
    pictured = [each for each in live if each["effective_artwork_url"]]
    assert (told.waited_for.plays, told.first_plays.plays, told.others.imported) == (7, 6, 1)
    assert told.waited_for.first.plays == len(pictured)
    assert told.waited_for.artwork_share == round(len(pictured) / 7, 4)
    assert told.waited_for.minute_over == 7
    assert told.known.by_plays == {"new": 6, "known": 1, "pictured": 1 if live[0]["effective_artwork_url"] else 0}
    assert told.waited_for.first.p95_s is not None
    assert 0 < told.waited_for.first.p95_s < 60
    assert told.success.names.names == 7
    assert told.success.names.not_found == 1
    assert told.success.plays.enriched == sum(each["metadata_status"] == "enriched" for each in live)
    assert told.success.names.abstained == 0
    counted = house.simulator.statistics.snapshot()["hosts"]
    by_host = {each.host: each.requests for each in told.lanes}
    for host in ("musicbrainz.org", "api.deezer.com", "itunes.apple.com"):  # elsewhere a request leads to further hosts
        assert by_host[host] == counted[host]["requests"]
    assert msgspec.json.decode(msgspec.json.encode(told))["backlog"]["samples"] >= 1


async def test_a_report_is_the_same_whether_or_not_somebody_looked_meanwhile(house: House) -> None:
    play = house.with_cover()
    await house.submit(house.listen(play), kind="single")
    await house.until_settled()
    house.clock.turn(40 * 60)
    told = await report(house)
    image = await house.count("SELECT extract(epoch FROM shown_at - received_at)::float8 FROM artworks, arrivals")
    assert told.waited_for.chosen.p50_s is not None
    assert told.waited_for.first.p50_s is not None
    assert told.waited_for.first.p50_s <= round(image, 3)
    assert told.waited_for.within_minute_share == 1
