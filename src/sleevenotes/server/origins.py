"""Where plays come from, in words."""

from __future__ import annotations

from typing import Final

_DOORS: Final = {
    "api": "the Sleevenotes API",
    "listenbrainz": "the ListenBrainz API",
    "audioscrobbler": "the Last.fm API",
}
"""Through these players submit: who recorded it is the player, where it says its name."""

_NAMES: Final = {
    **_DOORS,
    "import": "an import",
    "lastfm": "Last.fm",
    "lastfm_minutes": "Last.fm, to the minute",
    "listenbrainz_sync": "ListenBrainz",
    "spotify": "Spotify",
    "spotify_account": "Spotify's account data",
    "maloja": "Maloja",
    "rockbox": "Rockbox",
}


def origin(name: str) -> str:
    """Say where a play came from: "Spotify"."""
    return _NAMES.get(name, name)


def recorder(name: str, app: str) -> str:
    """Say who recorded a play: the player that submitted it, else where it came from."""
    return app if app and name in _DOORS else origin(name)
