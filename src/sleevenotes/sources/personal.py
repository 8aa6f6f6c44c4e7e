"""What is asked about one listener at a service that keeps listening histories, and what is answered.

The secrets in these questions open what a listener shows to nobody else; an answer is for who asked with the same one,
and is dropped once it has been read.
"""

from __future__ import annotations

import msgspec

from sleevenotes import model


class PlaysSince(msgspec.Struct, frozen=True, omit_defaults=True, tag="plays_since"):
    """What has this listener played, from the second `since` to before the second `before`? One page, newest first.

    Seconds are UNIX', 0 stands for no bound. `page` counts from 1 within the same bounds; `most` is how many plays the
    page may hold, 0 for as many as there can be. `secret` opens what the listener shows to nobody else.
    """

    user_name: str
    since: int = 0
    before: int = 0
    page: int = 1
    most: int = 0
    secret: str = ""

    def __repr__(self) -> str:
        """Name it without its secret."""
        return f"PlaysSince({self.user_name!r}, page={self.page})"


class PlayingNow(msgspec.Struct, frozen=True, omit_defaults=True, tag="playing_now"):
    """What plays there now, where a page of plays does not tell? `secret` as of PlaysSince."""

    user_name: str
    secret: str = ""

    def __repr__(self) -> str:
        """Name it without its secret."""
        return f"PlayingNow({self.user_name!r})"


class LovedBy(msgspec.Struct, frozen=True, omit_defaults=True, tag="loved_by"):
    """Which tracks does this listener love? One page, those loved last first; `secret` as of PlaysSince."""

    user_name: str
    page: int = 1
    secret: str = ""

    def __repr__(self) -> str:
        """Name it without its secret."""
        return f"LovedBy({self.user_name!r}, page={self.page})"


class OpenSession(msgspec.Struct, frozen=True, tag="open_session"):
    """Who has logged in at the service to connect an account of ours, and by which key may we act for them?"""

    token: str

    def __repr__(self) -> str:
        """Name it without its secret."""
        return "OpenSession()"


Question = PlaysSince | PlayingNow | LovedBy | OpenSession

# ---------------------------------------------------------------- answers


class Played(msgspec.Struct, frozen=True, omit_defaults=True, tag="played"):
    """One page of a listener's history, newest first, and what plays there now.

    `more` says that there are older ones within the bounds; `total` how many there are within them, None where not
    told; `skipped` how many rows of the page tell no artist, no title or no time.
    """

    plays: tuple[model.Scrobble, ...] = ()
    playing: model.Scrobble | None = None
    more: bool = False
    total: int | None = None
    skipped: int = 0


class Loved(msgspec.Struct, frozen=True):
    """A track that a listener loves, since that UNIX second."""

    artist: str
    track: str
    at: int


class LovedTracks(msgspec.Struct, frozen=True, omit_defaults=True, tag="loved_tracks"):
    """One page of what a listener loves; `more` and `total` as of Played."""

    tracks: tuple[Loved, ...] = ()
    more: bool = False
    total: int | None = None


class Session(msgspec.Struct, frozen=True, tag="session"):
    """A listener's name at the service, and the key by which we act for them."""

    user_name: str
    secret: str

    def __repr__(self) -> str:
        """Name it without its key."""
        return f"Session({self.user_name!r})"


class Closed(msgspec.Struct, frozen=True, tag="closed"):
    """The service says that this cannot be had: an answer, which asking again does not change.

    `why` is "private", "unknown_user", "session" (the session, token or login is not accepted) or "key" (the
    operator's); `said` is a sentence.
    """

    why: str
    said: str


Candidate = Played | LovedTracks | Session | Closed
