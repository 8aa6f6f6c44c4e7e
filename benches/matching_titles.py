"""Title clean-up beside metadata-filter's fixtures: what Web Scrobbler's rules make of a title, and ours.

`titles_share` is the share of the fixtures we agree with, of those where their rule and ours pursue the same aim.
Theirs makes a title to scrobble, ours one to compare: they throw away which version was played, we never do. Those
fixtures are listed with the reason (`titles_other_aim` counts them).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from benches import common
from sleevenotes import names
from sleevenotes.matching import readings, titles

_LIVE = "a live recording is another recording"
_VERSION = "another version is another recording"
_UNKNOWN = "words that no vocabulary explains are kept: they may name a version"
_OTHER_AIMS = (
    (re.compile(r"^filters/spotify|remove-live"), re.compile(r""), _LIVE),
    (re.compile(r"youtube"), re.compile(r"\((?:live|en vivo)\b", re.IGNORECASE), _LIVE),
    (re.compile(r"remove-version"), re.compile(r"rerecorded|\(edit\)", re.IGNORECASE), _VERSION),
    (re.compile(r"youtube"), re.compile(r"super cool version|whatever", re.IGNORECASE), _UNKNOWN),
)


def figures(path: Path) -> dict[str, object]:
    """Compare with the fixtures in `path`; nothing where it holds none."""
    content = msgspec.json.decode(path.read_bytes()) if path.suffix == ".json" and path.exists() else []
    files = {file: cases for file, cases in content.items() if "fixtures" in file} if isinstance(content, dict) else {}
    if not files:
        return {}
    agreed, other_aim, cases = 0, 0, 0
    print("\ntitles: metadata-filter's fixtures")
    for file, listed in files.items():
        for case in listed:
            cases += 1
            sent, theirs = _sent(case), case["expectedValue"]
            if reason := _other_aim(file, sent):
                other_aim += 1
                print(f"  other aim: {sent!r} is {theirs!r} to them; {reason}")
                continue
            ours, wanted = _ours(file, sent, theirs)
            agreed += ours == wanted
            if ours != wanted:
                print(f"  disagreed ({Path(file).stem}): {sent!r} is {ours!r} to us, {wanted!r} to them")
    same_aim = cases - other_aim
    print(f"  agreed {agreed} of {same_aim}; other aim {other_aim}")
    return {
        "titles_cases": cases,
        "titles_same_aim": same_aim,
        "titles_other_aim": other_aim,
        "titles_agreed": agreed,
        "titles_share": common.share(agreed, same_aim),
    }


def _sent(case: dict[str, Any]) -> str:
    return str(case.get("funcParameter", case.get("fieldValue")))


def _other_aim(file: str, sent: str) -> str:
    where = file.removeprefix("test/fixtures/")
    return next((why for files, texts, why in _OTHER_AIMS if files.search(where) and texts.search(sent)), "")


def _ours(file: str, sent: str, theirs: str) -> tuple[object, object]:
    """Return what is compared: ours and theirs, as text, or as what both forms mean."""
    meaning = _MEANINGS.get(Path(file).stem)
    if meaning:
        return meaning(sent), meaning(theirs)
    return _CLEANERS.get(Path(file).stem, _title)(sent), theirs


def _title(text: str) -> str:
    """Clean a track's title, or an album's where the fixture says that it is one."""
    if text.startswith("Album"):
        return names.clean_release(text)
    read = titles.read(names.clean(text))
    return read.whole if read.version.kinds or read.guests else read.base


def _without_guests(text: str) -> str:
    return names.split_guests(text)[0]


def _first_artist(text: str) -> str:
    return names.split_artists(text, {"Artist A", "Artist B"}.__contains__)[0]


def _version(text: str) -> object:
    read = titles.read(text)
    return read.base, read.version


_CLEANERS: dict[str, Callable[[str], str]] = {
    "album-artist-from-artist": _without_guests,
    "remove-feature": _without_guests,
    "remove-additional-artists": _first_artist,
    "decode-html-entities": names.decode,
    "remove-zero-width": names.decode,
    "replace-nbsp": names.decode,
    "replace-smart-quotes": names.decode,
    "remove-reissue": names.clean_release,
}
_MEANINGS: dict[str, Callable[[str], object]] = {
    "fix-track-suffix": _version,
    "normalize-feature": names.split_guests,
    "fix-various-artists": readings.is_unknown,
}
