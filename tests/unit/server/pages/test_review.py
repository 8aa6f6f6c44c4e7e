"""The review's forms: what a browser sends, where it leads, and whose names it reaches."""

from __future__ import annotations

import re

from sleevenotes.clock import HandClock
from sleevenotes.model import Band, Scrobble
from sleevenotes.store import accounts, matches, played
from sleevenotes.store.postgres import Database
from tests.browser import reviewing
from tests.browser.sample import PASSWORD, SLEEVES, Listener
from tests.unit.server.pages.asking import ALMANAC, Client, send


async def shown(listener: Listener, lookup_id: int) -> list[str]:
    async with listener.database.connection() as conn:
        plays = await played.by_lookups(conn, listener.account.id, [lookup_id], 20)
    return [play.recording_title or play.status for play in plays]


async def another(listener: Listener, database: Database, clock: HandClock) -> Listener:
    """Return another listener of the same installation, who is no owner."""
    other = Listener(database, clock, listener.files)
    async with database.transaction() as conn:
        other.account = await accounts.create(conn, "otto", PASSWORD, is_owner=False, now=clock.now())
    return other


async def test_without_a_doubt_there_is_nothing_to_look_at(client: Client, listener: Listener) -> None:
    assert "Nothing to look at" in (await client.get("/review")).text


async def test_a_near_miss_is_accepted_and_the_next_case_follows(client: Client, listener: Listener) -> None:
    pile = await reviewing.a_pile(listener)
    page = (await client.get("/review")).text
    candidate = re.search(r'name="candidate" value="([^"]+)"', page)
    following = re.search(r'name="next" value="(\d+)"', page)
    assert candidate
    assert following
    fields = {"lookup": str(pile["left alone"]), "candidate": candidate[1], "next": following[1]}
    answer = await send(client, "/review/accept", **fields)
    assert answer.status_code == 303
    assert re.fullmatch(rf"/review\?case={following[1]}&done=\d+", answer.headers["location"])
    assert set(await shown(listener, pile["left alone"])) == {"Kelp"}
    assert "“Kelp” by Marrow is now Kelp by Marrow &amp; Tide" in (await client.get(answer.headers["location"])).text


async def test_a_form_that_no_page_of_ours_sent_changes_nothing(client: Client, listener: Listener) -> None:
    pile = await reviewing.a_pile(listener)
    for way in ("accept", "none", "confirm", "search", "album", "undo", "everybody"):
        answer = await client.post(f"/review/{way}", data={"lookup": str(pile["misspelt"]), "lookups": "1"})
        assert answer.status_code == 403, way
    assert await shown(listener, pile["misspelt"]) == [SLEEVES[1].tracks[0]] * 3


async def test_a_stranger_is_shown_the_login_and_changes_nothing(stranger: Client, listener: Listener) -> None:
    await listener.arrive()
    assert (await stranger.get("/review")).headers["location"] == "/login?next=%2Freview"
    form = re.search(r'name="csrf_token" value="([^"]+)"', (await stranger.get("/login")).text)
    assert form
    answer = await stranger.post("/review/none", data={"lookup": "1", "csrf_token": form[1]})
    assert answer.headers["location"].startswith("/login")


async def test_what_others_played_is_not_there(
    client: Client, listener: Listener, database: Database, clock: HandClock
) -> None:
    other = await another(listener, database, clock)
    theirs = await reviewing.undecided(other, "Marrow", "Kelp", 2, (ALMANAC, "Kelp"))
    for way in (f"/review?case={theirs}", f"/review/album?name={theirs}"):
        assert (await client.get(way)).status_code == 404
    assert (await send(client, "/review/none", lookup=str(theirs))).status_code == 404
    assert (await send(client, "/review/search", lookup=str(theirs), artist="a", track="b")).status_code == 404
    assert (await send(client, "/review/confirm", lookups=str(theirs))).status_code == 404
    assert "Kelp" not in (await client.get("/review")).text
    assert set(await shown(other, theirs)) == {"not_found"}


async def test_a_correction_is_on_the_listeners_own_pages_only(
    client: Client, listener: Listener, database: Database, clock: HandClock
) -> None:
    other = await another(listener, database, clock)
    pile = await reviewing.a_pile(listener)
    sent = Scrobble("Marrow", "Kelp", listened_at=clock.now())
    await other.submitter.submit(other.account.id, [sent], band=Band.DEFAULT)
    page = (await client.get("/review")).text
    candidate = re.search(r'name="candidate" value="([^"]+)"', page)
    assert candidate
    await send(client, "/review/accept", lookup=str(pile["left alone"]), candidate=candidate[1])
    async with database.connection() as conn:
        group = await conn.fetchval("SELECT release_group_id FROM matches WHERE corrected_id IS NOT NULL")
        told = await matches.accounts_of_release_groups(conn, [group])
    assert told == {listener.account.id: [group]}
    assert "<dd>9</dd>" in (await client.get(f"/albums/{group}")).text
    assert await shown(other, pile["left alone"]) == ["not_found"]
    assert (await send(client, "/logout")).status_code == 303
    await send(client, "/login", name="otto", password=PASSWORD)
    assert (await client.get(f"/albums/{group}")).status_code == 404
    assert "What you said lately" not in (await client.get("/review")).text


async def test_only_an_owner_among_several_is_offered_to_correct_for_everybody(
    client: Client, listener: Listener, database: Database, clock: HandClock
) -> None:
    pile = await reviewing.a_pile(listener)
    assert "for everybody" not in (await client.get("/review")).text  # nobody else is there
    other = await another(listener, database, clock)
    await other.play(ALMANAC, "Kelp", clock.now())
    assert "for everybody" in (await client.get("/review")).text
    await send(client, "/logout")
    await send(client, "/login", name="otto", password=PASSWORD)
    own = await reviewing.undecided(other, "Marrow", "Kelp", 2, (ALMANAC, "Kelp"))
    assert own == pile["left alone"]  # the name is one for both
    assert "for everybody" not in (await client.get(f"/review?case={own}")).text
    answer = await send(client, "/review/none", lookup=str(own), everybody="1")
    assert answer.status_code == 422


async def test_one_comes_back_to_the_play_one_came_from_and_never_elsewhere(client: Client, listener: Listener) -> None:
    pile = await reviewing.a_pile(listener)
    for back, leads in (("/scrobbles/1", "/scrobbles/1"), ("//elsewhere.example/", "/"), ("https://e.example", "/")):
        answer = await send(client, "/review/none", lookup=str(pile["misspelt"]), back=back)
        assert answer.headers["location"] == leads


async def test_marking_nothing_and_numbers_that_no_name_has_are_taken_calmly(
    client: Client, listener: Listener
) -> None:
    await reviewing.a_pile(listener)
    assert (await send(client, "/review/confirm")).headers["location"] == "/review"
    huge = str(10**30)
    for way in (f"/review?case={huge}", f"/review/album?name={huge}", "/review/album?name=0"):
        assert (await client.get(way)).status_code in (400, 404), way
    for way in ("none", "accept", "album", "undo", "everybody", "search", "confirm"):
        for number in ("0", "-1", str(2**63), huge):
            fields = {
                "lookup": number,
                "correction": number,
                "search": "1",
                "lookups": number,
                "candidate": f"{huge}/x",
            }
            answer = await send(client, f"/review/{way}", **fields, artist="a", track="b")
            assert answer.status_code in (303, 400, 404, 422), (way, number, answer.text[:300])
            if answer.status_code == 303:
                assert answer.headers["location"] == "/review"
