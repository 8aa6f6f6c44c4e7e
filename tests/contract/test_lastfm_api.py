"""Last.fm's API as players speak it: logins, plays, what is loved, what is read back, and errors by its codes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from typing import Any

import pytest
from tests.contract import clients
from tests.serving import Listener
from tests.unit.pipeline.submits import match_with_album

from sleevenotes.clock import HandClock
from sleevenotes.store import accounts, player_logins

AT = 1_767_000_000  # 2025-12-29; the clock stands at the start of 2026


def key_of(maria: Listener) -> str:
    """Return a session key: the listener's token as Last.fm's clients write it."""
    return player_logins.session_key(maria.token)


async def call(maria: Listener, method: str, *, sk: str | None = None, **params: Any) -> Any:
    """Post a call and return its JSON."""
    fields = {"method": method, "api_key": "a" * 32, "format": "json", **params}
    if sk != "":
        fields["sk"] = sk or key_of(maria)
    reply = await maria.client.post("/2.0/", data=fields)
    return reply.json()


async def scrobble(maria: Listener, *tracks: str, **more: Any) -> Any:
    plays: dict[str, str] = {}
    for i, track in enumerate(tracks):
        plays |= {f"artist[{i}]": "Nina Simone", f"track[{i}]": track, f"timestamp[{i}]": str(AT + i)}
    return await call(maria, "track.scrobble", **plays, **more)


def signed(params: dict[str, str], secret: str) -> dict[str, str]:
    told = "".join(name + params[name] for name in sorted(params) if name != "format")
    return {**params, "api_sig": clients.md5(told + secret)}


# ---------------------------------------------------------------- plays


async def test_each_play_of_a_batch_is_judged_by_itself(maria: Listener) -> None:
    plays = {
        "artist[0]": "Nina Simone",
        "track[0]": "Sinnerman",
        "timestamp[0]": str(AT),
        "album[0]": "Pastel Blues",
        "albumArtist[0]": "Nina Simone",
        "trackNumber[0]": "9",
        "duration[0]": "622",
        "artist[1]": "",
        "track[1]": "Nobody",
        "timestamp[1]": str(AT),
        "artist[2]": "Nina Simone",
        "track[2]": "From tomorrow",
        "timestamp[2]": str(AT + 10_000_000),
        "artist[10]": "Nina Simone",
        "track[10]": "Before scrobblers",
        "timestamp[10]": "12345",
    }
    answer = await call(maria, "track.scrobble", **plays)
    assert answer["scrobbles"]["@attr"] == {"accepted": 1, "ignored": 3}
    codes = [one["ignoredMessage"]["code"] for one in answer["scrobbles"]["scrobble"]]
    assert codes == ["0", "1", "4", "3"]
    (play,) = (await maria.client.get("/api/v1/scrobbles", headers=maria.header)).json()["scrobbles"]
    assert (play["track_name"], play["album_name"], play["duration_ms"]) == ("Sinnerman", "Pastel Blues", 622_000)


async def test_one_play_is_answered_as_an_object_and_without_an_index(maria: Listener) -> None:
    answer = await call(maria, "track.scrobble", artist="Low", track="Dinosaur Act", timestamp=str(AT))
    told = answer["scrobbles"]["scrobble"]
    assert told["artist"] == {"corrected": "0", "#text": "Low"}
    assert told["ignoredMessage"] == {"code": "0", "#text": ""}


async def test_sending_a_play_twice_stores_it_once(maria: Listener) -> None:
    await scrobble(maria, "Sinnerman")
    again = await scrobble(maria, "Sinnerman")
    assert again["scrobbles"]["@attr"] == {"accepted": 1, "ignored": 0}
    assert (await call(maria, "user.getInfo"))["user"]["playcount"] == "1"


async def test_more_than_fifty_plays_are_refused_whole(maria: Listener) -> None:
    answer = await scrobble(maria, *[f"track {i}" for i in range(51)])
    assert answer["error"] == 6
    assert "at most 50" in answer["message"]


async def test_what_plays_now_stands_on_top_of_the_first_page(maria: Listener) -> None:
    await scrobble(maria, "Sinnerman", "Feeling Good", "Lilac Wine")
    await call(maria, "track.updateNowPlaying", artist="Nina Simone", track="Four Women", duration="264")
    first = (await call(maria, "user.getRecentTracks", limit="2"))["recenttracks"]
    assert [row["name"] for row in first["track"]] == ["Four Women", "Lilac Wine", "Feeling Good"]
    assert first["track"][0]["@attr"] == {"nowplaying": "true"}
    assert "date" not in first["track"][0]
    assert first["@attr"] == {"user": "maria", "page": "1", "perPage": "2", "totalPages": "2", "total": "3"}
    second = (await call(maria, "user.getRecentTracks", limit="2", page="2"))["recenttracks"]
    assert [row["name"] for row in second["track"]] == ["Sinnerman"]
    within = await call(maria, "user.getRecentTracks", **{"from": str(AT), "to": str(AT + 2)})
    assert [row["date"]["uts"] for row in within["recenttracks"]["track"]] == [str(AT + 1), str(AT)]


async def test_a_matched_play_is_told_by_its_own_names_with_its_cover_here(maria: Listener, clock: HandClock) -> None:
    await scrobble(maria, "Sinnerman")
    async with maria.services.database.transaction() as conn:
        lookup_id = await conn.fetchval("SELECT id FROM lookups")
        await match_with_album(conn, lookup_id, clock.now())
    (row,) = (await call(maria, "user.getRecentTracks", extended="1"))["recenttracks"]["track"]
    assert row["mbid"]
    assert row["artist"]["name"]
    assert row["loved"] == "0"
    assert [image["size"] for image in row["image"]] == ["small", "medium", "large", "extralarge"]
    info = (await call(maria, "track.getInfo", artist=row["artist"]["name"], track=row["name"]))["track"]
    assert (info["name"], info["userplaycount"]) == (row["name"], "1")
    by_mbid = (await call(maria, "track.getInfo", mbid=row["mbid"]))["track"]
    assert by_mbid["name"] == row["name"]
    corrected = (await call(maria, "track.getCorrection", artist="Nina Simone", track="Sinnerman"))["corrections"]
    assert corrected["correction"]["track"]["name"] == row["name"]
    sent = (await call(maria, "track.getInfo", artist="Nina Simone", track="Sinnerman"))["track"]
    assert sent["name"] == row["name"]
    album = (await call(maria, "album.getInfo", artist=row["artist"]["name"], album=row["album"]["#text"]))["album"]
    assert album["userplaycount"] == "1"
    artist = (await call(maria, "artist.getInfo", artist=row["artist"]["name"]))["artist"]
    assert artist["stats"]["userplaycount"] == "1"
    tops = (await call(maria, "user.getTopTracks", period="12month"))["toptracks"]
    assert [(one["name"], one["playcount"], one["@attr"]["rank"]) for one in tops["track"]] == [(row["name"], "1", "1")]


# ---------------------------------------------------------------- loved


async def test_a_loved_track_is_loved_in_every_play_and_every_dialect(maria: Listener) -> None:
    await scrobble(maria, "Sinnerman", "Feeling Good")
    assert await call(maria, "track.love", artist="nina simone", track="SINNERMAN") == {}
    loved = (await call(maria, "user.getLovedTracks"))["lovedtracks"]
    assert [one["name"] for one in loved["track"]] == ["SINNERMAN"]
    rows = (await call(maria, "user.getRecentTracks", extended="1"))["recenttracks"]["track"]
    assert [row["loved"] for row in rows] == ["0", "1"]
    (other, one) = (await maria.client.get("/api/v1/scrobbles", headers=maria.header)).json()["scrobbles"]
    assert (other["feedback"], one["feedback"]) == (0, 1)
    given = (await maria.client.get("/1/feedback/user/maria/get-feedback", headers=maria.header)).json()
    assert (given["total_count"], given["feedback"][0]["score"]) == (1, 1)
    assert (await call(maria, "track.getInfo", artist="Nina Simone", track="Sinnerman"))["track"]["userloved"] == "1"
    await call(maria, "track.unlove", artist="Nina Simone", track="Sinnerman")
    assert (await call(maria, "user.getLovedTracks"))["lovedtracks"]["track"] == []


# ---------------------------------------------------------------- logins


async def test_an_application_is_let_in_on_our_page_and_its_token_works_once(maria: Listener, clock: HandClock) -> None:
    token = (await call(maria, "auth.getToken", sk=""))["token"]
    early = await call(maria, "auth.getSession", sk="", token=token)
    assert early["error"] == 14
    way = f"/api/auth/?api_key={'a' * 32}&token={token}"
    assert (await maria.client.get(way)).status_code == 302  # a stranger is shown the way to the login
    page = await maria.client.get(way, headers=maria.header)
    assert "asks to send plays as" in page.text
    allowed = await maria.client.post("/api/auth", data={"token": token}, headers=maria.header)
    assert "It is let in" in allowed.text
    session = (await call(maria, "auth.getSession", sk="", token=token))["session"]
    assert session["name"] == "maria"
    assert (await call(maria, "auth.getSession", sk="", token=token))["error"] == 4
    assert (await call(maria, "user.getInfo", sk=session["key"]))["user"]["name"] == "maria"
    by_header = {"Authorization": f"Token {session['key']}"}
    refused = await maria.client.delete("/api/v1/scrobbles/1", headers=by_header)
    assert refused.status_code in (401, 403)  # it may submit and read, and no more
    late = (await call(maria, "auth.getToken", sk=""))["token"]
    clock.turn(3_601)
    assert (await call(maria, "auth.getSession", sk="", token=late))["error"] == 15


async def test_name_and_password_or_a_token_open_a_session(maria: Listener, clock: HandClock) -> None:
    async with maria.services.database.connection() as conn:
        await accounts.create(conn, "nina", "pastel blues", is_owner=False, now=clock.now())
    password = await call(maria, "auth.getMobileSession", sk="", username="Nina", password="pastel blues")
    assert password["session"]["name"] == "nina"
    assert (await call(maria, "user.getInfo", sk=password["session"]["key"]))["user"]["name"] == "nina"
    token = await call(maria, "auth.getMobileSession", sk="", username="maria", password=maria.token)
    assert token["session"]["key"] == key_of(maria)
    other = await call(maria, "auth.getMobileSession", sk="", username="nina", password=maria.token)
    assert other["error"] == 4
    for _ in range(12):
        wrong = await call(maria, "auth.getMobileSession", sk="", username="nina", password="wrong password")
    assert wrong["error"] == 29  # as at the login: ten wrong ones a minute


async def test_a_proof_by_md5_works_with_a_token_made_for_it_alone(maria: Listener, clock: HandClock) -> None:
    async with maria.services.database.connection() as conn:
        token = await accounts.create_token(conn, maria.account.id, "old", clock.now(), scopes=player_logins.SCOPES)

    def proof(secret: str) -> str:
        inner = clients.md5(secret)
        return clients.md5(f"maria{inner}")

    assert (await call(maria, "auth.getMobileSession", sk="", username="maria", authToken=proof(token)))["error"] == 4
    async with maria.services.database.connection() as conn:
        await player_logins.allow(conn, token)
    session = (await call(maria, "auth.getMobileSession", sk="", username="maria", authToken=proof(token)))["session"]
    assert (await call(maria, "user.getInfo", sk=session["key"]))["user"]["name"] == "maria"
    assert session["key"] != key_of(maria)


async def test_an_api_key_of_ours_wants_its_signature(maria: Listener, clock: HandClock) -> None:
    async with maria.services.database.connection() as conn:
        token = await accounts.create_token(conn, maria.account.id, "script", clock.now(), scopes=player_logins.SCOPES)
        await player_logins.allow(conn, token)
    ours = player_logins.of_token(maria.account, "script", token)
    asked = {"method": "user.getInfo", "api_key": ours.api_key, "format": "json"}
    unsigned = await maria.client.get("/2.0/", params={**asked, "sk": ours.session_key})
    assert (unsigned.status_code, unsigned.json()["error"]) == (403, 13)
    wrong = await maria.client.get("/2.0/", params=signed({**asked, "sk": ours.session_key}, "another secret"))
    assert wrong.json()["error"] == 13
    right = await maria.client.get("/2.0/", params=signed({**asked, "sk": ours.session_key}, ours.shared_secret))
    assert right.json()["user"]["name"] == "maria"
    alone = await maria.client.get("/2.0/", params=signed(asked, ours.shared_secret))
    assert alone.json()["user"]["name"] == "maria"  # the signature proves the token by itself


# ---------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("fields", "code", "status"),
    [
        ({"method": "user.getNothing"}, 3, 400),
        ({}, 3, 400),
        ({"method": "user.getInfo"}, 17, 403),
        ({"method": "user.getInfo", "sk": "f" * 32}, 9, 403),
        ({"method": "user.getInfo", "sk": "no key at all"}, 9, 403),
        ({"method": "user.getInfo", "sk": "KEY", "user": "somebody"}, 6, 404),
        ({"method": "track.scrobble", "sk": "KEY"}, 6, 400),
        ({"method": "track.getInfo", "sk": "KEY", "artist": "Low", "track": "Never played"}, 6, 404),
        ({"method": "user.getTopArtists", "sk": "KEY", "period": "century"}, 6, 400),
        ({"method": "user.getRecentTracks", "sk": "KEY", "limit": "many"}, 6, 400),
    ],
)
async def test_what_cannot_be_answered_has_last_fms_code(
    maria: Listener, fields: dict[str, str], code: int, status: int
) -> None:
    fields = {name: key_of(maria) if value == "KEY" else value for name, value in fields.items()}
    as_json = await maria.client.post("/2.0/", data={**fields, "format": "json"})
    assert (as_json.json()["error"], as_json.status_code) == (code, status)
    as_xml = await maria.client.post("/apis/audioscrobbler/2.0/", data=fields)
    root = ET.fromstring(as_xml.text)  # noqa: S314 # as above
    error = root.find("error")
    assert root.attrib == {"status": "failed"}
    assert error is not None
    assert error.attrib == {"code": str(code)}


@pytest.mark.parametrize(
    ("fields", "named"),
    [
        ({"method": "auth.getMobileSession", "username": "mar\0ia", "password": "x"}, "username"),
        ({"method": "auth.getMobileSession", "username": "mar\0ia", "authToken": "x"}, "username"),
        ({"method": "auth.getMobileSession", "username": "maria", "authToken": "\0"}, "authToken"),
        ({"method": "auth.getToken", "api_key": "\0"}, "api_key"),
        ({"method": "auth.getSession", "api_key": "a", "token": "\0"}, "token"),
        ({"method": "user.getTrackScrobbles", "sk": "KEY", "artist": "L\0w", "track": "Monkey"}, "artist"),
        ({"method": "user.getInfo", "sk": "\0"}, "sk"),
        ({"method": "track.love", "sk": "KEY", "artist": "Low", "track": "\0"}, "track"),
        ({"method": "user.getPersonalTags", "sk": "KEY", "taggingtype": "x y=1", "tag": "rock"}, "taggingtype"),
    ],
)
async def test_a_parameter_that_cannot_be_is_named(maria: Listener, fields: dict[str, str], named: str) -> None:
    fields = {name: key_of(maria) if value == "KEY" else value for name, value in fields.items()}
    reply = await maria.client.post("/2.0/", data={**fields, "format": "json"})
    assert (reply.status_code, reply.json()["error"]) == (400, 6)
    assert named in reply.json()["message"]


async def test_a_nul_in_one_play_of_a_batch_loses_no_other(maria: Listener) -> None:
    answer = await scrobble(maria, "Sinner\0man", "Feeling Good")
    assert [one["ignoredMessage"]["code"] for one in answer["scrobbles"]["scrobble"]] == ["2", "0"]


@pytest.mark.parametrize(
    "method",
    ["user.getRecentTracks", "user.getWeeklyArtistChart", "user.getWeeklyAlbumChart", "user.getWeeklyTrackChart"],
)
@pytest.mark.parametrize(
    "bounds",
    [
        {"from": str(AT * 1000)},
        {"to": str(AT * 1000)},
        {"from": str(AT), "to": str(AT * 1000)},
        {"from": str(AT * 1000), "to": str(AT * 1000 + 1)},
        {"from": str(AT + 1), "to": str(AT)},
        {"from": "9" * 18},
    ],
)
async def test_times_in_milliseconds_are_no_fault_of_ours(maria: Listener, method: str, bounds: dict[str, str]) -> None:
    await scrobble(maria, "Sinnerman")
    answer = await call(maria, method, **bounds)
    assert answer.get("error") in (None, 6), answer


async def test_times_after_all_plays_find_none_and_before_all_find_them(maria: Listener) -> None:
    await scrobble(maria, "Sinnerman")
    after = await call(maria, "user.getRecentTracks", **{"from": str(AT * 1000)})
    assert (after["recenttracks"]["track"], after["recenttracks"]["@attr"]["total"]) == ([], "0")
    until = await call(maria, "user.getRecentTracks", to=str(AT * 1000))
    assert [one["name"] for one in until["recenttracks"]["track"]] == ["Sinnerman"]


async def test_what_goes_wrong_outside_of_a_call_is_told_in_the_format_of_the_call(maria: Listener) -> None:
    async with maria.services.database.connection() as conn:
        await conn.execute("ALTER TABLE feedback RENAME TO gone")  # a fault of ours
    for fields, media in (({"format": "json"}, "application/json"), ({}, "text/xml")):
        asked = {"method": "user.getLovedTracks", "sk": key_of(maria), **fields}
        reply = await maria.client.post("/2.0/", data=asked)
        assert (reply.status_code, reply.headers["content-type"].partition(";")[0]) == (500, media)


async def test_a_session_key_ends_with_its_token_and_with_its_account(maria: Listener) -> None:
    now = maria.services.clock.now()
    async with maria.services.database.connection() as conn:
        otto = await accounts.create(conn, "otto", "", is_owner=False, now=now)
        token = await accounts.create_token(conn, otto.id, "phone", now, scopes=player_logins.SCOPES)
        lost = await accounts.create_token(conn, maria.account.id, "lost", now, scopes=player_logins.SCOPES)
        (row,) = [one for one in await accounts.tokens(conn, maria.account.id) if one.name == "lost"]
    keys = [player_logins.session_key(one) for one in (token, lost)]
    for key in keys:
        assert "user" in await call(maria, "user.getInfo", sk=key)
    await maria.client.post(f"/players/{row.id}/revoke", headers=maria.header)
    await maria.client.post(f"/settings/people/{otto.id}/remove", headers=maria.header, data={"name": "otto"})
    for key in keys:
        assert (await call(maria, "user.getInfo", sk=key))["error"] == 9
        played = {"artist": "Low", "track": "Monkey", "timestamp": str(AT)}
        assert (await call(maria, "track.scrobble", sk=key, **played))["error"] == 9


async def test_json_has_numbers_where_last_fm_has_them(maria: Listener, clock: HandClock) -> None:
    assert (await scrobble(maria, "Sinnerman"))["scrobbles"]["@attr"] == {"accepted": 1, "ignored": 0}
    opened = await call(maria, "auth.getMobileSession", username="maria", password=maria.token)
    assert opened["session"]["subscriber"] == 0
    answer = await call(maria, "user.getRecentTracks")
    assert answer["recenttracks"]["@attr"]["total"] == "1"  # nearly everywhere else they are texts


async def test_xml_survives_what_xml_cannot_hold(maria: Listener) -> None:
    await call(maria, "track.scrobble", artist="<Low> & \x07Co", track='"It\'s"', timestamp=str(AT))
    asked = {"method": "user.getRecentTracks", "sk": key_of(maria)}
    answer = await maria.client.get("/2.0/", params=asked)
    root = ET.fromstring(answer.text)  # noqa: S314 # as above
    assert root.findtext("recenttracks/track/artist") == "<Low> & \ufffdCo"
    assert root.findtext("recenttracks/track/name") == '"It\'s"'


async def test_one_sees_what_came_with_a_token_last(maria: Listener) -> None:
    await scrobble(maria, "Sinnerman")
    page = await maria.client.get("/players", headers=maria.header)
    assert "The last play was <strong>Sinnerman</strong> by Nina Simone" in page.text
    await call(maria, "track.scrobble", artist="Nina Simone", track="Too early", timestamp="5")
    assert "The last play was refused" in (await maria.client.get("/players", headers=maria.header)).text
