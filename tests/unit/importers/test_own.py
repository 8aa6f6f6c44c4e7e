"""Our own exports, read back, also once a spreadsheet has saved them."""

from __future__ import annotations

import csv
import io

import pytest

from sleevenotes import model
from sleevenotes.importers import contract, own
from tests.unit.importers.reading import format_of, items

OWN_HEADER = ",".join(own.COLUMNS)


def own_row(**told: str) -> str:
    """Return a row of our own CSV."""
    row = {"artist": "Air", "track": "Talisman", "listened_at": "2019-06-03T13:54:52+00:00", "origin": "lastfm", **told}
    return ",".join(row.get(name, "") for name in own.COLUMNS)


@pytest.mark.parametrize("time", ["0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-05:00"])
def test_an_export_of_ours_brings_no_play_that_no_page_could_show(time: str) -> None:
    left, play = items("\n".join([OWN_HEADER, own_row(listened_at=time), own_row()]))
    assert isinstance(left, contract.Skipped)
    assert (left.line, left.kind) == (2, contract.NO_TIME)
    assert isinstance(play, model.Scrobble)


def as_a_spreadsheet_saves(data: str, delimiter: str, *, quoted: bool = False) -> str:
    """Return a CSV as another program writes it: with a byte order mark, its own delimiter, Windows' line ends."""
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL if quoted else csv.QUOTE_MINIMAL)
    writer.writerows(csv.reader(io.StringIO(data)))
    return "\ufeff" + text.getvalue()


@pytest.mark.parametrize(("delimiter", "quoted"), [(",", False), (";", False), ("\t", False), (",", True)])
def test_our_csv_is_known_again_once_a_spreadsheet_has_saved_it(delimiter: str, quoted: bool) -> None:
    hidden = {"same_as_listened_at": "2019-06-03T13:54:52+00:00", "same_as_artist": "Air", "same_as_track": "Talisman"}
    told = {"origin": "spotify", "extra": '"{""mood"":""calm"",""n"":7}"', "artist": '"Air; live, in Rome"', **hidden}
    data = "\n".join([OWN_HEADER, own_row(), own_row(**told)])
    saved = as_a_spreadsheet_saves(data, delimiter, quoted=quoted)
    assert format_of(saved) == "sleevenotes"
    assert items(saved) == items(data)
    shown, other = items(saved)
    assert isinstance(shown, model.Scrobble)
    assert isinstance(other, contract.Hidden)
    assert (other.scrobble.artist, other.scrobble.extra) == ("Air; live, in Rome", {"mood": "calm", "n": 7})


def test_a_damaged_row_of_our_csv_is_left_out_and_the_others_are_read() -> None:
    longer, stray = own_row() + ",more", own_row(artist='"Weird Al" Yankovic')
    first, long, short, quoted, last = items("\n".join([OWN_HEADER, own_row(), longer, "Air", stray, own_row()]) + "\n")
    assert isinstance(first, model.Scrobble)
    assert isinstance(last, model.Scrobble)
    count = len(own.COLUMNS)
    assert long == contract.Skipped(3, f"{count + 1} fields where the header names {count}")
    assert short == contract.Skipped(4, f"1 fields where the header names {count}")
    assert isinstance(quoted, contract.Skipped)
    assert (quoted.line, "is not CSV" in quoted.reason) == (5, True)
