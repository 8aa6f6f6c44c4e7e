"""Each service's export, as its exporter writes it."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from sleevenotes import errors, model
from sleevenotes.importers import contract, files, lastfm, registry, spotify
from sleevenotes.matching import sameplay
from tests.unit.importers.reading import MBID, archive, at, format_of, items, plays, skips

# ---------------------------------------------------------------- Last.fm


def test_the_csv_of_ghan_is_last_fms() -> None:
    data = (
        "uts,utc_time,artist,artist_mbid,album,album_mbid,track,track_mbid\n"
        f'"1559570092","03 Jun 2019, 13:54","Massive Attack","{MBID}","Heligoland","","Babel",""\n'
    )
    (play,) = plays(data)
    assert format_of(data) == "lastfm_csv"
    assert (play.artist, play.release, play.track, play.origin) == ("Massive Attack", "Heligoland", "Babel", "lastfm")
    assert play.listened_at == at("2019-06-03 13:54:52")
    assert play.evidence.artist_mbids == (MBID,)
    assert play.extra == {}


def test_the_csv_of_lastfmstats_is_last_fms_with_milliseconds() -> None:
    (play,) = plays('\ufeffArtist;Album;AlbumId;Track;Date#maria\n"Air";"Moon; Safari";"";"Talisman";"1559570092000"\n')
    assert (play.artist, play.release, play.track, play.origin) == ("Air", "Moon; Safari", "Talisman", "lastfm")
    assert play.listened_at == at("2019-06-03 13:54:52")


@pytest.mark.parametrize("time", ["15 Jun 2007 22:30", '"15 Jun 2007, 22:30"'])
def test_the_csv_of_lastfm_to_csv_has_no_header(time: str) -> None:
    data = f"Radiohead,OK Computer,Lucky,{time}\nRadiohead,,Just,15 Jun 2007 22:35\nRadiohead,,Just,\n"
    first, second, third = items(data)
    assert isinstance(first, model.Scrobble)
    assert isinstance(second, model.Scrobble)
    assert (first.artist, first.release, first.track) == ("Radiohead", "OK Computer", "Lucky")
    assert (first.listened_at, first.origin, second.release) == (at("2007-06-15 22:30"), lastfm.MINUTES_ORIGIN, "")
    assert third == contract.Skipped(3, "time is empty", kind=contract.NO_TIME)


def test_the_csv_of_lastfm_to_csv_may_have_one() -> None:
    (play,) = plays("artist,album,name,date\nRadiohead,OK Computer,Lucky,15 Jun 2007 22:30\n", origin="lastfm")
    assert (play.track, play.listened_at, play.origin) == ("Lucky", at("2007-06-15 22:30"), "lastfm")


TRACK: dict[str, Any] = {
    "artist": {"mbid": MBID, "#text": "Air"},
    "name": "Talisman",
    "mbid": "",
    "album": {"mbid": "", "#text": "Moon Safari"},
    "image": [{"size": "small", "#text": "https://img/34.png"}, {"size": "large", "#text": "https://img/174.png"}],
    "date": {"uts": "1559570092", "#text": "03 Jun 2019, 13:54"},
}
NOW = {"artist": {"name": "Air"}, "name": "La femme d'argent", "@attr": {"nowplaying": "true"}}
STAR = {**TRACK, "image": [{"size": "large", "#text": "https://img/2a96cbd8b46e442fc41c2b86b821562f.png"}]}


@pytest.mark.parametrize(
    "document",
    [
        {"recenttracks": {"@attr": {"page": "1"}, "track": [TRACK]}},
        {"recenttracks": {"track": TRACK, "@attr": {"total": "1"}}},
        [{"track": [TRACK], "@attr": {}}],
        [[TRACK]],
        [{"recenttracks": {"track": TRACK}}],
        [TRACK],
    ],
    ids=["a reply", "a reply of one", "pages", "bare pages", "replies", "a list"],
)
def test_last_fms_json_is_read_however_its_tracks_are_wrapped(document: Any) -> None:
    (play,) = plays(json.dumps(document, indent=1))
    assert play == model.Scrobble(
        artist="Air",
        track="Talisman",
        release="Moon Safari",
        listened_at=at("2019-06-03 13:54:52"),
        origin="lastfm",
        artwork_uri="https://img/174.png",
        evidence=model.Evidence(artist_mbids=(MBID,)),
    )


def test_what_is_playing_now_and_last_fms_star_are_nothing_and_loved_tracks_are_loved() -> None:
    now, star, love = items(json.dumps([{"track": [NOW, {**STAR, "loved": "1"}]}]))
    assert isinstance(now, contract.Skipped)
    assert (now.line, now.unit, now.kind) == (1, "item", contract.NO_TIME)
    assert isinstance(star, model.Scrobble)
    assert star.artwork_uri == ""
    assert love == contract.Feedback("Air", "Talisman", 1)


def test_the_json_of_lastfmstats_is_last_fms() -> None:
    document = {"username": "maria", "scrobbles": [{"track": "Just", "artist": "Radiohead", "date": 1559570092000}]}
    (play,) = plays(json.dumps(document))
    assert (play.artist, play.track, play.listened_at) == ("Radiohead", "Just", at("2019-06-03 13:54:52"))


# ---------------------------------------------------------------- ListenBrainz


def listen(**info: Any) -> dict[str, Any]:
    return {
        "listened_at": 1559570092,
        "inserted_at": 1559570093.5,
        "track_metadata": {
            "artist_name": "Air",
            "track_name": "Talisman",
            "release_name": "Moon Safari",
            "recording_msid": "ms-1",
            "mbid_mapping": {"recording_mbid": "rec-1"},
            "additional_info": {"recording_msid": "ms-1", **info},
        },
    }


def test_a_listen_is_what_its_client_sent() -> None:
    told = listen(duration_ms=254_000, tracknumber="4", recording_mbid=MBID.upper(), media_player="mpd", mood="calm")
    (play,) = plays(json.dumps(told) + "\n")
    assert play == model.Scrobble(
        artist="Air",
        track="Talisman",
        release="Moon Safari",
        listened_at=at("2019-06-03 13:54:52"),
        duration_ms=254_000,
        source_app="mpd",
        origin="listenbrainz",
        evidence=model.Evidence(recording_mbid=MBID, track_number=4),
        extra={"media_player": "mpd", "mood": "calm"},
    )


def test_listenbrainz_zip_brings_listens_in_order_and_its_feedback_is_understood_by_them() -> None:
    word = {"recording_msid": "ms-1", "recording_mbid": None, "score": -1, "created": 1700000000}
    stranger = {"recording_msid": "elsewhere", "score": 1}
    second = listen() | {"listened_at": 1559570400}
    data = archive(
        {
            "user.json": '{"user_id": 1, "username": "maria"}',
            "feedback.jsonl": "\n".join(map(json.dumps, (word, stranger))),
            "listens/2019/10.jsonl": json.dumps(second),
            "listens/2019/9.jsonl": json.dumps(listen()) + "\n" + '{"listened_at": 1}\n',
            "__MACOSX/._user.json": "litter",
        }
    )
    user, first, bad, other, hated, unknown = items(data)
    assert isinstance(user, contract.Skipped)
    assert (user.file, user.unit, user.kind) == ("user.json", "file", contract.FOREIGN)
    assert isinstance(first, model.Scrobble)
    assert isinstance(other, model.Scrobble)
    assert bad == contract.Skipped(2, "no track_metadata", "listens/2019/9.jsonl")
    assert (first.listened_at, other.listened_at) == (at("2019-06-03 13:54:52"), at("2019-06-03 14:00"))
    assert hated == contract.Feedback("Air", "Talisman", -1, datetime.fromtimestamp(1700000000, UTC))
    assert isinstance(unknown, contract.Skipped)
    assert unknown.place == "feedback.jsonl, line 2"


@pytest.mark.parametrize(
    "document", [[listen()], {"payload": {"count": 1, "listens": [listen()]}}, {"payload": [listen()]}]
)
def test_listens_in_one_json_document_are_read_too(document: Any) -> None:
    for text in (json.dumps(document), json.dumps(document, indent=2)):
        (play,) = plays(text)
        assert (play.artist, play.origin) == ("Air", "listenbrainz")


# ---------------------------------------------------------------- Spotify


def stream(**told: Any) -> dict[str, Any]:
    return {
        "ts": "2022-06-17T19:53:06Z",
        "username": "maria",
        "platform": "android",
        "ms_played": 227_451,
        "ip_addr": "192.0.2.1",
        "master_metadata_track_name": "Heroes",
        "master_metadata_album_artist_name": "David Bowie",
        "master_metadata_album_album_name": "“Heroes”",
        "spotify_track_uri": "spotify:track:7Jh1bpe76CNTCgdgAdBw4Z",
        "episode_name": None,
        "reason_start": "trackdone",
        "reason_end": "trackdone",
        "incognito_mode": False,
        **told,
    }


def test_two_exports_of_one_service_are_origins_of_one_clock() -> None:
    assert {spotify.ORIGIN, spotify.BRIEF_ORIGIN} in sameplay.ONE_CLOCK
    assert {lastfm.ORIGIN, lastfm.MINUTES_ORIGIN} in sameplay.ONE_CLOCK
    assert lastfm.MINUTES_ORIGIN in sameplay.TO_THE_MINUTE


def test_a_stream_of_spotify_began_as_long_before_as_it_was_played() -> None:
    (play,) = plays(json.dumps([stream()]))
    assert play == model.Scrobble(
        artist="David Bowie",
        track="Heroes",
        release="“Heroes”",
        listened_at=at("2022-06-17 19:49:18.549"),
        duration_ms=227_451,
        source_app="Spotify",
        source_device="android",
        origin="spotify",
        extra={
            "ms_played": 227_451,
            "spotify_track_uri": "spotify:track:7Jh1bpe76CNTCgdgAdBw4Z",
            "reason_start": "trackdone",
            "reason_end": "trackdone",
        },
    )


def test_how_long_a_track_is_is_known_only_where_it_was_played_to_its_end() -> None:
    (play,) = plays(json.dumps([stream(reason_end="fwdbtn", ms_played=90_000)]))
    assert (play.duration_ms, play.extra["ms_played"]) == (None, 90_000)


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ({"ms_played": 29_999, "reason_end": "fwdbtn"}, contract.SHORT),
        ({"ms_played": 0}, contract.SHORT),
        ({"episode_name": "Episode 1", "master_metadata_track_name": None}, contract.NO_MUSIC),
        ({"audiobook_title": "Emma"}, contract.NO_MUSIC),
        ({"master_metadata_track_name": None}, contract.UNNAMED),
        ({"ms_played": None}, contract.UNREADABLE),
        ({"ts": "soon"}, contract.NO_TIME),
    ],
)
def test_streams_that_do_not_count_are_left_out_with_the_reason(told: dict[str, Any], kind: str) -> None:
    _, left = items(json.dumps([stream(), stream(**told)]))
    assert isinstance(left, contract.Skipped)
    assert (left.line, left.unit, left.kind) == (2, "item", kind)


def test_which_streams_count_is_adjustable_and_a_track_played_to_its_end_always_does() -> None:
    brief, interlude = stream(ms_played=45_000, reason_end="fwdbtn"), stream(ms_played=12_000)
    data = json.dumps([brief, interlude, stream(incognito_mode=True)])
    assert len(plays(data)) == 3
    strict = items(data, min_played_s=60, private=False)
    assert [isinstance(item, model.Scrobble) for item in strict] == [False, True, False]
    assert [item.kind for item in strict if isinstance(item, contract.Skipped)] == [contract.SHORT, contract.PRIVATE]


def test_spotifys_zip_is_read_file_by_file_and_its_videos_are_left_out() -> None:
    inside: dict[str, str | bytes] = {
        "my_spotify_data/Streaming_History_Audio_2022_0.json": json.dumps([stream()]),
        "my_spotify_data/Streaming_History_Video_2022.json": json.dumps([stream(ts="2022-06-18T10:00:00Z")]),
        "my_spotify_data/ReadMeFirst.pdf": b"%PDF-1.4",
    }
    pdf, play, video = items(archive(inside))
    assert isinstance(pdf, contract.Skipped)
    assert isinstance(play, model.Scrobble)
    assert isinstance(video, contract.Skipped)
    assert (video.place, video.kind) == ("my_spotify_data/Streaming_History_Video_2022.json, item 1", contract.NO_MUSIC)


def test_an_archive_that_was_unpacked_is_read_from_its_directory(tmp_path: Path) -> None:
    for number in (10, 9):
        path = tmp_path / "my_spotify_data" / f"Streaming_History_Audio_{number}.json"
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps([stream(master_metadata_track_name=str(number))]))
    with files.Upload(tmp_path) as upload:
        found = list(registry.read(registry.plan(upload), contract.Options()))
    assert [item.track for item in found if isinstance(item, model.Scrobble)] == ["9", "10"]


def test_the_account_data_of_spotify_tell_less() -> None:
    brief = {"endTime": "2022-12-05 16:52", "artistName": "Air", "trackName": "Talisman", "msPlayed": 152_293}
    (play,) = plays(json.dumps([brief]))
    assert (play.listened_at, play.duration_ms) == (at("2022-12-05 16:49:27.707"), None)
    (left,) = skips(json.dumps([{**brief, "msPlayed": 1000}]))
    assert left.reason == "played for 1 s, less than 30 s"


# ---------------------------------------------------------------- whatever comes


def test_gzip_is_undone_whatever_is_in_it() -> None:
    assert len(plays(gzip.compress(json.dumps([stream()]).encode()))) == 1


def test_an_item_that_cannot_be_stored_spoils_no_other() -> None:
    good = json.dumps(stream())
    data = b"[" + good.encode() + b"," + good.replace("Heroes", "He\\u0000roes").encode()
    data += b"," + good.encode().replace(b'"Heroes"', b'"H\xe9ros"') + b"," + good.replace("Heroes", "\\ud800").encode()
    assert [item.reason for item in items(data + b"]") if isinstance(item, contract.Skipped)] == [
        "holds a NUL character",
        "not UTF-8 text",
        "not UTF-8 text",
    ]


def test_a_file_that_ends_too_soon_says_where_it_broke() -> None:
    data = json.dumps([stream(), stream()])
    with pytest.raises(errors.Refused, match="not JSON after item 1"):
        items(data[:-40])


def test_items_are_read_across_the_edges_of_what_is_read_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sleevenotes.importers.jsonitems.CHUNK", 7)
    assert len(plays(json.dumps([stream(), stream(), stream()], ensure_ascii=False, indent=2))) == 3


def test_a_small_file_that_unpacks_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "MAX_UNPACKED", 1_000_000)
    table = "ts,artist,track\n" + "1559570092,A,B\n" * 200_000
    with pytest.raises(errors.Refused, match="unpacks to more than"):
        items(gzip.compress(table.encode()))
    with pytest.raises(errors.Refused, match="unpacks to more than"):
        items(archive({"plays.csv": table}))


def test_a_damaged_archive_and_one_without_a_history_are_refused() -> None:
    whole = archive({"a.json": json.dumps([stream()])})
    with pytest.raises(errors.Refused, match="cannot be read"):
        items(whole[: len(whole) // 2])
    with pytest.raises(errors.Refused, match=r"holds notes\.txt, todo\.txt"):
        items(archive({"notes.txt": "milk", "todo.txt": "bread"}))
