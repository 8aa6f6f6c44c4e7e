"""Popular players, and what to write where in each so that it sends its plays here. Pure.

Only what their documentation or source says. `{base}` stands for this server's address, `{host}` for its host and port,
`{token}` for a token, `{name}` for the listener's name, `{key}` and `{secret}` for an API key and its shared secret.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple


class Field(NamedTuple):
    """One thing to fill in: what the player calls it, and what to write."""

    label: str
    value: str


class Player(NamedTuple):
    """A player: where its settings are, what to write, and what else to know.

    `old` is for those that log in with a name and a password by md5, which only tokens made for it can.
    """

    slug: str
    name: str
    where: str
    fields: tuple[Field, ...] = ()
    file: str = ""
    note: str = ""
    old: bool = False


_API = "{base}/1/"

PLAYERS: tuple[Player, ...] = (
    Player(
        "web-scrobbler",
        "Web Scrobbler",
        "The browser's extension: its options, Accounts, ListenBrainz, Properties.",
        (Field("API URL", "{base}/1/submit-listens"), Field("Token", "{token}")),
        note="It wants the whole address, as here. Its heart asks listenbrainz.org itself and does not reach us.",
    ),
    Player(
        "pano-scrobbler",
        "Pano Scrobbler",
        "Android, Windows, Linux: Settings, Scrobble to, the ListenBrainz-like server of your own.",
        (Field("API URL", "{base}/"), Field("Token", "{token}")),
    ),
    Player(
        "navidrome",
        "Navidrome",
        "In the server's configuration; then each listener, in the web player under Personal, switches on "
        "“Scrobble to ListenBrainz” and pastes a token.",
        (Field("Token", "{token}"),),
        file='ListenBrainz.Enabled = true\nListenBrainz.BaseURL = "{base}/1/"',
        note="As an environment variable: ND_LISTENBRAINZ_BASEURL. Whatever plays from Navidrome (Symfonium, Feishin, "
        "Substreamer) is then sent by Navidrome: set nothing up in the player itself, or plays come twice.",
    ),
    Player(
        "jellyfin",
        "Jellyfin",
        "The plugin “ListenBrainz”: its settings, General, for the address; then each user's token.",
        (Field("ListenBrainz API URL", "{base}"), Field("API token", "{token}")),
        note="Whatever plays from Jellyfin (Finamp, Symfonium) is sent by Jellyfin.",
    ),
    Player(
        "multi-scrobbler",
        "multi-scrobbler (Plex, Spotify, Chromecast, …)",
        "Environment variables of its container: this server is a ListenBrainz client there.",
        file="LZ_URL={base}/\nLZ_USER={name}\nLZ_TOKEN={token}",
        note="Its sources (Plex, Jellyfin, Spotify, MPRIS, VLC, Chromecast and more) are set up there.",
    ),
    Player(
        "gonic",
        "gonic",
        "Its web page, home: ListenBrainz.",
        (Field("URL", "{base}"), Field("Token", "{token}")),
    ),
    Player(
        "kodi",
        "Kodi",
        "The add-on service.listenbrainz: its settings.",
        (Field("Server", "{base}"), Field("User token", "{token}")),
        note="It uses the host alone: a server under a sub-path cannot be reached by it.",
    ),
    Player(
        "tauon",
        "Tauon",
        "Settings, Accounts, ListenBrainz; or in its configuration file tauon.conf:",
        file='listenbrainz-token = "{token}"\ncustom-listenbrainz-url = "{base}"',
    ),
    Player(
        "mpdscribble",
        "mpdscribble (MPD)",
        "A section in mpdscribble.conf:",
        file="[sleevenotes]\nurl = {base}/submissions/\nusername = {name}\npassword = {token}",
        note="This is the old Audioscrobbler protocol; the token must be one that was made for it.",
        old=True,
    ),
    Player(
        "listenbrainz-mpd",
        "listenbrainz-mpd (MPD)",
        "Its config.toml:",
        file='[submission]\ntoken = "{token}"\napi_url = "{base}"',
    ),
    Player(
        "mopidy",
        "Mopidy",
        "The extension Mopidy-ListenBrainz, in mopidy.conf:",
        file="[listenbrainz]\ntoken = {token}\nurl = {host}",
        note="It takes a host and speaks https: put a reverse proxy with a certificate before this server.",
    ),
    Player(
        "cmus",
        "cmus",
        "The program cmusfm, in ~/.config/cmus/cmusfm.conf; then run “cmusfm init” and open the address it prints.",
        file='service-api-url = "{base}/2.0/"\nservice-auth-url = "{base}/api/auth"',
        note="No token is needed: you let it in on a page of ours.",
    ),
    Player(
        "deadbeef",
        "DeaDBeeF",
        "Its Last.fm scrobbler plugin, Configure.",
        (Field("Username", "{name}"), Field("Password", "{token}"), Field("Scrobble URL", "{base}/submissions")),
        note="The token must be one that was made for the old protocol.",
        old=True,
    ),
    Player(
        "mpris",
        "Rhythmbox, Lollypop, Strawberry, GNOME Music and other players on Linux",
        "These let you choose no server themselves. The program rescrobbled sends for any player that Linux' desktop "
        "knows (MPRIS); in ~/.config/rescrobbled/config.toml:",
        file='[[listenbrainz]]\nurl = "{base}/1/"\ntoken = "{token}"',
        note="mpris-scrobbler and multi-scrobbler (by its source MPRIS) do the same.",
    ),
    Player(
        "vlc",
        "VLC 3",
        "Tools, Preferences, All, Interface, Control interfaces: tick “Audioscrobbler”; then its own page:",
        (Field("Username", "{name}"), Field("Password", "{token}"), Field("Scrobbler URL", "{host}")),
        note="It takes a host and speaks plain http. The token must be one that was made for the old protocol.",
        old=True,
    ),
    Player(
        "pylast",
        "Scripts with pylast",
        "Log in with a name and a token, or with an API key alone:",
        file="api_key = {key}\napi_secret = {secret}\nusername = {name}\npassword_hash = pylast.md5('{token}')",
        note="Give the network class our host in ws_server. Calls made with this key are checked against this secret.",
        old=True,
    ),
    Player(
        "rockbox",
        "Rockbox, iPods and other players without a network",
        "Switch on its scrobbler log and upload the file .scrobbler.log on the page Imports.",
    ),
    Player(
        "listenbrainz",
        "Any player with a ListenBrainz server of your choice",
        "It asks for an address and a token.",
        (
            Field("Server address", "{base}"),
            Field("… where the whole API address is wanted", _API),
            Field("Token", "{token}"),
        ),
        note="Players made for Maloja want {base}/apis/listenbrainz.",
    ),
    Player(
        "lastfm",
        "Any player with a Last.fm or GNU FM server of your choice",
        "It asks for an address; then for a name and a password, or it opens a page of ours.",
        (
            Field("API address", "{base}/2.0/"),
            Field("Page to log in at", "{base}/api/auth/"),
            Field("Username", "{name}"),
            Field("Password", "{token}"),
            Field("API key, if asked", "{key}"),
            Field("Shared secret, if asked", "{secret}"),
        ),
        note="Players made for Maloja want {base}/apis/audioscrobbler.",
        old=True,
    ),
    Player(
        "audioscrobbler",
        "Any player with an Audioscrobbler 1.2 server of your choice",
        "It asks for the address of the handshake, a name and a password.",
        (Field("Address", "{base}/submissions/"), Field("Username", "{name}"), Field("Password", "{token}")),
        old=True,
    ),
)

BY_SLUG: Mapping[str, Player] = {player.slug: player for player in PLAYERS}


def filled(player: Player, values: Mapping[str, str]) -> Player:
    """Return a player's configuration with these values; what is not known stays in capitals: TOKEN."""

    def fill(text: str) -> str:
        for name in ("base", "host", "token", "name", "key", "secret"):
            text = text.replace(f"{{{name}}}", values.get(name) or name.upper())
        return text

    fields = tuple(Field(field.label, fill(field.value)) for field in player.fields)
    return player._replace(fields=fields, file=fill(player.file), note=fill(player.note))
