"""All settings, each documented where it is declared.

A setting comes from the environment (SLEEVENOTES_ and its name in capitals; DATABASE_URL also bare), else from
the file named by SLEEVENOTES_CONFIG or `sleevenotes.toml` in the data directory, else its default.
"""

from __future__ import annotations

import ipaddress
import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import msgspec

from sleevenotes import clock, errors

ENVIRONMENT_PREFIX = "SLEEVENOTES_"
NO_SETTINGS = frozenset({"CONFIG", "PASSWORD", "LISTENER_TOKEN", "SHARED_DATA", "SCREENSHOTS"})
"""Variables of ours that say other things: where the settings are, what commands ask for, what tests use."""


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole configuration of one installation."""

    data_dir: str = "data"
    """Directory of the bundled database, the images and the configuration file."""

    catalogue_dir: str = ""
    """Directory of the offline catalogue; empty: `catalogue` in `data_dir`."""

    database_url: str = ""
    """PostgreSQL to use, "postgresql://user:password@host/db"; empty: the bundled server, in `data_dir`."""

    host: str = "127.0.0.1"
    """Address to listen on."""

    port: Annotated[int, msgspec.Meta(ge=1, le=65535)] = 8000
    """Port to listen on."""

    base_url: str = ""
    """Address under which browsers reach us, a sub-path included: "https://home.example/music"; empty: as asked."""

    trusted_proxies: str = "127.0.0.1,::1"
    """Addresses and networks, separated by commas, whose X-Forwarded-For and -Proto are believed; "*" for all."""

    contact: str = "https://github.com/sleevenotes/sleevenotes"
    """Where a service's operator reaches whoever runs this server; part of the User-Agent (MusicBrainz asks for it)."""

    simulator: str = ""
    """"host:port" of a running simulator; every outbound request then goes there instead of the internet."""

    listenbrainz_token: str = ""
    """Your ListenBrainz user token (listenbrainz.org/settings); with it, names are looked up fifty at a time."""

    lastfm_key: str = ""
    """A Last.fm API key (last.fm/api/account/create); without it, Last.fm is not asked."""

    lastfm_secret: str = ""
    """The shared secret that came with that key; with it, listeners connect by logging in at Last.fm."""

    discogs_token: str = ""
    """A Discogs token (discogs.com/settings/developers); without it, Discogs is asked less often, never for covers."""

    fanarttv_key: str = ""
    """A fanart.tv API key (fanart.tv/get-an-api-key); without it, fanart.tv is not asked for covers."""

    theaudiodb_key: str = "123"
    """A TheAudioDB key; "123" is the public test key."""

    wanted_image_px: int = 500
    """Covers whose longer side has fewer pixels than this are looked for again, for a larger one; 0: never."""

    sources: str = ""
    """Names of the only sources to ask, separated by commas; empty: all that can be asked."""

    clock: str = ""
    """"system", or "scale:FACTOR:ANCHOR" for time that runs FACTOR-fold since UNIX second ANCHOR (benchmarks)."""

    requests_per_minute: int = 6000
    """Requests one token may make to our APIs in a minute; the X-RateLimit-* headers tell clients."""

    upload_limit_mb: int = 2000
    """Size of a file that may be uploaded for an import, in megabytes."""

    popular_names: int = 10_000
    """How many of the most played names, all listeners together, are kept complete; 0: none."""

    popular_per_hour: int = 300
    """How many of them are looked at in an hour, spread evenly and behind everything else."""

    popular_days: int = 30
    """After how many days one is looked at again."""

    popular_seed: str = ""
    """A file of names that are popular elsewhere (CSV or JSON Lines), looked for before anybody here plays them."""

    worker_jobs: Annotated[int, msgspec.Meta(ge=1)] = 20
    """Jobs one worker process has under way at once."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """debug, info, warning or error."""

    @property
    def root(self) -> str:
        """Return the sub-path of `base_url`, "/music"; "" where there is none."""
        return urlsplit(self.base_url).path.rstrip("/")

    @property
    def only_sources(self) -> frozenset[str]:
        """Return the names of the only sources to ask; empty for all."""
        return frozenset(name.strip() for name in self.sources.split(",") if name.strip())

    @property
    def data_path(self) -> Path:
        """Return `data_dir` as an absolute path."""
        return Path(self.data_dir).expanduser().absolute()

    @property
    def catalogue_path(self) -> Path:
        """Return the directory of the offline catalogue as an absolute path."""
        return Path(self.catalogue_dir).expanduser().absolute() if self.catalogue_dir else self.data_path / "catalogue"

    @property
    def user_agent(self) -> str:
        """Return the User-Agent of every outbound request."""
        return f"Sleevenotes/0.1 ( {self.contact} )"


def load(environment: Mapping[str, str] | None = None, **overrides: object) -> Settings:
    """Read the settings: overrides that are not None, then the environment, then the file, then defaults.

    Raises errors.Unusable naming the setting that is unknown or has a bad value.
    """
    environment = os.environ if environment is None else environment
    given = {name: value for name, value in overrides.items() if value is not None}
    told = {**_from_environment(environment), **given}
    data_dir = Path(str(told.get("data_dir", Settings().data_dir)))
    named = environment.get(ENVIRONMENT_PREFIX + "CONFIG")
    read = _from_file(Path(named), named=True) if named else _from_file(data_dir / "sleevenotes.toml")
    try:
        settings = msgspec.convert({**read, **told}, Settings, strict=False)
    except msgspec.ValidationError as error:
        raise errors.Unusable(f"settings: {error}") from None
    _check_address(settings.base_url)
    _check_proxies(settings.trusted_proxies)
    _check_clock(settings.clock)
    return settings


def _check_address(base_url: str) -> None:
    address = urlsplit(base_url)
    fit = (
        address.scheme in ("http", "https")
        and address.netloc
        and re.fullmatch(r"(/[\w.~-]+)*/?", address.path, re.ASCII)
    )
    if base_url and (not fit or address.query or address.fragment):
        raise errors.Unusable(f"settings: base_url: {base_url!r} is no address like https://home.example/music")


def _check_proxies(trusted: str) -> None:
    for one in [] if trusted == "*" else filter(None, map(str.strip, trusted.split(","))):
        try:
            ipaddress.ip_network(one)
        except ValueError as error:
            raise errors.Unusable(f"settings: trusted_proxies: {error}") from None


def _check_clock(text: str) -> None:
    try:
        clock.from_text(text)
    except ValueError:
        raise errors.Unusable(
            f"settings: clock: {text!r} is neither 'system' nor 'scale:FACTOR:ANCHOR' with two numbers"
        ) from None


def _from_environment(environment: Mapping[str, str]) -> dict[str, Any]:
    names = {field.name for field in msgspec.structs.fields(Settings)}
    known = {ENVIRONMENT_PREFIX + name for name in NO_SETTINGS.union(map(str.upper, names))}
    if unknown := sorted(name for name in environment if name.startswith(ENVIRONMENT_PREFIX) and name not in known):
        raise errors.Unusable(
            f"settings: there is no {', '.join(unknown)}; those there are: docs/reference/settings.md"
        )
    found: dict[str, Any] = {
        name: environment[ENVIRONMENT_PREFIX + name.upper()]
        for name in names
        if ENVIRONMENT_PREFIX + name.upper() in environment
    }
    if "database_url" not in found and environment.get("DATABASE_URL"):
        found["database_url"] = environment["DATABASE_URL"]
    return found


def _from_file(path: Path, *, named: bool = False) -> dict[str, Any]:
    """Read a file of settings; one that is missing is empty, unless it was `named`."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (FileNotFoundError, NotADirectoryError) as error:
        if named:
            raise errors.Unusable(f"settings: {ENVIRONMENT_PREFIX}CONFIG: {path}: {error.strerror}") from None
        return {}
    except OSError as error:
        raise errors.Unusable(f"settings: {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise errors.Unusable(f"settings: {path}: it is not written in UTF-8") from None
    except tomllib.TOMLDecodeError as error:
        raise errors.Unusable(f"settings: {path}: {error}") from None
