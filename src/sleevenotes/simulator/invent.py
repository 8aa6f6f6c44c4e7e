"""Invented names: of artists, albums and songs, in several scripts; and a whole invented catalogue.

None is taken from anywhere: artists are syllables, titles are patterns filled from small word lists.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from sleevenotes.simulator import draw, ids, rows

_ONSETS = (
    "b",
    "br",
    "d",
    "dr",
    "f",
    "fl",
    "g",
    "h",
    "k",
    "kr",
    "l",
    "m",
    "n",
    "p",
    "r",
    "s",
    "sh",
    "st",
    "t",
    "v",
    "z",
)
_VOWELS = ("a", "e", "i", "o", "u", "ai", "ea", "io", "ou")
_CODAS = ("", "", "", "l", "n", "r", "s", "th", "x", "nd")
_SCRIPTS: dict[str, tuple[tuple[str, ...], int]] = {
    "cyrillic": (("ва", "ле", "но", "ри", "та", "су", "мо", "ве", "тра", "зо", "ни", "кра", "ля", "бу"), 3),  # noqa: RUF001 - not Latin
    "greek": (("κα", "λο", "μι", "νε", "θα", "ρο", "σι", "τε", "δρα", "φω"), 3),  # noqa: RUF001 - not Latin
    "kana": (tuple("かみそらゆきのはなつとり"), 4),
    "hangul": (tuple("하늘별빛소리구름바람나"), 3),
}
_DIACRITICS = str.maketrans("aeiou", "áéíöü")
_NOUNS = (
    "Harbour", "Lantern", "Meridian", "Orchard", "Satellite", "Paper Moon", "Winter", "Static", "Garden", "Mirror",
    "River", "Cathedral", "Ghost", "Telephone", "Highway", "Velvet", "Engine", "Carousel", "Tide", "Ember",
    "Horizon", "Glass", "Sparrow", "Motel", "Signal", "Marble", "Shadow", "Island", "Compass", "Balcony",
)  # fmt: skip
_ADJECTIVES = (
    "Quiet", "Golden", "Broken", "Electric", "Hollow", "Crimson", "Distant", "Slow", "Invisible", "Northern",
    "Borrowed", "Sleepless", "Silver", "Burning", "Gentle", "Faded", "Restless", "Weightless", "Tender", "Last",
)  # fmt: skip
_VERBS = ("Waiting for", "Leaving", "Chasing", "Under", "Beyond", "Letters to", "Dreaming of", "Back to", "Without")
_BANDS = ("The {0}s", "{0} & the {1}s", "{0} Orchestra", "{0} Collective", "DJ {0}", "{0} {1}", "{0}", "{0}", "{0}")
_SONGS = ("{a} {n}", "{v} the {n}", "The {n}", "{n}", "{a} {n}s", "{v} {p}", "{n} in {p}", "{a} {n}, {a2} {n2}")
_CITIES = ("Lisbon", "Oslo", "Kyoto", "Chicago", "Leeds", "Antwerp", "Tallinn", "Porto", "Montréal", "Glasgow")
_EDITIONS = ("", "", "", "", "", " (Deluxe Edition)", " (Remastered)")


def word(dice: draw.Dice, syllables: int = 0) -> str:
    """Return one pronounceable invented word, capitalised."""
    count = syllables or dice.between(2, 3)
    made = "".join(dice.pick(_ONSETS) + dice.pick(_VOWELS) for _ in range(count)) + dice.pick(_CODAS)
    return made.capitalize()


def artist(dice: draw.Dice) -> str:
    """Return the name of a band or a person, one in seven not in Latin letters."""
    if dice.chance(0.15):
        syllables, count = _SCRIPTS[dice.pick(tuple(_SCRIPTS))]
        return "".join(dice.pick(syllables) for _ in range(count + dice.between(0, 2))).capitalize()
    name = dice.pick(_BANDS).format(word(dice), word(dice, 2))
    return name.translate(_DIACRITICS) if dice.chance(0.08) else name


def title(dice: draw.Dice, script_of: str = "") -> str:
    """Return the title of a song or album; in the script of `script_of` where that is not Latin, two in three times."""
    for syllables, _ in _SCRIPTS.values():
        if script_of and script_of[-1] in "".join(syllables) and dice.chance(0.66):
            return " ".join(
                "".join(dice.pick(syllables) for _ in range(dice.between(2, 4))).capitalize()
                for _ in range(dice.between(1, 2))
            )
    return dice.pick(_SONGS).format(
        a=dice.pick(_ADJECTIVES),
        n=dice.pick(_NOUNS),
        v=dice.pick(_VERBS),
        p=word(dice),
        a2=dice.pick(_ADJECTIVES),
        n2=dice.pick(_NOUNS),
    )


def city(dice: draw.Dice) -> str:
    """Return a city where a concert may have been."""
    return dice.pick(_CITIES)


def compilation(dice: draw.Dice) -> str:
    """Return the title of a compilation by various artists."""
    return f"{dice.pick(_ADJECTIVES)} {dice.pick(_NOUNS)}, Volume {dice.between(1, 20)}"


def catalogue(seed: int, artists: int = 300) -> Iterator[rows.Row]:
    """Yield an invented catalogue: that many artists, one to four albums each, a few guests and compilations."""
    names = _distinct(artist, seed, "artist", artists)
    mbids = [ids.plain(seed, "artist", name) for name in names]
    for index, name in enumerate(names):
        dice = draw.Dice(seed, "discography", name)
        songs: set[str] = set()
        for album in range(dice.between(1, 4)):
            record = title(dice, name) if dice.chance(0.85) else name
            guest = dice.between(0, artists - 1)
            yield from _album(dice, (mbids[index], name), (mbids[guest], names[guest]), f"{record}\n{album}", songs)


def _album(
    dice: draw.Dice, by: tuple[str, str], guest: tuple[str, str], record: str, songs: set[str]
) -> Iterator[rows.Row]:
    name, _, number = record.partition("\n")
    name += dice.pick(_EDITIONS)
    release = ids.plain("release", *by, record)
    for _ in range(dice.between(5, 12)):
        song = title(dice, by[1])
        if song.lower() in songs:
            continue
        songs.add(song.lower())
        joint = dice.chance(0.05) and guest != by
        yield rows.Row(
            artist_mbids=f"{by[0]},{guest[0]}" if joint else by[0],
            artist=f"{by[1]} feat. {guest[1]}" if joint else by[1],
            release_mbid=release,
            release=name,
            recording_mbid=ids.plain("recording", *by, number, song),
            recording=song,
            score=dice.between(1, 1_000_000),
        )


def _distinct(make: Callable[[draw.Dice], str], seed: int, label: str, count: int) -> list[str]:
    found: dict[str, str] = {}
    number = 0
    while len(found) < count:
        name = make(draw.Dice(seed, label, number))
        found.setdefault(name.lower(), name)
        number += 1
    return list(found.values())
