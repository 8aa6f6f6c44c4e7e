"""How the benchmark of `enrich` judges a file that came out, and what it builds the catalogue of."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from pathlib import Path

from benches import enrich

from sleevenotes import catalogue
from sleevenotes.catalogue import build, dump
from sleevenotes.simulator import world

WORLD = """id,artist_credit_id,artist_mbids,artist_credit_name,release_mbid,release_name,recording_mbid,recording_name,combined_lookup,score
1,1,1c4b9280-7bee-4fdd-8886-daa627d471a0,Air,a604fcfe-f8ab-58f4-b725-db090bc0a8c4,Moon Safari,57ea1128-e22e-4c30-8922-1730e80e905f,Remember,airremember,1
2,1,1c4b9280-7bee-4fdd-8886-daa627d471a0,Air,a604fcfe-f8ab-58f4-b725-db090bc0a8c4,Moon Safari,57ea1128-e22e-4c30-8922-1730e80e9060,All I Need,airallineed,2
"""  # noqa: E501 - rows of a CSV


def world_of(tmp_path: Path) -> tuple[Path, world.World]:
    path = tmp_path / "world.csv"
    path.write_text(WORLD, "utf-8")
    return path, world.World.from_csv(path)


def test_only_the_true_recording_is_correct_and_what_the_world_does_not_know_is_not_judged(tmp_path: Path) -> None:
    _, true = world_of(tmp_path)
    truth = true.truth("Air", "Remember", "Moon Safari")
    assert truth is not None
    out = tmp_path / "out.tsv"
    rows = [
        ("Air", "Remember", "Moon Safari", "enriched", truth.recording_mbid, truth.release_group_mbid),
        ("Air", "Remember", "Moon Safari", "enriched", truth.recording_mbid, "another"),
        ("Air", "All I Need", "Moon Safari", "enriched", truth.recording_mbid, truth.release_group_mbid),
        ("Air", "Run", "Talkie Walkie", "enriched", "whatever", ""),
        ("Air", "Remember", "Moon Safari", "pending", "", ""),
    ]
    with out.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter="\t")
        writer.writerow(["artist", "track", "album", "sn_status", "sn_recording_mbid", "sn_release_group_mbid"])
        writer.writerows(rows)
    assert enrich._judge(out, true) == enrich.Judged(matched=4, untold=1, correct=2, right_album=1, wrong=1)


def test_the_catalogue_that_is_built_knows_the_worlds_names_with_their_release_groups(tmp_path: Path) -> None:
    path, true = world_of(tmp_path)
    made = enrich._dump(tmp_path / "dump", path, true)
    assert {each.name for each in made.iterdir()} == {dump.RECORDINGS, dump.RELEASE_REDIRECTS}
    build.build(made, tmp_path / catalogue.NAMES, datetime(2026, 1, 1, tzinfo=UTC))
    opened = catalogue.open(tmp_path / catalogue.NAMES)
    assert opened is not None
    [entry] = opened.exact([("air", "REMEMBER")])
    truth = true.truth("Air", "Remember", "Moon Safari")
    assert truth is not None
    assert entry is not None
    assert (entry.recording_mbid, entry.release_group_mbid) == (truth.recording_mbid, truth.release_group_mbid)
    opened.close()
