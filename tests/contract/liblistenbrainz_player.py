"""A player that speaks through liblistenbrainz: makes every call that we serve, and prints what it saw as JSON.

Run by test_liblistenbrainz.py as a program of its own; never imported. Combined with that library, which is GPL-3,
this script is under GPL-3 too; alone it is under the project's licence. See docs/decisions/0003.

Usage: liblistenbrainz_player.py BASE_URL TOKEN USER FIRST_SECOND
"""

from __future__ import annotations

import json
import sys

from liblistenbrainz import Listen, ListenBrainz


def statistics(client: ListenBrainz, user: str) -> dict[str, object]:
    artists = client.get_user_artists(user)["payload"]
    recordings = client.get_user_recordings(user, count=50, time_range="all_time")["payload"]
    top = recordings["recordings"][0]
    releases = client.get_user_releases(user)["payload"]["releases"]
    groups = client.get_user_release_groups(user)["payload"]["release_groups"]
    return {
        "artists": [[one["artist_name"], one["listen_count"]] for one in artists["artists"]],
        "recordings": [top["artist_name"], top["listen_count"], recordings["total_recording_count"]],
        "releases": [[one["release_name"], one["listen_count"]] for one in releases],
        "release_groups": [[one["release_group_name"], one["listen_count"]] for one in groups],
        "this_month": client.get_user_artists(user, time_range="this_month"),
    }


def main() -> None:
    base, token, user, first = *sys.argv[1:4], int(sys.argv[4])
    client = ListenBrainz(base)
    client.set_auth_token(token)  # checks it with the server
    client.submit_playing_now(Listen(track_name="Olson", artist_name="Boards of Canada"))
    client.submit_single_listen(
        Listen(
            track_name="Roygbiv",
            artist_name="Boards of Canada",
            release_name="Music Has the Right to Children",
            listened_at=first,
            recording_mbid="0e7a7c6e-3c4a-4ccb-8c2e-0d5c2f3b9a11",
            listening_from="Tauon",
            tags=["idm"],
            tracknumber=11,
        )
    )
    batch = [
        Listen(track_name=f"track {i}", artist_name="Boards of Canada", listened_at=first + i) for i in range(1, 101)
    ]
    client.submit_multiple_listens(batch)
    client.submit_multiple_listens(batch)
    newest = client.get_listens(user, count=5)
    client.delete_listen(newest[0])
    oldest = client.get_listens(user, max_ts=first + 1)
    now = client.get_playing_now(user)
    client.submit_user_feedback(1, oldest[0].recording_mbid)
    loved = client.get_user_feedback(user, score=1, metadata=True)["feedback"]
    hated = client.get_user_feedback(user, score=-1, metadata=True)
    seen = {
        "count": client.get_user_listen_count(user),
        "newest": [listen.track_name for listen in newest],
        "after_deletion": [listen.track_name for listen in client.get_listens(user, count=1)],
        "oldest": [oldest[0].track_name, oldest[0].recording_mbid, oldest[0].listening_from, oldest[0].tags],
        "now": now.track_name if now else None,
        "loved": [[one["track_metadata"]["track_name"], one["score"]] for one in loved],
        "hated": [hated["total_count"], hated["feedback"]],
        **statistics(client, user),
    }
    sys.stdout.write(json.dumps(seen))


main()
