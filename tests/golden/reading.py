"""What golden cases mean. The format is told in docs/reference/matching.md; `make bench B=matching` reads them too."""

from __future__ import annotations

from typing import Any

from sleevenotes import model
from sleevenotes.matching import decide, release


def asked(case: dict[str, Any]) -> decide.Asked:
    """Read what was sent."""
    artist, track, album = [*case["sent"], ""][:3]
    return decide.Asked(artist, track, album, _milliseconds(case))


def option(found: dict[str, Any]) -> decide.Option:
    credit = _credit(found)
    recording = model.Recording(
        mbid=found["id"],
        title=found["title"],
        artist_credit=credit,
        length_ms=_milliseconds(found),
        disambiguation=found.get("note", ""),
        video=found.get("video", False),
    )
    return decide.Option(recording, tuple(map(_release, found.get("on", []))), "test")


def _milliseconds(case: dict[str, Any]) -> int | None:
    return case["seconds"] * 1000 if "seconds" in case else None


def _credit(found: dict[str, Any]) -> model.ArtistCredit:
    """Read "Queen", "Nirvana#uk" (one of several of that name) or ["Queen", " & ", "David Bowie"]."""
    parts = [found["by"]] if isinstance(found["by"], str) else found["by"]
    joins = [*parts[1::2], ""]
    named = [
        model.ArtistCreditName(
            mbid=f"artist {part}",
            name=part.partition("#")[0],
            join_phrase=join,
            sort_name=found.get("sort", ""),
            aliases=tuple(found.get("aka", ())),
        )
        for part, join in zip(parts[::2], joins, strict=True)
    ]
    return model.ArtistCredit(tuple(named))


def _release(text: str) -> model.Release:
    """Read "Title; Primary type+Secondary types; date", and "Bootleg" or "VA" behind it."""
    title, types, date, *more = text.split("; ")
    primary, *secondary = types.split("+")
    various = model.ArtistCredit((model.ArtistCreditName(release.VARIOUS_ARTISTS, "Various Artists"),))
    return model.Release(
        mbid=f"release {text}",
        title=title,
        release_group=model.ReleaseGroup(f"group {title}", title, primary, tuple(secondary)),
        artist_credit=various if "VA" in more else None,
        status="Bootleg" if "Bootleg" in more else "Official",
        date=date,
    )
