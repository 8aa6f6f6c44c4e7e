from __future__ import annotations

import asyncio
import hashlib
import json
import socket
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sleevenotes import app, cli
from sleevenotes.cli import people, serving, showing
from sleevenotes.model import Status
from sleevenotes.pipeline import connecting
from sleevenotes.settings import Settings
from sleevenotes.store import accounts, player_logins
from tests.commands import mistake, said
from tests.unit.cli.conftest import Run

# ---------------------------------------------------------------- user and token


def test_the_first_account_owns_the_installation_and_its_token_opens_it(run: Run, settings: Settings) -> None:
    added = json.loads(said(run("user", "add", "ana", "--json")))
    said(run("user", "add", "ben"))
    everybody = json.loads(said(run("user", "list", "--json")))
    assert [(account["name"], account["is_owner"]) for account in everybody] == [("ana", True), ("ben", False)]
    assert opened_by(settings, added["token"]) == "ana"


def test_an_account_that_exists_is_not_added_again(run: Run) -> None:
    said(run("user", "add", "ana"))
    assert "taken" in mistake(run("user", "add", "Ana"))


def test_a_new_password_opens_the_account(run: Run, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    said(run("user", "add", "ana"))
    monkeypatch.setenv(people.PASSWORD_VARIABLE, "quite another one")
    said(run("user", "password", "ana"))

    async def logs_in(password: str) -> bool:
        async with app.open(settings) as parts, parts.database.connection() as conn:
            return await accounts.by_password(conn, "ana", password) is not None

    assert asyncio.run(logs_in("quite another one"))
    assert not asyncio.run(logs_in("a long enough password"))


def test_a_short_password_is_refused_with_the_rule(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(people.PASSWORD_VARIABLE, "short")
    assert "at least" in mistake(run("user", "add", "ana"))


def test_a_revoked_token_opens_nothing(run: Run, settings: Settings) -> None:
    said(run("user", "add", "ana"))
    token = json.loads(said(run("token", "create", "phone", "--account", "ana", "--json")))["token"]
    assert opened_by(settings, token) == "ana"
    listed = json.loads(said(run("token", "list", "--account", "ana", "--json")))
    number = next(row["id"] for row in listed if row["name"] == "phone")
    said(run("token", "revoke", str(number), "--account", "ana"))
    assert opened_by(settings, token) is None
    assert f"no token {number}" in mistake(run("token", "revoke", str(number), "--account", "ana"))


def test_an_unknown_account_is_told_with_those_there_are(run: Run) -> None:
    said(run("user", "add", "ana"))
    assert "Accounts: ana" in mistake(run("token", "list", "--account", "nobody"))


def opened_by(settings: Settings, token: str) -> str | None:
    async def look() -> str | None:
        async with app.open(settings) as parts, parts.database.connection() as conn:
            account = await accounts.by_token(conn, token, parts.clock.now())
            return account.name if account else None

    return asyncio.run(look())


def test_a_token_is_given_the_scopes_that_are_named(run: Run) -> None:
    said(run("user", "add", "ana"))
    said(run("token", "create", "phone", "--account", "ana", "--scope", "submit", "--scope", "read"))
    listed = json.loads(said(run("token", "list", "--account", "ana", "--json")))
    assert {row["name"]: row["scopes"] for row in listed}["phone"] == ["submit", "read"]
    assert "submit, read, manage, admin" in mistake(run("token", "create", "x", "--account", "ana", "--scope", "all"))


def test_links_are_made_and_accounts_removed_from_a_terminal(run: Run) -> None:
    said(run("user", "add", "ana"))
    said(run("user", "add", "otto"))
    assert "/invitation/" in json.loads(said(run("user", "invite", "my brother", "--json")))["link"]
    assert "/invitation/" in said(run("user", "reset", "otto"))
    assert "nobody" in mistake(run("user", "reset", "nobody"))
    assert "'otto' is deleted: 0 plays, 1 tokens" in said(run("user", "remove", "otto", "--yes"))
    assert "last owner" in mistake(run("user", "remove", "ana", "--yes"))


# ---------------------------------------------------------------- backup


def test_a_backup_is_made_checked_and_never_put_over_anything(run: Run, history: Path, tmp_path: Path) -> None:
    said(run("user", "add", "ana"))
    said(run("import", str(history), "--account", "ana"))
    file = tmp_path / "kept.zip"
    assert "2 plays" in said(run("backup", str(file)))
    assert "The backup is whole: 2 plays" in said(run("restore", str(file), "--check"))
    assert "not empty" in mistake(run("restore", str(file)))
    file.write_bytes(file.read_bytes()[:-100])
    assert "no whole backup" in mistake(run("restore", str(file), "--check"))


# ---------------------------------------------------------------- status and explain


def test_status_counts_what_waits(run: Run, history: Path) -> None:
    said(run("user", "add", "ana"))
    said(run("import", str(history), "--account", "ana"))
    snapshot = json.loads(said(run("status", "--json")))
    assert snapshot["scrobbles"] == 2
    assert snapshot["lookups"] == {Status.PENDING: 2}
    assert [(queue["stage"], queue["band"], queue["queued"]) for queue in snapshot["queues"]] == [
        ("match", "low_priority", 1)
    ]
    report = json.loads(said(run("status", "--report", "--last", "all", "--json")))
    assert (report["others"]["imported"], report["waited_for"]["plays"]) == (2, 0)
    assert report["pending"] == {"names": 2, "covers": 0}
    assert "with artwork within a minute" in said(run("status", "--report", "--from", "2020-01-01"))
    assert "no period" in mistake(run("status", "--last", "fortnight"))
    assert "one of them" in mistake(run("status", "--last", "day", "--to", "2020-01-01"))
    shown = said(run("status"))
    assert "2 scrobbles" in shown
    assert "low_priority" in shown
    assert "The setting lastfm_key is empty." in shown


def test_recheck_shows_what_is_due_and_why_and_hastens_it(run: Run, history: Path, settings: Settings) -> None:
    said(run("user", "add", "ana"))
    assert "Nothing is to be looked for again." in said(run("recheck"))
    said(run("import", str(history), "--account", "ana"))
    asyncio.run(not_found(settings))
    [told] = json.loads(said(run("recheck", "--json")))["dated"]
    assert (told["kind"], told["why"], told["due"], told["later"]) == ("names", "nobody knows it", 0, 2)
    assert "2 of names are due now" in said(run("recheck", "--now", "names"))
    [told] = json.loads(said(run("recheck", "--json")))["dated"]
    assert (told["due"], told["later"]) == (2, 0)
    assert "Kinds: names, covers, larger, artists, sent, evidence, ids." in mistake(
        run("recheck", "--now", "everything")
    )


async def not_found(settings: Settings) -> None:
    async with app.open(settings) as parts, parts.database.connection() as conn:
        tomorrow = parts.clock.now() + timedelta(days=1)
        await conn.execute("UPDATE lookups SET status = 'not_found', tries = 1, recheck_at = $1", tomorrow)


def test_explain_tells_what_was_sent_and_that_nothing_was_asked_yet(run: Run, history: Path) -> None:
    said(run("user", "add", "ana"))
    said(run("import", str(history), "--account", "ana"))
    told = json.loads(said(run("explain", "1", "--json")))
    assert told["sent"]["artist"] == "Massive Attack"
    assert told["lookup"]["status"] == "pending"
    story = said(run("explain", "1"))
    assert "by Massive Attack (on Heligoland)" in story
    assert "nothing was asked" in story


def test_a_scrobble_that_does_not_exist_is_a_mistake(run: Run) -> None:
    assert "no scrobble 99" in mistake(run("explain", "99"))


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, ""), (45, "45 s"), (119, "119 s"), (600, "10 min"), (7200, "2 h"), (400_000, "5 d")]
)
def test_spans_are_told_roughly(seconds: float, words: str) -> None:
    assert showing._span(seconds) == words


# ---------------------------------------------------------------- mistakes


def test_a_bad_setting_is_named(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SLEEVENOTES_WORKER_JOBS", "many")
    assert "worker_jobs" in mistake(run("user", "list"))


def test_a_database_that_is_not_there_is_a_mistake_and_no_traceback(tmp_path: Path) -> None:
    url = f"postgresql://nobody@/nothing?host={tmp_path}"
    result = CliRunner().invoke(cli.app, ["--data-dir", str(tmp_path), "--database-url", url, "user", "list"])
    assert "database" in mistake(result)


def test_a_port_that_is_taken_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        result = CliRunner().invoke(cli.app, ["--data-dir", str(tmp_path), "serve", "--port", port])
    assert "--port" in mistake(result)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("host", ["::1", "::", "127.0.0.1", "localhost", ""])
def test_a_port_can_be_had_at_addresses_of_every_family(host: str) -> None:
    if ":" in host and not socket.has_ipv6:
        pytest.skip("this machine has no IPv6")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    serving.check_free(host, port)


@pytest.mark.parametrize(
    ("host", "address"),
    [("::", "http://[::1]:8000"), ("::1", "http://[::1]:8000"), ("0.0.0.0", "http://127.0.0.1:8000")],  # noqa: S104 - not bound
)
def test_an_address_to_reach_a_server_at_is_one_that_browsers_take(host: str, address: str) -> None:
    assert serving.reached_at(host, 8000) == address


def test_simulating_never_touches_the_database_named_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", "postgresql://me@/my_plays")
    result = CliRunner().invoke(cli.app, ["--data-dir", str(tmp_path), "serve", "--simulate"])
    assert "--database-url" in mistake(result)


def test_a_clock_that_cannot_be_read_is_a_mistake() -> None:
    assert "clock" in mistake(CliRunner().invoke(cli.app, ["simulate", "--clock", "sundial"]))


def test_playing_to_a_server_needs_a_token() -> None:
    assert "--token" in mistake(CliRunner().invoke(cli.app, ["simulate", "--play-to", "http://127.0.0.1:1"]))


def test_sync_looks_at_whoever_is_connected_and_says_how_far_that_is(run: Run, settings: Settings) -> None:
    said(run("user", "add", "anna"))
    assert "No account is connected" in said(run("sync"))
    asyncio.run(connected(settings))
    told = said(run("sync", "--account", "anna"))
    assert told == "anna: Last.fm as maria, open, 0 of unknown plays of the history read, not looked yet\n"
    [line] = json.loads(said(run("sync", "--json")))
    assert (line["service"], line["username"], line["finished"]) == ("lastfm", "maria", False)


def test_same_plays_compares_all_of_them_again_and_says_what_that_changed(
    run: Run, settings: Settings, tmp_path: Path
) -> None:
    said(run("user", "add", "anna"))
    for service, names, seconds in (("lastfm", "Air,Talisman", 0), ("spotify", "AIR,Talisman", 20)):
        table = tmp_path / f"{service}.csv"
        table.write_text(f"ts,artist,track\n{1_559_570_092 + seconds},{names}\n", "utf-8")
        said(run("import", str(table), "--account", "anna", "--origin", service))
    assert said(run("same-plays")) == "anna: no change\n"

    async def part() -> None:
        async with app.open(settings) as parts, parts.database.connection() as conn:
            await conn.execute("UPDATE scrobbles SET same_as = NULL")

    asyncio.run(part())
    assert said(run("same-plays", "--account", "anna")) == "anna: 1 more hidden\n"
    assert json.loads(said(run("same-plays", "--json"))) == [{"account": "anna", "hidden": 0}]


async def connected(settings: Settings) -> None:
    async with app.open(settings) as parts, parts.database.transaction() as conn:
        anna = await accounts.by_name(conn, "anna")
        assert anna is not None
        await connecting.connect(conn, anna.id, "lastfm", user_name="maria", now=parts.clock.now())


def test_a_token_for_an_old_player_is_its_password(run: Run, settings: Settings) -> None:
    said(run("user", "add", "nora"))
    token = json.loads(said(run("token", "create", "mpd", "--account", "nora", "--old-player", "--json")))["token"]

    async def find() -> tuple[str, set[str]]:
        async with app.open(settings) as parts, parts.database.connection() as conn:
            (handshake,) = await player_logins.of_account(conn, "nora")
            opened = await player_logins.by_session_key(conn, handshake.session_key, parts.clock.now())
            return handshake.password_md5, set(opened.may if opened else ())

    md5, may = asyncio.run(find())
    assert md5 == hashlib.md5(token.encode(), usedforsecurity=False).hexdigest()
    assert may == {"submit", "read"}
    refused = run("token", "create", "mpd", "--account", "nora", "--old-player", "--scope", "manage")
    assert "may submit and read" in mistake(refused)
