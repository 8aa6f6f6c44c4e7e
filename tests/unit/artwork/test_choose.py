from __future__ import annotations

import itertools

import msgspec
import pytest

from sleevenotes.artwork import choose
from sleevenotes.sources import registry


def candidate(subject: str = "release", side: int = 500, digest: str = "a") -> choose.Candidate:
    archive = choose.Candidate(digest, "coverartarchive", subject, side, side)
    return msgspec.structs.replace(archive, called="the Cover Art Archive")


def test_the_edition_s_own_front_comes_before_the_album_s_even_when_smaller() -> None:
    own, album = candidate("release", 300), candidate("release_group", 500)
    assert choose.order([album, own]) == [own, album]


def test_a_small_image_yields_to_a_larger_one_of_lesser_rank() -> None:
    small, large = candidate("release", 200), candidate("release_group", 500)
    assert choose.order([small, large]) == [large, small]


def test_a_small_image_is_better_than_none() -> None:
    assert choose.order([candidate(side=200)]) == [candidate(side=200)]


def test_a_spacer_is_never_a_cover() -> None:
    assert choose.order([candidate(side=1), choose.Candidate("b", "coverartarchive", "release", 500, 20)]) == []


def test_size_breaks_ties() -> None:
    assert choose.order([candidate(side=400), candidate(side=500)])[0].width == 500


def test_the_order_of_arrival_does_not_matter() -> None:
    arrived = [
        candidate("release", 200),
        candidate("release_group", 500),
        candidate("release", 400),
        candidate(digest="b"),
    ]
    orders = {tuple(choose.order(arrival)) for arrival in itertools.permutations(arrived)}
    assert len(orders) == 1


@pytest.mark.parametrize(
    ("chosen", "sentence"),
    [
        (candidate("release"), "It is the front of this very edition in the Cover Art Archive."),
        (candidate("release_group"), "It is the front shown for the album in the Cover Art Archive."),
        (
            candidate("release", 200),
            "It is the front of this very edition in the Cover Art Archive, small as it is: 200 x 200 pixels.",
        ),
    ],
)
def test_the_reason_is_one_sentence(chosen: choose.Candidate, sentence: str) -> None:
    assert choose.reason(chosen) == sentence


# ---------------------------------------------------------------- several sources

ONE = 0x0123456789ABCDEF
LIKE_ONE = ONE ^ 0b10101  # 3 bits
UNCLEAR = ONE ^ 0xFFFF  # 16 bits: neither alike nor different
OTHER = ONE ^ 0xFFFFFFFF  # 32 bits
CALLED = {source: registry.named(source).policy.called for source in choose.SOURCES}
THIRD = ONE ^ (0xFFFFFFFF << 32)


def offer(
    source: str, phash: int | None = ONE, *, side: int = 600, exact: bool = False, **facts: object
) -> choose.Candidate:
    offered = choose.Candidate(source, source, "release_group", side, side, f"https://{source}/1.jpg", exact, phash)
    return msgspec.structs.replace(offered, **{"called": CALLED.get(source, ""), **facts})


def chosen(*offers: choose.Candidate) -> str:
    """Return whose cover is chosen, the same for every order of arrival, "" for none."""
    choices = {choose.choose(arrival) for arrival in itertools.permutations(offers)}
    (choice,) = choices
    assert len(choice.others) == len(offers) - (choice.chosen is not None)
    return choice.chosen.source if choice.chosen else ""


def test_where_all_agree_the_declared_order_decides() -> None:
    offers = [offer(source, exact=source == "coverartarchive") for source in choose.SOURCES]
    while offers:
        assert choose.choose(reversed(offers)).chosen == offers[0]
        del offers[0]


def test_an_unknown_source_comes_last_but_may_be_chosen() -> None:
    assert chosen(offer("fanart"), offer("lastfm")) == "lastfm"
    assert chosen(offer("fanart")) == "fanart"


def test_a_lone_fuzzy_source_that_disagrees_with_two_loses_though_it_comes_first() -> None:
    assert chosen(offer("theaudiodb", OTHER), offer("deezer"), offer("itunes", LIKE_ONE)) == "deezer"


def test_a_fuzzy_source_that_disagrees_with_an_exact_one_loses_however_large_it_is() -> None:
    small = offer("coverartarchive", ONE, side=200, exact=True)
    assert chosen(small, offer("deezer", OTHER, side=1000)) == "coverartarchive"
    assert chosen(small, offer("deezer", OTHER, side=1000), offer("itunes", OTHER, side=1000)) == "coverartarchive"


def test_the_larger_image_of_the_same_picture_takes_the_place_of_a_small_exact_one() -> None:
    assert chosen(offer("coverartarchive", side=200, exact=True), offer("deezer", LIKE_ONE, side=1000)) == "deezer"


def test_an_exact_source_is_not_outvoted() -> None:
    assert chosen(offer("theaudiodb", OTHER, exact=True), offer("deezer"), offer("itunes")) == "theaudiodb"


def test_two_that_agree_come_before_one_that_nobody_confirms() -> None:
    assert chosen(offer("theaudiodb", UNCLEAR), offer("deezer"), offer("itunes", LIKE_ONE)) == "deezer"
    assert chosen(offer("theaudiodb", None), offer("deezer"), offer("itunes")) == "deezer"


def test_of_two_that_only_disagree_the_declared_order_decides() -> None:
    assert chosen(offer("deezer", OTHER), offer("itunes")) == "deezer"


def test_three_outvote_two() -> None:
    assert (
        chosen(offer("theaudiodb", OTHER), offer("deezer", OTHER), offer("itunes"), offer("lastfm"), offer("fanart"))
        == "itunes"
    )


def test_two_images_of_one_source_are_one_voice() -> None:
    again = offer("deezer", OTHER, digest="again", url="https://deezer/2.jpg")
    assert chosen(offer("theaudiodb"), offer("deezer", OTHER), again) == "theaudiodb"


def test_what_terms_forbid_to_keep_fills_a_gap_and_makes_way_for_anything_else() -> None:
    discogs = offer("discogs", stop_gap=True)
    assert chosen(discogs) == "discogs"
    assert chosen(discogs, offer("lastfm", OTHER)) == "lastfm"
    assert chosen(discogs, offer("lastfm", side=100)) == "discogs"


def test_a_stop_gap_still_has_a_voice() -> None:
    assert chosen(offer("discogs", stop_gap=True), offer("deezer", OTHER), offer("itunes", LIKE_ONE)) == "itunes"


@pytest.mark.parametrize(
    "url",
    [
        "https://lastfm.freetls.fastly.net/i/u/300x300/2a96cbd8b46e442fc41c2b86b821562f.png",
        "https://st.discogs.com/0123/images/spacer.gif",
        "https://cdn-images.dzcdn.net/images/cover//1000x1000-000000-80-0-0.jpg",
        "https://e-cdns-images.dzcdn.net/images/artist//500x500-000000-80-0-0.jpg",
    ],
)
def test_a_placeholder_is_never_a_cover_and_has_no_voice(url: str) -> None:
    assert choose.is_placeholder(url)
    placeholder = offer("theaudiodb", OTHER, url=url)
    assert chosen(placeholder) == ""
    assert chosen(placeholder, msgspec.structs.replace(placeholder, source="discogs"), offer("lastfm")) == "lastfm"
    assert choose.order([placeholder]) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://cdn-images.dzcdn.net/images/cover/2e018122cb56986277102d2041a592c8/1000x1000-000000-80-0-0.jpg",
        "https://i.discogs.com/spacer.gif-no/rs:fit/x.jpeg",
        "https://is1-ssl.mzstatic.com/image/thumb/1000x1000bb.jpg",
    ],
)
def test_a_true_address_is_no_placeholder(url: str) -> None:
    assert not choose.is_placeholder(url)


def test_the_choice_tells_of_every_image_why_it_was_taken_or_not() -> None:
    offers = [
        offer("theaudiodb", OTHER),
        offer("discogs", stop_gap=True),
        offer("deezer"),
        offer("itunes", LIKE_ONE),
        offer("lastfm", side=174),
        offer("fanart", url="https://x/spacer.gif"),
    ]
    choice = choose.choose(offers)
    assert choice.reason == (
        "It is the cover that Deezer shows for an album of this name; "
        "Discogs, iTunes and Last.fm show the same picture; TheAudioDB shows another."
    )
    assert {each.source: why for each, why in choice.others} == {
        "theaudiodb": "It was found by the album's name, and shows another picture than "
        "Discogs, Deezer, iTunes and Last.fm.",
        "discogs": "Discogs does not let its images be kept.",
        "itunes": "It is the same picture, and Deezer comes first.",
        "lastfm": "It has only 174 x 174 pixels.",
        "fanart": "It is what fanart shows where it has no cover.",
    }


def test_the_reason_names_an_exact_source_as_such() -> None:
    choice = choose.choose([offer("theaudiodb", exact=True), offer("deezer", OTHER), offer("itunes", None)])
    assert (
        choice.reason == "It is the cover that TheAudioDB has under the album's MusicBrainz id; Deezer shows another."
    )
    assert [why for _, why in choice.others] == [
        "It was found by the album's name, and nobody else shows it; TheAudioDB is surer.",
        "It was found by the album's name, and shows another picture than TheAudioDB, found by its MBID.",
    ]


def test_nothing_to_choose_from_is_said_in_words() -> None:
    choice = choose.choose([offer("deezer", side=1)])
    assert (choice.chosen, choice.reason) == (None, "None of the images that were found is a cover.")
    assert [why for _, why in choice.others] == ["It has 1 x 1 pixels: a spacer."]


def test_what_two_sources_show_alike_is_certain_and_what_one_alone_shows_is_not() -> None:
    assert choose.is_certain([offer("deezer"), offer("itunes", LIKE_ONE)])
    assert not choose.is_certain([offer("deezer"), offer("itunes", OTHER)])
    assert not choose.is_certain([offer("deezer"), offer("itunes", None)])
    assert not choose.is_certain([offer("deezer"), offer("deezer", LIKE_ONE)])
    assert not choose.is_certain([])


# ---------------------------------------------------------------- large enough

ONE, ANOTHER = 0, (1 << 64) - 1  # perceptual hashes of two different pictures


def shop(name: str, side: int, *, phash: int = ONE, exact: bool = False) -> choose.Candidate:
    return choose.Candidate(name, name, "release_group", side, side, exact=exact, phash=phash)


def front(side: int, *, exact: bool = True) -> choose.Candidate:
    return msgspec.structs.replace(candidate(side=side), phash=ONE, exact=exact)


def test_a_small_cover_gives_way_to_the_same_picture_that_is_large_enough() -> None:
    small, enough, huge = front(300), shop("deezer", 600), shop("itunes", 3000)
    choice = choose.choose([small, enough, huge], wanted=500)
    assert choice.chosen == enough
    assert (small, "It has only 300 x 300 pixels.") in choice.others
    assert choose.choose([small, enough, huge]).chosen == small


def test_where_none_is_large_enough_the_largest_is_shown() -> None:
    arrived = [front(300), shop("deezer", 400), shop("itunes", 450)]
    assert choose.choose(arrived, wanted=500).chosen == arrived[2]


@pytest.mark.parametrize(
    "other",
    [
        shop("deezer", 300),
        shop("deezer", 280),
        shop("deezer", 900, phash=ANOTHER),
        shop("theaudiodb", 900, phash=ANOTHER, exact=True),
        msgspec.structs.replace(shop("discogs", 900), stop_gap=True),
        choose.Candidate("wide", "deezer", "release_group", 310, 100, exact=False, phash=ONE),
    ],
    ids=["as large", "smaller", "another picture", "another edition's", "not to be kept", "a strip of it"],
)
def test_a_small_cover_stays_where_no_larger_one_is_as_right(other: choose.Candidate) -> None:
    assert choose.larger(front(300), [other], 500) is None


def test_a_cover_found_by_names_gives_way_to_a_larger_one_that_is_surer() -> None:
    small = shop("deezer", 300)
    exact = shop("theaudiodb", 900, phash=ANOTHER, exact=True)
    assert choose.larger(small, [exact], 500) == exact
    alone = shop("itunes", 900, phash=ANOTHER)
    assert choose.larger(small, [alone], 500) is None
    assert choose.larger(small, [alone, shop("lastfm", 600, phash=ANOTHER)], 500) == alone


def test_a_cover_that_is_large_enough_is_not_replaced() -> None:
    assert choose.larger(front(500), [shop("deezer", 3000)], 500) is None
