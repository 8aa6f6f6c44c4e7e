from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sleevenotes import names

# Frozen: stored identities rest on these. If one fails, the code is wrong, not the vector.
FOLDED = {
    "  Sigur  Rós ": "sigur rós",
    "STRASSE": "strasse",
    "Straße": "strasse",
    "ﬁnale": "finale",
    "Ｂｊöｒｋ": "björk",
    "Beyonce\u0301": "beyoncé",
    "AC/DC": "ac/dc",
    "Песни": "песни",
    "…Ready for It?": "...ready for it?",
    "tab\tand\u00a0space": "tab and space",
    "": "",
}
DIGESTS = {
    ("Sigur Rós", "Starálfur", "Ágætis byrjun"): "1c0ebf749d06262bc440acb550b85909",
    ("Queen", "Bohemian Rhapsody", ""): "44461023417e8d88ff81cc6a4ba430a3",
    ("!!!", "Myth Takes"): "360a81da851922b8df4ab1f239d6663f",
}


@pytest.mark.parametrize(("text", "folded"), FOLDED.items())
def test_fold_is_frozen(text: str, folded: str) -> None:
    assert names.fold(text) == folded


@pytest.mark.parametrize(("texts", "digest"), DIGESTS.items())
def test_digest_is_frozen(texts: tuple[str, ...], digest: str) -> None:
    assert names.digest(*texts).hex() == digest


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert names.fold(names.fold(text)) == names.fold(text)


@given(st.text(st.characters(codec="ascii")))
def test_ascii_folds_as_other_text_does(text: str) -> None:
    assert f"{names.fold(text)} é".strip() == names.fold(f"{text} é")


def test_a_mark_that_casefolding_leaves_behind_is_composed_at_once() -> None:
    folded = names.fold("\u1fb3\u0308")
    assert names.fold(folded) == folded


@given(st.text(), st.text())
def test_digests_agree_where_folds_agree(one: str, other: str) -> None:
    assert (names.digest(one) == names.digest(other)) == (names.fold(one) == names.fold(other))


def test_a_digest_keeps_its_texts_apart() -> None:
    assert names.digest("a", "b c") != names.digest("a b", "c")


@given(st.text().filter(str.strip))
def test_no_name_has_an_empty_key(text: str) -> None:
    assert names.key(text)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("Sigur Rós", "sigurros"),
        ("AC/DC", "acdc"),
        ("!!!", "!!!"),
        ("Песни", "pesni"),
        ("under_score", "underscore"),
        ("ÆTHER", "aether"),
    ],
)
def test_a_key_is_romanised_letters_and_digits(text: str, key: str) -> None:
    assert names.key(text) == key


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Latch (feat. Sam Smith)", ("Latch", "Sam Smith")),
        ("Latch [Ft. Sam Smith]", ("Latch", "Sam Smith")),
        ("Billionaire feat. Bruno Mars", ("Billionaire", "Bruno Mars")),
        ("Billionaire ft Bruno Mars", ("Billionaire", "Bruno Mars")),
        ("La Flaque (feat.Ecstatik)", ("La Flaque", "Ecstatik")),
        ("Wasted Energy (feat. Kaash Paige & Diamond Platnumz) - Remix",
         ("Wasted Energy - Remix", "Kaash Paige & Diamond Platnumz")),
        ("All Girls (with Juice WRLD)", ("All Girls", "Juice WRLD")),
        ("Dancing with Myself", ("Dancing with Myself", "")),
        ("The Feat of Strength", ("The Feat of Strength", "")),
        ("Feat. Nobody", ("Feat. Nobody", "")),
    ],
)  # fmt: skip
def test_guests_are_split_from_names(text: str, expected: tuple[str, str]) -> None:
    assert names.split_guests(text) == expected


@pytest.mark.parametrize(
    ("title", "plain"),
    [
        ("Come Together - Remastered 2009", "Come Together"),
        ("Black Dog (2007 Remaster)", "Black Dog"),
        ("Space Oddity - 2009 Remastered Version", "Space Oddity"),
        ("Song [Remastered] (2011 Remaster)", "Song"),
        ("Latch (feat. Sam Smith) - Remastered", "Latch"),
        ("Hysteria (Live)", "Hysteria (Live)"),
        ("X (Live / Remastered)", "X (Live / Remastered)"),
        ("(Remastered)", "(Remastered)"),
        ("Re-Mastered by Fate", "Re-Mastered by Fate"),
    ],
)
def test_a_plain_title_has_no_guests_and_no_remaster_note(title: str, plain: str) -> None:
    assert names.plain(title) == plain


@pytest.mark.parametrize(
    ("artist", "rest"),
    [
        ("The Opeth", "Opeth"),
        ("69 Eyes, The", "69 Eyes"),
        ("Opeth", "Opeth"),
        ("Theatre of Tragedy", "Theatre of Tragedy"),
        ("The The", "The The"),
        ("The", "The"),
        ("The, The", "The, The"),
    ],
)
def test_an_article_is_taken_off_an_artist(artist: str, rest: str) -> None:
    assert names.without_article(artist) == rest


@given(st.text())
def test_a_plain_title_never_loses_everything(title: str) -> None:
    assert bool(names.plain(title).strip()) == bool(title.strip())


KNOWN = frozenset(["Earth, Wind & Fire", "Tyler, the Creator", "Kali Uchis", "AC/DC", "Queen", "David Bowie"])


@pytest.mark.parametrize(
    ("credit", "artists"),
    [
        ("Earth, Wind & Fire", ("Earth, Wind & Fire",)),
        ("Tyler, the Creator & Kali Uchis", ("Tyler, the Creator", "Kali Uchis")),
        ("AC/DC", ("AC/DC",)),
        ("Queen & David Bowie", ("Queen", "David Bowie")),
        ("Nobody & Company", ("Nobody & Company",)),
        ("Nobody feat. Company", ("Nobody", "Company")),
    ],
)
def test_artists_are_split_by_what_is_known(credit: str, artists: tuple[str, ...]) -> None:
    assert names.split_artists(credit, KNOWN.__contains__) == artists


@pytest.mark.parametrize(
    ("title", "cleaned"),
    [
        ("Hysteria (Official Video) HD", "Hysteria"),
        ("Time &amp; Space [Lyrics] | My Channel", "Time & Space"),
        ("Hysteria (Live)", "Hysteria (Live)"),
        ("Video Killed the Radio Star", "Video Killed the Radio Star"),
        ("()", "()"),
    ],
)
def test_only_noise_is_cleaned_off_a_title(title: str, cleaned: str) -> None:
    assert names.clean(title) == cleaned


def test_editions_are_cleaned_off_an_album() -> None:
    assert names.clean_release("Nevermind (Deluxe Edition) [2011 Re-issue]") == "Nevermind"


@given(st.text())
def test_clean_up_never_fails(text: str) -> None:
    assert names.clean(text) or not text.strip()
    assert names.clean_release(text) or not text.strip()
