"""Where plays come from, in words."""

from __future__ import annotations

from typing import Final

_NAMES: Final = {
    "api": "a player that speaks our own protocol",
    "listenbrainz": "ListenBrainz, or a player that speaks its protocol",
    "audioscrobbler": "a player that speaks Last.fm's protocol",
    "import": "an import",
    "lastfm": "Last.fm",
    "listenbrainz_sync": "ListenBrainz",
    "spotify": "Spotify",
    "maloja": "Maloja",
    "rockbox": "Rockbox",
}


def origin(name: str) -> str:
    """Say where a play came from: "Spotify"."""
    return _NAMES.get(name, name)
