from __future__ import annotations

import itertools

import msgspec
import pytest

from sleevenotes import model
from sleevenotes.matching import release
from sleevenotes.matching.release import Fit


def credit(*names: tuple[str, str]) -> model.ArtistCredit:
    return model.ArtistCredit(tuple(model.ArtistCreditName(mbid, name) for mbid, name in names))


VAN = credit(("van", "Van Morrison"))
VARIOUS = credit((release.VARIOUS_ARTISTS, "Various Artists"))


def made(
    title: str,
    primary: str = "Album",
    *secondary: str,
    date: str = "1990",
    status: str = "Official",
    by: model.ArtistCredit | None = None,
    mbid: str = "",
    group: str = "",
) -> model.Release:
    of = model.ReleaseGroup(f"group {title}", group or title, primary, secondary)
    return model.Release(mbid or f"{title} {date}", title, of, by, status, date)


def chosen(*releases: model.Release, sent: str = "") -> str:
    found = {
        choice.release.mbid
        for order in itertools.permutations(releases)
        if (choice := release.choose(order, sent, VAN))
    }
    assert len(found) == 1, "the order in which releases are told must not matter"
    return found.pop()


def test_no_releases_are_no_choice() -> None:
    assert release.choose((), "Moondance", VAN) is None


def test_what_matters_is_owner_then_status_then_kind_then_date() -> None:
    best_first = [
        made("Avalon Sunset", date="1989"),
        made("Later Album", date="1999"),
        made("An EP", "EP", date="1970"),
        made("A Single", "Single", date="1970"),
        made("The Best", "Album", "Compilation", date="1972"),
        made("On Stage", "Album", "Live", date="1971"),
        made("A Film", "Album", "Soundtrack", date="1970"),
        made("Odd", "Broadcast", date="1970"),
        made("Promo", status="Promotion", date="1970"),
        made("Bootleg", status="Bootleg", date="1970"),
        made("Hers", by=credit(("her", "Someone Else")), date="1970"),
        made("Now!", "Album", "Compilation", by=VARIOUS, date="1970"),
    ]
    for better, worse in itertools.pairwise(best_first):
        assert chosen(better, worse) == better.mbid


def test_what_is_of_several_kinds_is_the_last_of_them() -> None:
    live_best = made("Best of the Tour", "Album", "Compilation", "Live", date="1970")
    assert chosen(live_best, made("On Stage", "Album", "Live", date="1980")) == live_best.mbid
    assert chosen(live_best, made("The Best", "Album", "Compilation", date="1980")) == "The Best 1980"
    assert chosen(live_best, made("Mixes", "Album", "Remix", date="1960")) == live_best.mbid


def test_an_edition_counts_by_its_album_s_first_date_then_by_its_own() -> None:
    def edition(date: str, mbid: str) -> model.Release:
        made_so = made("Moondance", date=date, mbid=mbid)
        group = msgspec.structs.replace(made_so.release_group, first_release_date="1970-01-27")
        return msgspec.structs.replace(made_so, release_group=group)

    remaster, deluxe = edition("2013", "r"), edition("2008", "d")
    assert chosen(remaster, made("Avalon Sunset", date="1989")) == "r"
    assert chosen(remaster, deluxe, made("Avalon Sunset", date="1989")) == "d"


@pytest.mark.parametrize("kind", ["Live", "Soundtrack", "Compilation"])
def test_a_collection_comes_after_a_single(kind: str) -> None:
    assert chosen(made("Single", "Single", date="2000"), made("Other", "Album", kind, date="1970")) == "Single 2000"


def test_a_release_shared_with_others_is_still_the_artist_s_own() -> None:
    duets = made("Duets", by=credit(("van", "Van Morrison"), ("her", "Somebody")), date="1980")
    assert chosen(duets, made("Later", date="2000")) == "Duets 1980"


def test_a_date_that_is_not_known_comes_after_those_that_are() -> None:
    assert chosen(made("A", date=""), made("B", date="2020")) == "B 2020"


def test_a_partial_date_may_be_as_late_as_its_year_s_end() -> None:
    assert chosen(made("A", date="1977"), made("B", date="1977-10-28")) == "B 1977-10-28"
    assert chosen(made("A", date="1977"), made("B", date="1978-01-01")) == "A 1977"


def test_the_smaller_mbid_settles_the_rest() -> None:
    assert chosen(made("A", mbid="b"), made("A", mbid="a")) == "a"


@pytest.mark.parametrize(
    ("sent", "title", "expected"),
    [
        ("OK Computer", "OK Computer", Fit.EXACT),
        ("ok computer", "OK Computer", Fit.EXACT),
        ("Agaetis byrjun", "Ágætis byrjun", Fit.SAME),
        ("S & M", "S&M", Fit.SAME),
        ("OK Computer (Collector's Edition)", "OK Computer", Fit.EDITION),
        ("Misplaced Childhood", "Misplaced Childhood (2017 Remaster)", Fit.EDITION),
        ("Mothership [Remastered]", "Mothership", Fit.EDITION),
        ("Hello - Single", "Hello", Fit.EDITION),
        ("OK Komputer", "OK Computer", Fit.ALIKE),
        ("Greatest Hits II", "Greatest Hits III", Fit.NONE),
        ("Live (Live)", "Live", Fit.NONE),
        ("Absolution (Live)", "Absolution", Fit.NONE),
        ("Jesu", "Jedu", Fit.NONE),
        ("", "OK Computer", Fit.NONE),
    ],
)
def test_a_release_fits_the_album_sent(sent: str, title: str, expected: Fit) -> None:
    assert release.fit(sent, made(title)) is expected


def test_a_release_fits_by_its_group_s_title_but_never_exactly() -> None:
    edition = made("OK Computer OKNOTOK 1997 2017", group="OK Computer")
    assert release.fit("OK Computer", edition) is Fit.SAME


def test_the_album_sent_is_chosen_before_any_better_one() -> None:
    assert chosen(made("Avalon Sunset"), made("Now!", by=VARIOUS), sent="Now!") == "Now! 1990"


def test_the_edition_sent_is_chosen_before_an_earlier_one() -> None:
    deluxe, plain = made("Moondance (Deluxe Edition)", date="2013"), made("Moondance", date="1970")
    assert chosen(deluxe, plain, sent="Moondance (Deluxe Edition)") == deluxe.mbid
    assert chosen(deluxe, plain, sent="Moondance (Expanded)") == plain.mbid


@pytest.mark.parametrize(
    ("releases", "sent", "reason"),
    [
        ([made("Moondance")], "moondance", "on the submitted album, Moondance"),
        ([made("Moondance")], "Moondance (Deluxe)", "by another edition's name"),
        ([made("Moondance")], "", "the earliest of the artist's own albums known"),
        ([made("Moondance")], "Astral Weeks", "the submitted album, Astral Weeks, is not among its releases"),
        ([made("Now!", by=VARIOUS)], "", "a Various Artists album, as no release of the artist's own is known"),
        ([made("Her", "Single", by=credit(("her", "Her")))], "", "another artist's single"),
    ],
)
def test_the_reason_is_told_in_words(releases: list[model.Release], sent: str, reason: str) -> None:
    choice = release.choose(releases, sent, VAN)
    assert choice
    assert reason in choice.reason
