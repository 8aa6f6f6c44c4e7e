"""Services that take plays: what is sent to them, and what they say. The counterpart of `contract`, for giving.

A taker is a policy and pure functions, as a source is: plays → request, reply → a verdict for each play.
"""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import Protocol

import msgspec

from sleevenotes import errors, model
from sleevenotes.sources import contract


class Fate(enum.StrEnum):
    """What became of a play that was sent."""

    TAKEN = "taken"
    REFUSED = "refused"  # never: it would be refused again
    LATER = "later"  # not today


class Verdict(msgspec.Struct, frozen=True):
    """What a service said of one play: why it is not taken, and the names it corrected ("" where it kept ours)."""

    fate: Fate
    reason: str = ""
    artist: str = ""
    track: str = ""


class Login(errors.Fault):
    """The listener's session or token is no longer accepted: nothing can be sent until they connect again."""


class Locked(errors.Fault):
    """This server's own key is not accepted: nothing can be sent until whoever runs it mends that."""


class Unfit(errors.SleevenotesError):
    """The service refuses what was sent as a whole, for something in it."""


class Taker(Protocol):
    """A service that takes plays."""

    @property
    def policy(self) -> contract.Policy:
        """Return whose lane and budget it is, and how many plays one request takes (`together`)."""
        ...

    def unfit(self, play: model.Scrobble) -> str:
        """Say why a play need not be sent at all: its rules forbid it; "" where it may."""
        ...

    def request(self, plays: Sequence[model.Scrobble], secret: str) -> contract.Request:
        """Give plays, each with its `listened_at`."""
        ...

    def playing(self, play: model.Scrobble, secret: str) -> contract.Request:
        """Tell what plays now."""
        ...

    def read(self, plays: Sequence[model.Scrobble], reply: contract.Reply) -> list[Verdict]:
        """Read what became of each play.

        Raises Login, Locked, Unfit, or another errors.Fault where it is not known and to be tried again.
        """
        ...
