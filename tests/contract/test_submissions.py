"""The Audioscrobbler Submissions protocol: handshake, what plays now, plays; by hand and by mpdscribble."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from tests import serving
from tests.contract import clients
from tests.serving import Listener

from sleevenotes.clock import HandClock, SystemClock
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, player_logins
from sleevenotes.store.postgres import Database

NOW = 1_767_225_600  # where the clock stands: the start of 2026


@pytest_asyncio.fixture
async def token(maria: Listener) -> str:
    """Return a token of maria's that was made for an old player."""
    return await old_token(maria)


async def old_token(maria: Listener) -> str:
    now = maria.services.clock.now()
    async with maria.services.database.connection() as conn:
        made = await accounts.create_token(conn, maria.account.id, "old", now, scopes=player_logins.SCOPES)
        await player_logins.allow(conn, made)
    return made


def proof(password: str, at: int) -> str:
    inner = clients.md5(password)
    return clients.md5(f"{inner}{at}")


async def shake(maria: Listener, password: str, way: str = "/submissions/", at: int = NOW, **more: str) -> list[str]:
    query = {"hs": "true", "p": "1.2.1", "c": "tst", "v": "1.0", "u": "Maria", "t": str(at), **more}
    reply = await maria.client.get(way, params={**query, "a": proof(password, at)})
    assert reply.text.endswith("\n")
    return reply.text.splitlines()


async def test_a_handshake_leads_to_plays(maria: Listener, token: str) -> None:
    word, session, now_playing, submission = await shake(maria, token)
    assert (word, len(session)) == ("OK", 32)
    playing = {"s": session, "a": "Low", "t": "Monkey", "b": "The Great Destroyer", "l": "259", "n": "1", "m": ""}
    assert (await maria.client.post(now_playing, data=playing)).text == "OK\n"
    plays = {"s": session}
    for i in range(3):
        plays |= {f"a[{i}]": "Low", f"t[{i}]": f"track {i}", f"i[{i}]": str(NOW - 1000 + i), f"o[{i}]": "P"}
        plays |= {f"r[{i}]": "", f"l[{i}]": "180", f"b[{i}]": "", f"n[{i}]": "", f"m[{i}]": ""}
    plays["i[1]"] = "7"  # one that is unfit spoils no other
    assert (await maria.client.post(submission, data=plays)).text == "OK\n"
    answer = (await maria.client.get("/api/v1/scrobbles/recent", headers=maria.header)).json()
    assert [one["track_name"] for one in answer["scrobbles"]] == ["track 2", "track 0"]
    assert answer["now_playing"]["track_name"] == "Monkey"


async def test_players_that_know_only_a_host_ask_at_the_root(maria: Listener, token: str) -> None:
    assert (await shake(maria, token, way="/"))[0] == "OK"
    assert (await shake(maria, token, way="/apis/audioscrobbler_legacy/"))[0] == "OK"
    assert (await maria.client.get("/")).status_code == 302  # anybody else is shown the way to the login


async def test_refusals_are_the_protocols_own_words(maria: Listener, token: str) -> None:
    assert await shake(maria, maria.token) == ["BADAUTH"]  # a token that was not made for it
    assert await shake(maria, token, at=NOW - 4000) == ["BADTIME"]
    assert await shake(maria, token, u="mar\0ia") == ["BADAUTH"]
    assert (await shake(maria, token, p="1.1"))[0].startswith("FAILED ")
    unknown = await maria.client.post("/submissions/protocol_1.2", data={"s": "f" * 32, "a[0]": "x", "t[0]": "y"})
    assert (unknown.status_code, unknown.text) == (200, "BADSESSION\n")
    session = (await shake(maria, token))[1]
    empty = await maria.client.post("/submissions/protocol_1.2", data={"s": session})
    assert (empty.status_code, empty.text.split()[0]) == (200, "FAILED")
    async with maria.services.database.connection() as conn:
        for one in await accounts.tokens(conn, maria.account.id):
            await accounts.revoke_token(conn, maria.account.id, one.id)
    assert await shake(maria, token) == ["BADAUTH"]


async def test_words_come_with_status_200_for_players_that_read_no_other(maria: Listener, token: str) -> None:
    query = {"hs": "true", "p": "1.2.1", "u": "maria", "t": str(NOW)}
    for wrong in ({"a": proof("wrong", NOW)}, {"a": proof(token, NOW), "p": "1.1"}, {"t": "1"}):
        reply = await maria.client.get("/submissions/", params={**query, **wrong})
        assert (reply.status_code, reply.text.split()[0] == "OK") == (200, False)
    for way in ("now-playing", "protocol_1.2"):
        reply = await maria.client.post(f"/submissions/{way}", data={"s": "f" * 32})
        assert (reply.status_code, reply.text) == (200, "BADSESSION\n")


async def test_a_pack_of_unfit_plays_is_over_and_done_with(maria: Listener, token: str) -> None:
    """mpdscribble keeps what was answered with FAILED and sends it first for ever, so nothing later would come."""
    session = (await shake(maria, token))[1]
    sent = {"s": session}
    for i in range(10):  # before the clock of a small computer was set
        sent |= {f"a[{i}]": "Low", f"t[{i}]": f"track {i}", f"i[{i}]": str(300 * i), f"o[{i}]": "P", f"l[{i}]": "180"}
    assert (await maria.client.post("/submissions/protocol_1.2", data=sent)).text == "OK\n"
    assert (await maria.client.post("/submissions/now-playing", data={"s": session, "a": "Low"})).text == "OK\n"
    recent = (await maria.client.get("/api/v1/scrobbles/recent", headers=maria.header)).json()
    assert (recent["scrobbles"], recent["now_playing"]) == ([], None)


async def test_the_page_players_tells_why_a_pack_was_refused(maria: Listener, token: str) -> None:
    session = (await shake(maria, token))[1]
    sent = {"s": session, "a[0]": "Low", "t[0]": "Monkey", "i[0]": "7"}
    assert (await maria.client.post("/submissions/protocol_1.2", data=sent)).text == "OK\n"
    page = (await maria.client.get("/players", headers=maria.header)).text
    assert "timestamp is missing, or before 2002-10-01" in page


async def test_a_pack_that_is_too_large_is_no_pack(maria: Listener, token: str) -> None:
    sent = {"s": (await shake(maria, token))[1]}
    for i in range(51):
        sent |= {f"a[{i}]": "Low", f"t[{i}]": f"track {i}", f"i[{i}]": str(NOW - 300 * i)}
    reply = await maria.client.post("/submissions/protocol_1.2", data=sent)
    assert (reply.status_code, reply.text.split()[0]) == (200, "FAILED")


async def test_a_session_of_lastfms_api_serves_here_too(maria: Listener, token: str) -> None:
    key = player_logins.session_key(maria.token)
    assert (await shake(maria, "", api_key="k" * 32, sk=key))[:2] == ["OK", key]
    assert await shake(maria, "", api_key="k" * 32, sk="f" * 32) == ["BADAUTH"]


# ---------------------------------------------------------------- a real client


class Playing:
    """A music player as mpdscribble asks it (MPD's protocol): one track, playing for ever."""

    song = b"file: a.flac\nArtist: Low\nTitle: Monkey\nAlbum: The Great Destroyer\nTime: 259\nId: 1\nPos: 0\n"
    status = b"volume: 50\nstate: play\nsong: 0\nsongid: 1\ntime: 3:259\nelapsed: 3.0\n"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"OK MPD 0.23.0\n")
        end = b"OK\n"
        while line := await reader.readline():
            word = line.strip().partition(b" ")[0]
            if word == b"idle":
                continue  # nothing ever changes
            if word == b"command_list_ok_begin":
                end = b"list_OK\n"
                continue
            if word == b"command_list_end":
                end = b"OK\n"
            writer.write({b"currentsong": self.song, b"status": self.status}.get(word, b"") + end)
        writer.close()


JOURNAL = """a = Low
t = {title}
b = Things We Lost in the Fire
n = 1
l = 276
i = {at}
o = P
"""


async def test_mpdscribble_sends_what_it_kept_behind_a_pack_that_is_unfit_and_what_plays_now(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    program = shutil.which("mpdscribble")
    if program is None:
        pytest.skip("mpdscribble is not installed: it is a Debian package, of the same name")
    played_at = int(time.time()) - 3600
    kept = [(f"before the clock was set {i}", 300 * i) for i in range(10)]  # just what it sends at once
    journal = [JOURNAL.format(title=title, at=at) for title, at in [*kept, ("Sunflower", played_at)]]
    (tmp_path / "journal").write_text("\n".join(journal))
    async with serving.listening(settings, SystemClock(), database) as maria, clients.on_a_port(maria.app) as address:
        token = await old_token(maria)
        player = await asyncio.start_server(Playing().serve, "127.0.0.1", 0)
        port = player.sockets[0].getsockname()[1]
        (tmp_path / "conf").write_text(
            f"log = -\nverbose = 2\nhost = 127.0.0.1\nport = {port}\n[here]\nurl = {address}/submissions/\n"
            f"username = maria\npassword = {token}\njournal = {tmp_path}/journal\n"
        )
        running = await asyncio.create_subprocess_exec(
            *(program, "--no-daemon", "--conf", str(tmp_path / "conf")), stderr=asyncio.subprocess.PIPE
        )
        try:
            answer = await asyncio.wait_for(told(maria), 30)
        finally:
            running.terminate()
            _, complained = await running.communicate()
            player.close()
    assert [one["track_name"] for one in answer["scrobbles"]] == ["Sunflower"], complained.decode()
    assert answer["scrobbles"][0]["source_app"] == "mpdscribble"
    assert answer["now_playing"]["album_name"] == "The Great Destroyer"


async def told(maria: Listener) -> dict[str, Any]:
    """Ask until the play and what plays now have come; every question gives the player its time."""
    while True:
        answer = (await maria.client.get("/api/v1/scrobbles/recent", headers=maria.header)).json()
        if answer["scrobbles"] and answer["now_playing"]:
            return dict(answer)


def test_the_clock_of_these_tests_stands_where_they_say(clock: HandClock) -> None:
    assert int(clock.now().timestamp()) == NOW
