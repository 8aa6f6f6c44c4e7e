"""How rightly names are matched, ours beside the peers' methods, on the same candidates.

    make bench B=matching [CASES=file] [WORLD=catalogue.csv.gz] [ARGS="--list 50 --only corrections"]

Of each set: `SET_precision`, right of those chosen; `SET_recall`, right of those that have something right;
`SET_abstention`, not chosen of all; `SET_wrong`, `SET_cases`; `SET_block_recall`, how often something right is among
the candidates at all. The same with a peer's name between: `SET_beets_precision`. Where nothing is chosen, or
nothing can be right, a share is null. Wrong choices of ours are listed; `--missed` lists what we abstain from.

Ours is `sleevenotes.matching.decide.decide`. The candidates come from `benches.matching_search`, or from the case.
Sets and CASES: `benches.matching_cases`; title clean-up: `benches.matching_titles`; in words:
docs/reference/benchmarks.md.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import time
from collections.abc import Iterator, Sequence
from concurrent import futures
from pathlib import Path
from typing import NamedTuple

from benches import common, matching_cases, matching_peers, matching_search, matching_titles
from sleevenotes.matching import decide

_PEERS = matching_peers.methods()
_FORK = multiprocessing.get_context("fork")
_SEARCH = matching_search.Search(())


class Outcome(NamedTuple):
    """What each method chose of one case's candidates; "" for nothing."""

    case: matching_cases.Case
    findable: bool
    chosen: dict[str, str]
    said: str  # ours, in words


def main() -> None:
    options = _arguments()
    print(common.machine(), flush=True)
    started = time.monotonic()
    figures: dict[str, object] = {}
    for material in (_sampled(each, options.sample) for each in _sets(options)):
        if options.only and options.only not in material.name:
            continue
        begun = time.monotonic()
        outcomes = _outcomes(material)
        figures |= _figures(material, outcomes) | {f"{material.name}_s": round(time.monotonic() - begun, 1)}
        _report(material, outcomes, options)
    figures |= matching_titles.figures(_fixtures(options))
    print(json.dumps(figures | {"seconds": round(time.monotonic() - started, 1)}))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=Path, help="a file of cases instead of the shared material")
    parser.add_argument("--world", type=Path, default=common.shared_data() / "catalogue" / "world.csv.gz")
    parser.add_argument("--history", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--sample", type=int, default=3000, help="of a history at most so many names; 0: all")
    parser.add_argument("--only", default="", help="only sets whose name contains this")
    parser.add_argument("--list", type=int, default=1000, help="how many wrong choices are listed, of each set")
    parser.add_argument("--missed", type=int, default=0, help="how many abstentions are listed, of each set")
    return parser.parse_args()


def _sets(options: argparse.Namespace) -> Iterator[matching_cases.Set]:
    if options.cases:
        yield from matching_cases.read(options.cases, options.world)
        return
    yield matching_cases.golden(matching_cases.golden_files())
    for path in ("multi_scrobbler_cases.json", "lastfm_corrections.tsv.gz", "musicbrainz20k_dirty.tsv.gz"):
        yield from _read(common.shared_data() / "matching" / path, options)
    yield from _read(common.shared_data() / "histories" / "public_domain_2005_2012.tsv.gz", options)


def _sampled(material: matching_cases.Set, most: int) -> matching_cases.Set:
    """Take every so-manieth name of a history; of other sets all."""
    if not (most and "added_names" in material.notes and len(material.cases) > most):
        return material
    step = -(-len(material.cases) // most)
    notes = {**material.notes, "of_names": len(material.cases)}
    return material._replace(cases=material.cases[::step], notes=notes)


def _read(path: Path, options: argparse.Namespace) -> list[matching_cases.Set]:
    if path.exists():
        return matching_cases.read(path, options.world)
    common.say(f"skipped: {path.name} is not there")
    return []


def _fixtures(options: argparse.Namespace) -> Path:
    return options.cases or common.shared_data() / "matching" / "metadata_filter_fixtures.json"


# ---------------------------------------------------------------- deciding, in two processes


def _outcomes(material: matching_cases.Set) -> list[Outcome]:
    """Decide all cases; the machine's cores share them."""
    global _SEARCH  # noqa: PLW0603 - what forked processes see of their parent
    _SEARCH = matching_search.Search(material.catalogue)
    if len(material.cases) < 500:
        return list(map(_outcome, material.cases))
    with futures.ProcessPoolExecutor(min(2, os.cpu_count() or 1), mp_context=_FORK) as pool:
        return list(pool.map(_outcome, material.cases, chunksize=100))


def _outcome(case: matching_cases.Case) -> Outcome:
    candidates = case.options if case.options is not None else _SEARCH.near(case.asked, case.hidden)
    decision = decide.decide(case.asked, candidates)
    chosen = {"": decision.match.recording.mbid if isinstance(decision, decide.Chosen) else ""}
    chosen |= {name: method(case.asked, candidates) for name, method in _PEERS.items()}
    findable = any(one.recording.mbid in case.expected for one in candidates)
    return Outcome(case, findable, chosen, _said(decision))


def _said(decision: decide.Decision) -> str:
    if not isinstance(decision, decide.Chosen):
        return decision.reason
    recording = decision.match.recording
    why = "; ".join(f"{one.name} {one.weight}" for one in decision.match.penalties)
    return f"{recording.artist_credit.name} | {recording.title} ({decision.match.distance}: {why})"


# ---------------------------------------------------------------- figures


def _figures(material: matching_cases.Set, outcomes: Sequence[Outcome]) -> dict[str, object]:
    name = material.name
    answerable = sum(bool(one.case.expected) for one in outcomes)
    figures: dict[str, object] = {f"{name}_cases": len(outcomes)}
    figures[f"{name}_block_recall"] = common.share(sum(one.findable for one in outcomes), answerable)
    figures |= {f"{name}_{what}": value for what, value in material.notes.items()}
    for method in ("", *_PEERS):
        chosen = [(one.chosen[method], one.case.expected) for one in outcomes if one.chosen[method]]
        right = sum(mbid in expected for mbid, expected in chosen)
        prefix = f"{name}_{method}_" if method else f"{name}_"
        figures[f"{prefix}precision"] = common.share(right, len(chosen))
        figures[f"{prefix}recall"] = common.share(right, answerable)
        figures[f"{prefix}abstention"] = common.share(len(outcomes) - len(chosen), len(outcomes))
        figures[f"{prefix}wrong"] = len(chosen) - right
    return figures


def _report(material: matching_cases.Set, outcomes: Sequence[Outcome], options: argparse.Namespace) -> None:
    figures = _figures(material, outcomes)
    print(f"\n{material.name}: {len(outcomes)} cases, block recall {figures[f'{material.name}_block_recall']}")
    for method in ("", *_PEERS):
        prefix = f"{material.name}_{method}_" if method else f"{material.name}_"
        told = "  ".join(f"{what} {figures[prefix + what]}" for what in ("precision", "recall", "abstention", "wrong"))
        print(f"  {method or 'sleevenotes':14}{told}")
    wrong = [one for one in outcomes if one.chosen[""] and one.chosen[""] not in one.case.expected]
    missed = [one for one in outcomes if not one.chosen[""] and one.case.expected]
    for what, listed, most in (("wrong", wrong, options.list), ("missed", missed, options.missed)):
        for one in listed[:most]:
            asked = one.case.asked
            lost = "" if one.findable or what == "wrong" else " [not among the candidates]"
            print(f"  {what}: {asked.artist} | {asked.track} | {asked.release}{lost}")
            print(f"      is {one.case.means or 'nothing'}\n      {one.said}", flush=True)


if __name__ == "__main__":
    main()
