"""The test stand: our programs in a temporary directory under one clock, and what /proc says of them."""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

import asyncpg

from benches import wire
from sleevenotes.store import accounts

ACCOUNT = "bench"

# ---------------------------------------------------------------- /proc


def _stat(pid: int) -> list[str]:
    return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()


def _born(pid: int) -> int:
    """Return when a process was started, in ticks since boot; 0 when there is none."""
    try:
        return int(_stat(pid)[19])
    except OSError:
        return 0


def tree(roots: Iterable[int]) -> set[int]:
    """Return these processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
            except OSError:  # it has just ended
                continue
    found: set[int] = set()
    waiting = list(roots)
    while waiting:
        pid = waiting.pop()
        if pid not in found:
            found.add(pid)
            waiting += children.get(pid, [])
    return found


def title(pid: int) -> str:
    """Return a process's command line, shortened; "" when it has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode("utf-8", "replace")[:90].strip()
    except OSError:
        return ""


def pss_mb(pids: Iterable[int]) -> float:
    """Sum the proportional set size (shared pages counted once among those who share them), in MB."""
    total = 0
    for pid in pids:
        try:
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text("utf-8")
        except OSError:
            continue
        total += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return total / 1024


def cpu_s(pids: Iterable[int]) -> float:
    """Sum the processor seconds these processes and their ended children used."""
    ticks = 0
    for pid in pids:
        try:
            ticks += sum(int(field) for field in _stat(pid)[11:15])
        except OSError:
            continue
    return ticks / os.sysconf("SC_CLK_TCK")


# ---------------------------------------------------------------- processes


def free_port() -> int:
    """Return a loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stand:
    """A test stand: our programs in a temporary directory, under one clock; everything ends with it."""

    def __init__(self, *, scale: float = 1, keep: bool = False, settings: dict[str, str] | None = None) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="sleevenotes-bench-"))
        self.directory.chmod(0o711)  # run by root, PostgreSQL is another user, and must pass here
        self.data_dir = self.directory / "data"
        self.keep = keep
        self.scale = scale
        self.anchor = time.time()
        self.port = free_port()
        self.simulator_port = 0
        self.token = ""
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("SLEEVENOTES_")},
            "SLEEVENOTES_DATA_DIR": str(self.data_dir),
            "SLEEVENOTES_PORT": str(self.port),
            "SLEEVENOTES_REQUESTS_PER_MINUTE": "1000000000",
            "SLEEVENOTES_LOG_LEVEL": "warning",
            "PYTHONUNBUFFERED": "1",
            **(settings or {}),
        }
        self.environment.pop("DATABASE_URL", None)
        if scale != 1:
            self.environment["SLEEVENOTES_CLOCK"] = f"scale:{scale}:{self.anchor}"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        everything = {pid: _born(pid) for pid in self._everything()}
        for process in self.running.values():
            process.terminate()
        for process in self.running.values():
            _end(process)
        for pid, born in everything.items():
            if _born(pid) == born:  # still the same process
                _kill(pid)
        if error is not None:
            self._show_logs()
        if self.keep or error is not None:
            print(f"data and logs: {self.directory}", flush=True)
        else:
            shutil.rmtree(self.directory, ignore_errors=True)

    def _everything(self) -> set[int]:
        return tree([process.pid for process in self.running.values()] + sorted(self.postgres()))

    def _show_logs(self) -> None:
        for log in sorted(self.directory.glob("*.log")):
            tail = log.read_text("utf-8", "replace").splitlines()[-15:]
            print(f"--- {log.name}", *tail, sep="\n", flush=True)

    def start(self, name: str, *command: str) -> subprocess.Popen[bytes]:
        """Start `sleevenotes COMMAND…` under a name; its output goes to NAME.log."""
        with (self.directory / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sleevenotes", *command],
                env=self.environment,
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        self.running[name] = process
        return process

    def kill(self, name: str) -> None:
        """Kill -9 a process that was started here, not what it started."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGKILL)
        process.wait()

    def stop(self, name: str) -> None:
        """Ask a process to end, and wait until it has."""
        process = self.running.pop(name)
        process.terminate()
        _end(process)

    def check(self) -> None:
        """Raise when a process has ended by itself."""
        for name, process in self.running.items():
            if process.poll() is not None:
                raise RuntimeError(f"{name} ended by itself with {process.returncode}")

    @property
    def cluster(self) -> Path:
        """Where the bundled PostgreSQL has its files."""
        return (self.data_dir / "postgres").resolve() / "cluster"

    def _pid_file(self) -> list[str]:
        try:
            return (self.cluster / "postmaster.pid").read_text("utf-8").split("\n")
        except OSError:
            return []

    def postgres(self) -> set[int]:
        """Return the postmaster of this stand's bundled database and its children; empty when none runs."""
        written = self._pid_file()
        try:
            pid = int(written[0])
            mine = Path(f"/proc/{pid}/cwd").readlink() == self.cluster
        except (OSError, ValueError, IndexError):
            return set()
        return tree([pid]) if mine else set()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[asyncpg.Connection]:
        """Connect to the bundled database from outside the product. Raises OSError while it is away."""
        written = self._pid_file()
        if len(written) < 5:
            raise ConnectionError("the database does not run")
        connection = await asyncpg.connect(user="sleevenotes", database="sleevenotes", host=written[4].strip())
        try:
            yield connection
        finally:
            await connection.close()

    def postmaster(self) -> int:
        """Return the postmaster's process id; 0 when none runs."""
        running = self.postgres()
        return min(running, key=_born) if running else 0

    def product(self) -> set[int]:
        """Return every process that is the product: all but the simulator."""
        ours = [process.pid for name, process in self.running.items() if name != "simulator"]
        return tree([*ours, *sorted(self.postgres())])

    async def simulator(self, conditions: Path, catalogue: Path, day: str) -> None:
        """Start the simulator and point everything that starts from now on to it."""
        self.simulator_port = free_port()
        self.environment["SLEEVENOTES_SIMULATOR"] = f"127.0.0.1:{self.simulator_port}"
        self.start(
            "simulator", "simulate", "--port", str(self.simulator_port), "--world", str(conditions),
            "--catalogue", str(catalogue), "--day", day,
        )  # fmt: skip
        await self.healthy(self.simulator_port, "/_simulator/health", 120)

    async def server(self, *, work: bool) -> None:
        """Start the server, and wait until it answers."""
        self.start("server", "serve", *(() if work else ("--no-work",)))
        await self.healthy(self.port, "/health", 120)

    async def healthy(self, port: int, path: str, within: float) -> None:
        """Wait until that address answers 200; real seconds."""

        async def answers() -> bool:
            async with wire.Wire(port) as client:
                try:
                    return (await client.get(path))[0] == 200
                except OSError:
                    return False

        await self.until(answers, within, f"port {port} answers", pause=0.02)

    async def until(self, met: Callable[[], Awaitable[bool]], within: float, what: str, *, pause: float = 0.5) -> None:
        """Wait until a condition is met; raise after `within` real seconds or when a process has ended."""
        deadline = time.monotonic() + within
        while not await met():
            self.check()
            if time.monotonic() > deadline:
                raise TimeoutError(f"not within {within:.0f} s: {what}")
            await asyncio.sleep(pause)

    def command(self, *command: str, **environment: str) -> str:
        """Run a short `sleevenotes` command to its end and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "sleevenotes", *command],
            env=self.environment | environment,
            cwd=self.directory,
            check=False,
            capture_output=True,
            text=True,
        )
        if done.returncode:
            raise RuntimeError(f"sleevenotes {' '.join(command)}: {done.stderr or done.stdout}")
        return done.stdout

    def add_account(self) -> None:
        """Create the account that submits, and remember a token of it that may all that a session may."""
        self.command("user", "add", ACCOUNT, SLEEVENOTES_PASSWORD=secrets.token_hex(8))
        scopes = [f"--scope={scope.value}" for scope in accounts.Scope]
        printed = self.command("token", "create", "bench", "--account", ACCOUNT, *scopes, "--json")
        self.token = str(json.loads(printed)["token"])

    async def simulated(self) -> dict[str, object]:
        """Fetch the simulator's own counts."""
        async with wire.Wire(self.simulator_port) as client:
            status, body = await client.get("/_simulator/stats")
        if status != 200:
            raise RuntimeError(f"the simulator's stats answered {status}: {body[:200]!r}")
        found: dict[str, object] = json.loads(body)
        return found

    @property
    def seconds(self) -> float:
        """How many of the clock's seconds have passed since the stand was set up."""
        return (time.time() - self.anchor) * self.scale


def _end(process: subprocess.Popen[bytes], patience: float = 20) -> None:
    try:
        process.wait(patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
