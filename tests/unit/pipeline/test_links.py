"""Pasted links."""

from __future__ import annotations

import pytest

from sleevenotes import errors
from sleevenotes.pipeline import links
from sleevenotes.sources import contract

MBID = "9f9cf187-d6f9-437f-9d98-d59cdbd52757"


@pytest.mark.parametrize(
    "written",
    [
        f"https://musicbrainz.org/recording/{MBID}",
        f"http://musicbrainz.org/recording/{MBID}/",
        f"  musicbrainz.org/recording/{MBID.upper()}?x=1#top ",
        f"https://www.musicbrainz.org/recording/{MBID}/fingerprints",
        f"https://beta.musicbrainz.org/recording/{MBID}",
    ],
)
def test_a_recordings_link_is_read_however_it_is_written(written: str) -> None:
    link = links.parse(written)
    assert (link.source, link.question) == ("musicbrainz", contract.DescribeRecording(MBID))
    assert not link.of_album
    assert link.address == f"musicbrainz.org/recording/{MBID}"


def test_releases_and_release_groups_are_albums() -> None:
    release = links.parse(f"https://musicbrainz.org/release/{MBID}/disc/2#x")
    group = links.parse(f"musicbrainz.org/release-group/{MBID}")
    assert release.question == contract.ListRecordings(release_mbid=MBID)
    assert group.question == contract.ListRecordings(release_group_mbid=MBID)
    assert release.of_album
    assert group.of_album


@pytest.mark.parametrize(
    ("written", "foreign_id"),
    [
        ("https://www.discogs.com/release/249504-Rick-Astley-Never-Gonna-Give-You-Up", "discogs:r249504"),
        ("discogs.com/de/release/249504", "discogs:r249504"),
        ("https://www.discogs.com/Rick-Astley-Never-Gonna/release/249504/?ev=1", "discogs:r249504"),
        ("http://discogs.com/master/96559-Rick-Astley/", "discogs:m96559"),
    ],
)
def test_discogs_links_are_read_however_they_are_written(written: str, foreign_id: str) -> None:
    link = links.parse(written)
    assert (link.source, link.question) == ("discogs", contract.DescribeRelease(foreign_id, ""))
    assert link.of_album


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("", "does not lead to"),
        (MBID, "an id alone"),
        ("https://example.com/recording/" + MBID, "does not lead to"),
        ("https://musicbrainz.org.example.com/recording/" + MBID, "does not lead to"),
        ("ftp://musicbrainz.org/recording/" + MBID, "does not lead to"),
        (f"https://musicbrainz.org/artist/{MBID}", "MusicBrainz artist"),
        ("https://musicbrainz.org/recording/123", "no single thing"),
        ("https://www.discogs.com/artist/72872-Rick-Astley", "no release or master"),
        ("https://[::1", "is no link"),
        ("x" * 501, "more than 500"),
    ],
)
def test_any_other_link_is_refused_in_words_that_name_the_field(written: str, said: str) -> None:
    with pytest.raises(errors.Refused, match=said) as refused:
        links.parse(written)
    assert refused.value.field == "link"
