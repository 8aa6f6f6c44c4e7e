"""What Maloja exports, portable players log, and tables of plays from anywhere."""

from __future__ import annotations

import json

import pytest

from sleevenotes import errors, model
from sleevenotes.importers import contract
from tests.unit.importers.reading import MBID, archive, at, items, plays, skips


def test_malojas_export_keeps_its_artists() -> None:
    track = {"artists": ["Air", "Beth Hirsch"], "title": "You Make It Easy", "album": {"albumtitle": "Moon Safari"}}
    scrobble = {"time": 1559570092, "track": {**track, "length": 241}, "duration": 200, "origin": "client:phone"}
    data = json.dumps(
        {"maloja": {"export_time": 1}, "scrobbles": [scrobble, {"time": 5, "track": {**track}}]}, indent=3
    )
    play, left = items(data)
    assert isinstance(play, model.Scrobble)
    assert (play.artist, play.track, play.release) == ("Air, Beth Hirsch", "You Make It Easy", "Moon Safari")
    assert (play.duration_ms, play.origin) == (241_000, "maloja")
    assert play.extra["artists"] == ["Air", "Beth Hirsch"]
    assert isinstance(left, contract.Skipped)
    assert left.kind == contract.NO_TIME


LOG = "#AUDIOSCROBBLER/1.1\n#TZ/{}\n#CLIENT/Rockbox h3xx 1.1\nAir\tMoon Safari\tTalisman\t4\t254\t{}\t1559570092\t{}\n"


def test_a_players_log_is_read_in_its_time_zone() -> None:
    (play,) = plays(LOG.format("UTC", "L", MBID))
    assert (play.listened_at, play.duration_ms) == (at("2019-06-03 13:54:52"), 254_000)
    assert (play.source_app, play.origin) == ("Rockbox h3xx 1.1", "rockbox")
    assert play.evidence == model.Evidence(recording_mbid=MBID, track_number=4)
    (wall,) = plays(LOG.format("UNKNOWN", "L", ""), zone="Europe/Vienna")
    assert wall.listened_at == at("2019-06-03 11:54:52")


def test_an_artist_whose_name_begins_like_a_header_is_read() -> None:
    data = LOG.format("UTC", "L", MBID) + "#1 Dads\tTake One\tSo Soldier\t2\t180\tL\t1559570592\t\n# a remark\n"
    dads = plays(data)[1]
    assert (dads.artist, dads.track, dads.source_app) == ("#1 Dads", "So Soldier", "Rockbox h3xx 1.1")


def test_what_a_player_skipped_is_left_out() -> None:
    (left,) = skips(LOG.format("UTC", "S", ""))
    assert (left.line, left.kind) == (4, contract.SKIPPED)


def test_a_tables_columns_are_guessed_or_said() -> None:
    data = "Song Title,Performer,Played At,Length\nTalisman,Air,2019-06-03 15:54:52,4:14\n"
    (play,) = plays(data, zone="Europe/Vienna", origin="spotify")
    assert (play.artist, play.track, play.listened_at) == ("Air", "Talisman", at("2019-06-03 13:54:52"))
    assert (play.duration_ms, play.origin) == (254_000, "spotify")
    (said,) = plays("a,b,c\nAir,Talisman,1559570092\n", artist="a", track="b", time="c")
    assert (said.artist, said.track, said.listened_at) == ("Air", "Talisman", at("2019-06-03 13:54:52"))


@pytest.mark.parametrize(
    ("duration", "milliseconds"),
    [("254", 254_000), ("4:14", 254_000), ("7200", 7_200_000), ("200000", 200_000), ("254.5", 254_500), ("-1", None)],
)
def test_a_duration_is_in_seconds_or_as_its_size_tells_in_milliseconds(duration: str, milliseconds: int | None) -> None:
    (play,) = plays(f"artist,track,timestamp,duration\nAir,Talisman,1600018000,{duration}\n")
    assert play.duration_ms == milliseconds


def test_durations_are_in_the_unit_of_most_of_them_but_none_is_longer_than_a_day() -> None:
    in_milliseconds = [254_000, 40_000, 180_000]  # one of them an interlude
    for lengths, read in ((in_milliseconds, in_milliseconds), ([254, 200_000, 180], [254_000, 200_000, 180_000])):
        rows = [f"Air,Track {number},{1600018000 + number},{length}" for number, length in enumerate(lengths)]
        found = plays("\n".join(["artist,track,timestamp,duration", *rows]))
        assert [play.duration_ms for play in found] == read


WHO = {"artist": "who", "track": "song", "time": "moment"}
WHO_TABLE = "who,song,moment\n{},Talisman,2015-11-02 22:04\n"


def test_columns_that_are_said_are_those_of_every_file_that_has_them() -> None:
    inside = {"README.txt": "see plays", "p1.csv": WHO_TABLE.format("Air"), "p2.csv": WHO_TABLE.format("Zero 7")}
    left, first, second = items(archive(inside), **WHO)
    assert left == contract.Skipped(0, "not a file of a table of plays", "README.txt", contract.FOREIGN, "file")
    assert isinstance(first, model.Scrobble)
    assert isinstance(second, model.Scrobble)
    assert (first.artist, second.artist) == ("Air", "Zero 7")


def test_a_column_that_no_file_has_is_told_with_the_file_that_looks_like_a_table() -> None:
    inside = {"README.txt": "see plays", "p1.csv": WHO_TABLE.format("Air")}
    with pytest.raises(errors.Refused, match=r"p1\.csv: artist: there is no column 'whom'. Columns: who, song, moment"):
        items(archive(inside), **{**WHO, "artist": "whom"})
    with pytest.raises(errors.Refused, match=r"p1\.csv: no column looks like the artist"):
        items(archive(inside))


def test_a_day_and_a_time_beside_it_belong_together() -> None:
    (play,) = plays("date,time,artist,track\n2021-04-01,10:42:53,PRO8L3M,Backstage\n")
    assert play.listened_at == at("2021-04-01 10:42:53")


def test_a_table_that_names_no_artist_says_so() -> None:
    with pytest.raises(errors.Refused, match=r"looks like the artist.*Song Name, Event Start"):
        items("Song Name,Event Start Timestamp\nTalisman,2019-06-03T13:54:52Z\n")
