"""The invented dump: always the same, as many rows as wanted, and a catalogue like any other."""

from __future__ import annotations

from pathlib import Path

from benches import dumps
from tests.dumps import BUILT

from sleevenotes import catalogue
from sleevenotes.catalogue import build


def test_it_has_as_many_rows_as_wanted_and_each_is_found_with_its_release_group(tmp_path: Path) -> None:
    known = dumps.write(tmp_path / "dump", 3000, 300)
    built = build.build(tmp_path / "dump", tmp_path / catalogue.NAMES, BUILT)
    opened = catalogue.open(tmp_path / catalogue.NAMES)
    assert opened is not None
    found = opened.exact([(each.artist, each.track) for each in known])
    assert (built.recordings, built.release_groups, built.broken, len(known)) == (3000, 3000, 0, 300)
    assert [entry and entry.recording_mbid for entry in found] == [each.mbid for each in known]


def test_it_is_the_same_at_every_run(tmp_path: Path) -> None:
    assert dumps.write(tmp_path / "one", 500, 50) == dumps.write(tmp_path / "two", 500, 50)
    one, two = ({file.name: file.read_bytes() for file in (tmp_path / place).iterdir()} for place in ("one", "two"))
    assert one == two
