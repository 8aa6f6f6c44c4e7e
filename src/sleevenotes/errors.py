"""Every exception of Sleevenotes.

* SleevenotesError
  x Refused          the caller's fault
  x Fault            we do not know yet; never stored as absence
    + Unreachable    no reply, or a 5xx
    + Throttled      told to slow down; carries retry_after
    + Garbled        a reply we cannot read; carries the bytes
    + Unconfigured   no key for this source
  x Taken            another transaction stored the same first; again, and it is seen
  x HeldUp           another transaction holds accounts that ours would wait for
  x Gone             the subject of a job no longer exists
  x Unusable         the installation cannot run: a bad setting, no database
"""

from __future__ import annotations

from collections.abc import Collection, Mapping


class SleevenotesError(Exception):
    """Base of all our exceptions; without a message, it says its docstring."""

    def __init__(self, message: str = "") -> None:
        super().__init__(message or (self.__doc__ or "").strip())


class Refused(SleevenotesError):
    """The caller's fault: a bad token, a malformed scrobble; `field` names what was wrong."""

    def __init__(self, message: str = "", *, field: str = "") -> None:
        super().__init__(message)
        self.field = field

    def of_field(self, labels: Mapping[str, str]) -> str:
        """Return the message for who sees the field under a label: "track_name: is empty." is "Track is empty."."""
        bare = str(self).removeprefix(f"{self.field}: ")
        label = labels.get(self.field)
        return f"{label} {bare}" if label and bare != str(self) else bare


class Fault(SleevenotesError):
    """We do not know yet. Never stored as absence, always tried again."""


class Unreachable(Fault):
    """No reply, or a 5xx."""


class Throttled(Fault):
    """Told to slow down: 429, 503, and what some services use instead.

    `retry_after` is in seconds, None where the service did not say. `site_wide` is true when the whole
    service is shedding load rather than refusing us (MusicBrainz' second kind of 503).
    """

    def __init__(self, message: str = "", *, retry_after: float | None = None, site_wide: bool = False) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.site_wide = site_wide


class Garbled(Fault):
    """A reply we cannot read; `body` holds its first bytes."""

    def __init__(self, message: str = "", *, body: bytes = b"") -> None:
        super().__init__(message)
        self.body = body[:2000]


class Unconfigured(Fault):
    """No key or token for this source."""


class Taken(SleevenotesError):
    """Another transaction stored the same first; trying again will see it."""


class HeldUp(SleevenotesError):
    """Another transaction holds `accounts` that ours would wait for."""

    def __init__(self, accounts: Collection[int] = ()) -> None:
        super().__init__()
        self.accounts = frozenset(accounts)


class Gone(SleevenotesError):
    """The subject of a job no longer exists: nothing is left to do."""


class Unusable(SleevenotesError):
    """The installation cannot run: a bad setting, a database that will not start."""
