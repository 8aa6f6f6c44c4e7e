"""A player that speaks through pylast: makes every call of it that this server serves, and prints what it saw as JSON.

Run by test_pylast.py as a program of its own, like every client that is not ours (docs/decisions/0003).

pylast speaks https only; a transport of its own, given where it takes one for proxies, sends the same to a plain port.

Usage: pylast_player.py HOST:PORT NAME TOKEN FIRST_SECOND [RECORDING_MBID RELEASE_MBID ARTIST_MBID]

With MBIDs, it only looks these up.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import httpx2
import pylast


class Plain(httpx2.HTTPTransport):
    """Sends what was meant for https by http."""

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        request.url = request.url.copy_with(scheme="http")
        return super().handle_request(request)


class Here(pylast._Network):
    """A network with a Last.fm compatible API, at an address of our choice; made as pylast makes Libre.fm's."""

    def __init__(self, host: str, **login: str) -> None:
        libre = pylast.LibreFMNetwork()
        super().__init__(
            name="Sleevenotes",
            homepage=f"http://{host}",
            ws_server=(host, "/2.0/"),
            proxy={"https://": Plain()},
            domain_names=libre.domain_names,
            urls=libre.urls,
            **{"session_key": "", "username": "", "password_hash": "", "token": "", **login},
        )


def main() -> None:
    host, name, token, first = *sys.argv[1:4], int(sys.argv[4])
    secret = pylast.md5(token)
    network = Here(host, api_key="k" * 32, api_secret="s" * 32, username=name, password_hash=secret)
    if len(sys.argv) > 5:
        sys.stdout.write(json.dumps(look_up(network, *sys.argv[5:8])))
        return
    seen: dict[str, Any] = {"session": len(network.session_key)}
    submit(network, first)
    seen |= read_user(network, name, first)
    seen |= read_music(network)
    seen |= errors(host, name)
    sys.stdout.write(json.dumps(seen))


def submit(network: Any, first: int) -> None:
    network.scrobble("Nina Simone", "Sinnerman", first, album="Pastel Blues", duration=622, track_number=9)
    plays = [{"artist": "Low", "title": f"track {i}", "timestamp": first + i} for i in range(1, 121)]
    network.scrobble_many(plays)  # in packs of fifty
    network.scrobble_many(plays)
    network.update_now_playing("Nina Simone", "Four Women", album="Wild Is the Wind", duration=264)
    network.get_track("Nina Simone", "Sinnerman").love()
    network.get_track("Low", "track 5").love()
    network.get_track("Low", "track 5").unlove()


def read_user(network: Any, name: str, first: int) -> dict[str, Any]:
    user = network.get_user(name)
    recent = user.get_recent_tracks(limit=3)
    within = user.get_recent_tracks(limit=None, time_from=first, time_to=first + 60)
    now = user.get_now_playing()
    weeks = user.get_weekly_chart_dates()
    begin, end = str(first - 10), str(first + 1000)
    return {
        "me": network.get_authenticated_user().get_name(properly_capitalized=True),
        "playcount": user.get_playcount(),
        "registered": user.get_unixtime_registered() > 0 and bool(user.get_registered()),
        "nothing": [user.get_country(), user.is_subscriber(), user.get_image(), user.get_friends()],
        "recent": [[row.track.title, row.track.artist.name, int(row.timestamp)] for row in recent],
        "all": len(user.get_recent_tracks(limit=None)),
        "streamed": sum(1 for _ in user.get_recent_tracks(limit=100, stream=True)),
        "within": len(within),
        "now": [now.title, now.artist.name, now.info["album"]],
        "loved": [[one.track.title, one.track.artist.name] for one in user.get_loved_tracks()],
        "top_artists": [[top.item.name, int(top.weight)] for top in user.get_top_artists(pylast.PERIOD_OVERALL)],
        "top_albums": [[top.item.title, top.item.artist.name] for top in user.get_top_albums(pylast.PERIOD_7DAYS)],
        "top_tracks": len(user.get_top_tracks(pylast.PERIOD_12MONTHS, limit=50)),
        "tags": [user.get_top_tags(), user.get_tagged_tracks("jazz"), user.get_tagged_artists("jazz")],
        "tagged_albums": user.get_tagged_albums("jazz"),
        "weeks": all(int(end) - int(begin) == 604_800 for begin, end in weeks),
        "week_artists": [[top.item.name, top.weight] for top in user.get_weekly_artist_charts(begin, end)],
        "week_albums": [top.item.title for top in user.get_weekly_album_charts(begin, end)],
        "week_tracks": len(user.get_weekly_track_charts(begin, end)),
        "scrobbles": [int(row.timestamp) for row in user.get_track_scrobbles("Low", "track 7")],
        "library": [[one.item.name, one.playcount, one.tagcount] for one in user.get_library().get_artists(limit=None)],
    }


def read_music(network: Any) -> dict[str, Any]:
    track = network.get_track("nina simone", "sinnerman")
    album = network.get_album("Nina Simone", "Pastel Blues")
    artist = network.get_artist("low")
    return {
        "track": [track.get_title(properly_capitalized=True), track.get_duration(), track.get_correction()],
        "track_counts": [track.get_playcount(), track.get_userplaycount(), track.get_listener_count()],
        "track_loved": track.get_userloved(),
        "track_mbid": track.get_mbid(),
        "track_album": [track.get_album().title, track.get_album().artist.name],
        "track_cover": track.get_cover_image(),
        "track_tags": [track.get_tags(), track.get_top_tags(), track.get_wiki_summary()],
        "album": [album.get_title(properly_capitalized=True), album.get_mbid(), album.get_cover_image()],
        "album_counts": [album.get_playcount(), album.get_userplaycount(), album.get_listener_count()],
        "album_tracks": [one.title for one in album.get_tracks()],
        "artist": [artist.get_name(properly_capitalized=True), artist.get_mbid(), artist.get_correction()],
        "artist_counts": [artist.get_playcount(), artist.get_userplaycount(), artist.get_listener_count()],
        "artist_bio": [artist.get_bio_summary(), artist.get_top_tags()],
    }


def look_up(network: Any, recording: str, release: str, artist: str) -> dict[str, Any]:
    track, album = network.get_track_by_mbid(recording), network.get_album_by_mbid(release)
    unknown = []
    for ask in (network.get_track_by_mbid, network.get_album_by_mbid, network.get_artist_by_mbid):
        try:
            ask("00000000-0000-4000-8000-000000000000")
        except pylast.WSError as error:
            unknown.append(str(error.status))
    return {
        "track": [track.title, track.artist.name, track.get_mbid(), track.get_userplaycount()],
        "album": [album.title, album.artist.name, [one.title for one in album.get_tracks()]],
        "artist": network.get_artist_by_mbid(artist).name,
        "unknown": unknown,
    }


def errors(host: str, name: str) -> dict[str, Any]:
    """Web authentication as far as a program can go, and what pylast makes of our refusals."""
    stranger = Here(host, api_key="k" * 32, api_secret="s" * 32)
    generator = pylast.SessionKeyGenerator(stranger)
    way = generator.get_web_auth_url()
    told = {"way": way.split("?")[0].removeprefix(f"http://{host}")}
    for what, ask in (
        ("not_allowed", lambda: generator.get_web_auth_session_key(way)),
        ("wrong_password", lambda: generator.get_session_key(name, "0" * 32)),
        ("private", lambda: stranger.get_user(name).get_playcount()),
        ("no_such_method", stranger.get_top_artists),
    ):
        try:
            ask()
        except pylast.WSError as error:
            told[what] = str(error.status)
    return told


main()
