from __future__ import annotations

import gzip
from datetime import UTC, datetime
from pathlib import Path

import pytest

from sleevenotes import errors, model
from sleevenotes.importers import contract
from tests.unit.importers import reading

HEADER = "ts\tartist\tartist_mbid\talbum\talbum_mbid\ttrack\ttrack_mbid"
QUEEN = "0383dadf-2a4e-4d10-a46a-e9e041da8eb3"
TRACK = "054a6cef-c53a-4ffa-a76e-69d2b8cc7d09"


def read(*rows: str, header: str = HEADER, **options: object) -> list[contract.Item]:
    return reading.items("\n".join([header, *rows]), **options)


def only(*rows: str, header: str = HEADER, **options: object) -> model.Scrobble:
    (found,) = read(*rows, header=header, **options)
    assert isinstance(found, model.Scrobble), found
    return found


def reason(*rows: str, header: str = HEADER, **options: object) -> str:
    (found,) = read(*rows, header=header, **options)
    assert isinstance(found, contract.Skipped), found
    return found.reason


def test_a_row_becomes_a_scrobble() -> None:
    assert only("1559570092\tMassive Attack\t\tHeligoland\t\tBabel\t") == model.Scrobble(
        artist="Massive Attack",
        track="Babel",
        release="Heligoland",
        listened_at=datetime(2019, 6, 3, 13, 54, 52, tzinfo=UTC),
        origin="import",
    )


def test_the_header_decides_the_order_and_the_delimiter() -> None:
    scrobble = only('"Get Up, Stand Up",1559570092,Bob Marley', header="track,ts,artist")
    assert (scrobble.artist, scrobble.track, scrobble.release) == ("Bob Marley", "Get Up, Stand Up", "")


def test_quotes_are_undone_as_the_csv_module_writes_them() -> None:
    assert only('1559570092\tChildish Gambino\t\t"""Awaken, My Love!"""\t\tRedbone\t').release == '"Awaken, My Love!"'


def test_a_stray_quote_does_not_swallow_the_rows_after_it() -> None:
    found = read(
        '1559570092\t"Weird Al" Yankovic\t\t\t\tFat\t',
        '1559570093\t"Oops\t\t\t\tA\t',
        "1559570094\tB\t\t\t\tC\t",
    )
    assert [item.artist for item in found if isinstance(item, model.Scrobble)] == [
        '"Weird Al" Yankovic',
        '"Oops',
        "B",
    ]


def test_only_the_artist_mbid_is_evidence() -> None:
    scrobble = only(f"1559570092\tQueen\t{QUEEN.upper()}\tNews\t{TRACK}\tHelp!\t{TRACK}")
    assert scrobble.evidence == model.Evidence(artist_mbids=(QUEEN,))
    assert scrobble.extra == {"album_mbid": TRACK, "track_mbid": TRACK}


def test_what_is_not_an_mbid_is_no_evidence() -> None:
    assert only("1559570092\tQueen\tnonsense\tNews\t\tHelp!\t").evidence == model.Evidence()


RAW = "ts\tartist\ttrack\traw_artist\traw_track"


def test_raw_names_are_preferred_and_the_corrected_ones_are_kept() -> None:
    scrobble = only("1559570092\tSigur Rós\tStarálfur\tSigur Ros\tStaralfur", header=RAW)
    assert (scrobble.artist, scrobble.track) == ("Sigur Ros", "Staralfur")
    assert scrobble.extra == {"corrected_artist": "Sigur Rós", "corrected_track": "Starálfur"}


def test_corrected_names_are_taken_when_asked_for() -> None:
    scrobble = only("1559570092\tSigur Rós\tStarálfur\tSigur Ros\tStaralfur", header=RAW, raw=False)
    assert (scrobble.artist, scrobble.track) == ("Sigur Rós", "Starálfur")


def test_an_incomplete_raw_pair_is_not_mixed_with_the_corrected_one() -> None:
    scrobble = only("1559570092\tSigur Rós\tStarálfur\tSigur Ros\t", header=RAW)
    assert (scrobble.artist, scrobble.track) == ("Sigur Rós", "Starálfur")


def test_columns_nobody_knows_are_kept() -> None:
    assert only("1559570092\tA\tB\tloved", header="ts\tartist\ttrack\tmood").extra == {"mood": "loved"}


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("1559570092\t\t\t\t\tBabel\t", "artist is empty"),
        ("1559570092\tA\t\t\t\t \t", "track is empty"),
        ("yesterday\tA\t\t\t\tB\t", "not a time in UNIX seconds"),
        ("-5\tA\t\t\t\tB\t", "not a time in UNIX seconds"),
        ("0\tA\t\t\t\tB\t", "before October 2002"),
        ("1559570092000\tA\t\t\t\tB\t", "milliseconds"),
        ("1559570092\tA\tB", "3 fields where the header names 7"),
        ("1559570092\tA\0\t\t\t\tB\t", "NUL"),
    ],
)
def test_a_row_that_cannot_be_a_play_is_skipped_with_its_reason(row: str, words: str) -> None:
    assert words in reason(row)


def test_a_play_that_has_not_happened_yet_is_skipped() -> None:
    until = datetime(2019, 1, 1, tzinfo=UTC)
    assert "future" in reason("1559570092\tA\t\t\t\tB\t", until=until)


@pytest.mark.parametrize(
    ("time", "zone"),
    [
        ("0001-01-01 00:00:00", "Europe/Vienna"),
        ("9999-12-31 23:59:59", "America/New_York"),
        ("0001-01-01T00:00:00+01:00", ""),
    ],
)
def test_a_time_at_the_edge_of_the_calendar_is_one_row_left_out(time: str, zone: str) -> None:
    found = read("A,B,2015-11-02 22:04", f"C,D,{time}", "E,F,2015-11-02 23:04", header="artist,track,date", zone=zone)
    before, left, after = found
    assert isinstance(before, model.Scrobble)
    assert isinstance(after, model.Scrobble)
    reason = f"date {time} is at the edge of the calendar: nothing was played then"
    assert left == contract.Skipped(3, reason, kind=contract.NO_TIME)


def test_a_line_that_is_not_utf8_is_skipped_and_the_others_are_read() -> None:
    data = HEADER.encode() + b"\n1559570092\tBj\xf6rk\t\t\t\tJ\t\n1559570093\tA\t\t\t\tB\t\n"
    skipped, scrobble = reading.items(data)
    assert skipped == contract.Skipped(2, "not UTF-8 text")
    assert isinstance(scrobble, model.Scrobble)


def test_gzip_windows_line_ends_a_byte_order_mark_and_blank_lines_are_read() -> None:
    text = "\ufeffts,artist,track\r\n\r\n1559570092,A,B\r\n"
    (scrobble,) = reading.items(gzip.compress(text.encode()))
    assert isinstance(scrobble, model.Scrobble)
    assert scrobble.track == "B"


def test_a_damaged_gzip_says_where_it_broke() -> None:
    whole = gzip.compress("\n".join([HEADER, *["1559570092\tA\t\t\t\tB\t"] * 9000]).encode())
    with pytest.raises(errors.Refused, match="damaged after line"):
        reading.items(whole[:-20])


def test_a_file_of_no_known_format_is_refused_with_what_is_known() -> None:
    with pytest.raises(errors.Refused, match="ts, artist and track"):
        reading.items(b"\x7fELF not a table")


def test_an_empty_file_is_refused() -> None:
    with pytest.raises(errors.Refused, match="empty"):
        reading.items(b"")


def test_a_table_without_times_names_the_missing_column() -> None:
    with pytest.raises(errors.Refused, match="no column looks like the time"):
        reading.items("artist,track\nA,B\n")


def test_every_row_of_the_real_histories_is_accounted_for(shared_data: Path) -> None:
    for path in sorted((shared_data / "histories").glob("*.tsv.gz")):
        data = path.read_bytes()
        rows = gzip.decompress(data).count(b"\n") - 1
        found = reading.items(data)
        skipped = [item for item in found if isinstance(item, contract.Skipped)]
        assert len(found) == rows, path.name
        assert len(skipped) <= rows * 0.001, skipped[:5]
