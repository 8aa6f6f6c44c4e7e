"""What each source's answers tell of its own ids: as recorded, and as the simulator tells them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.contract import recorded

from sleevenotes.clock import HandClock
from sleevenotes.simulator import conditions, core, entities
from sleevenotes.simulator.world import World
from sleevenotes.sources import contract, deezer, discogs, itunes, lastfm, theaudiodb
from sleevenotes.sources.own_ids import SourceId
from sleevenotes.upstream.client import Client

DEEZER, ITUNES, AUDIODB = deezer.Deezer(), itunes.ITunes(), theaudiodb.TheAudioDB()
DISCOGS, LASTFM = discogs.Discogs("token"), lastfm.LastFm("b25b959554ed76058ac220b7b2e0a026")
EVERY = (DEEZER, ITUNES, AUDIODB, DISCOGS, LASTFM)


def said(shared_data: Path, service: str, start: str) -> list[recorded.Exchange]:
    found = [each for each in recorded.exchanges(shared_data, service, "x.org") if each.path.startswith(start)]
    found = [each for each in found if each.reply.status == 200]
    assert found, start
    return found


def ids(answer: contract.Answer) -> Iterator[SourceId]:
    for each in answer.candidates:
        if isinstance(each, contract.RecordingCandidate | contract.ArtistCandidate):
            yield from each.ids
    for album in answer.albums:
        yield from album


# ---------------------------------------------------------------- as recorded


def test_deezers_tracks_tell_all_three_with_the_pages_that_it_links_to_itself(shared_data: Path) -> None:
    pages: set[str] = set()
    links: set[str] = set()
    for each in said(shared_data, "deezer", "/search?"):
        for row in json.loads(each.reply.body)["data"]:
            [answer] = DEEZER.read([contract.FindRecording(row["artist"]["name"], row["title"])], each.reply)
            told = list(ids(answer))
            mine = SourceId("recording", str(row["id"]), row["title"], page=row["link"])
            first = {own.name for own in told if own.of == "recording"}  # one recording on several albums is told once
            assert mine in told or row["title"] in first
            links |= {row["link"], row["artist"]["link"]}
            pages |= {own.page for own in told if own.of != "release_group"}
    assert pages <= links
    assert len(pages) > 50


def test_deezers_album_search_tells_albums_of_that_title_and_their_pages(shared_data: Path) -> None:
    [each] = said(shared_data, "deezer", "/search/album?")
    [answer] = DEEZER.read([contract.FindImages("Daft Punk", "Discovery")], each.reply)
    page = "https://www.deezer.com/album/302127"
    assert SourceId("release_group", "302127", "Discovery", "Daft Punk", page=page) in answer.albums[0]
    assert SourceId("artist", "27", "Daft Punk", page="https://www.deezer.com/artist/27") in answer.albums[0]
    assert all("discovery" in album[0].name.lower() for album in answer.albums)
    [own] = [
        json.loads(one.reply.body) for one in said(shared_data, "deezer", "/album/302127") if "/tracks" not in one.path
    ][:1]
    assert own["link"] == page


def test_theaudiodb_tells_its_ids_beside_the_mbids(shared_data: Path) -> None:
    [each] = said(shared_data, "theaudiodb", "/api/v1/json/*/track-mb")
    [answer] = AUDIODB.read([contract.FindRecording("Luis Fonsi", "Despacito")], each.reply)
    told = {own.of: (own.id, own.mbid[:8]) for own in ids(answer)}
    assert told == {
        "recording": ("34838814", "1109d8da"),
        "release_group": ("2284335", "76357b1d"),
        "artist": ("131613", "d68fda90"),
    }
    [each] = said(shared_data, "theaudiodb", "/api/v1/json/*/album-mb")
    [answer] = AUDIODB.read([contract.FindImages("Daft Punk", "Random Access Memories", "aa997ea0")], each.reply)
    assert [own.id for own in ids(answer)] == ["2162908", "111492"]


def test_lastfms_ids_are_the_paths_of_its_pages(shared_data: Path) -> None:
    question = contract.FindRecording("Radiohead", "Paranoid Android")
    each = next(one for one in said(shared_data, "lastfm", "/2.0/") if "track.getInfo" in one.path)
    [answer] = LASTFM.read([question], each.reply)
    base = "https://www.last.fm/music/"
    assert list(ids(answer)) == [
        SourceId("recording", path, "Paranoid Android", page=base + path)
        if "_" in path
        else SourceId("artist", path, "Radiohead", page=base + path)
        for path in ("Radiohead/_/Paranoid+Android", "Radiohead")
    ] + [
        SourceId(
            "release_group", "Radiohead/OK+Computer", "OK Computer", "Radiohead", page=f"{base}Radiohead/OK+Computer"
        )
    ]


def test_discogs_pages_tell_masters_releases_and_artists(shared_data: Path) -> None:
    [each] = said(shared_data, "discogs", "/masters/125017")
    [answer] = DISCOGS.read([contract.DescribeRelease("discogs:m125017", "")], each.reply)
    page = "https://www.discogs.com/Ernesto-vs-Bastian-Dark-Side-Of-The-Moon/master/125017"
    assert answer.albums == (
        (
            SourceId("release_group", "125017", "Dark Side Of The Moon", "Ernesto vs Bastian", "master", page),
            SourceId("artist", "154525", "Ernesto vs. Bastian"),
        ),
    )
    [each] = said(shared_data, "discogs", "/releases/430616")
    [answer] = DISCOGS.read([contract.DescribeRelease("discogs:r430616", "Dark Side Of The Moon")], each.reply)
    told = {(own.of, own.kind, own.id) for own in ids(answer)}
    assert told == {
        ("release_group", "master", "125017"),
        ("release_group", "release", "430616"),
        ("artist", "", "154525"),
    }


# ---------------------------------------------------------------- the simulator


@pytest.fixture(scope="module")
def world() -> World:
    everywhere = {source.name: conditions.Coverage(mean=0.9) for source in EVERY}
    return World.invented(msgspec.structs.replace(conditions.calm(), coverage=everywhere), artists=40)


@pytest.fixture
def simulator(world: World) -> core.Simulator:
    return core.Simulator(world, HandClock(), limits=False, latency=False)


async def ask(simulator: core.Simulator, source: contract.Source, question: contract.Question) -> contract.Answer:
    client = Client(core.Mounted(simulator), HandClock(), "SleevenotesTest/0.1 ( test@example.org )")
    [answer] = source.read([question], await client.send(source.request([question]), source.policy.timeout))
    return answer


@pytest.mark.parametrize("source", EVERY, ids=lambda source: str(source.name))
async def test_every_source_tells_ids_of_what_its_policy_says(
    source: contract.Source, simulator: core.Simulator, world: World
) -> None:
    index = world.known.by(source.name)
    known = [
        each for each in world.catalogue.recordings if each.credit[0].artist.index in index and len(each.credit) == 1
    ][:30]
    assert known
    told: set[str] = set()
    for recording in known:
        by, home = entities.printed(recording.credit), world.catalogue.home(recording.row)
        questions: list[contract.Question] = [
            contract.FindRecording(by, recording.title),
            contract.FindImages(entities.printed(home.credit), home.group.title),
            contract.FindArtist(recording.credit[0].artist.name),
        ]
        for question in questions:
            if type(question) in source.policy.answers:
                answer = await ask(simulator, source, question)
                told |= {own.of for own in ids(answer)}
                assert all(own.id and own.name for own in ids(answer))
                for master in [own for own in ids(answer) if own.kind == "master"][:1]:
                    page = await ask(simulator, source, contract.DescribeRelease(f"{source.name}:m{master.id}", ""))
                    told |= {own.of for own in ids(page)}
    assert told == set(source.policy.ids)


async def test_an_album_without_a_cover_tells_its_id_all_the_same(simulator: core.Simulator, world: World) -> None:
    bare = [
        group
        for group in world.catalogue.groups.values()
        if group.credit[0].artist.index in world.known.by("deezer") and not world.shown("deezer", group)
    ]
    told = 0
    for group in bare[:20]:
        answer = await ask(simulator, DEEZER, contract.FindImages(entities.printed(group.credit), group.title))
        named = {own.name for album in answer.albums for own in album if own.of == "release_group"}
        covered = {each.release for each in answer.candidates if isinstance(each, contract.ImageAt)}
        told += bool(named - covered)
    assert told
