"""The simulated services. Another one is a file beside this and a line here."""

from __future__ import annotations

from sleevenotes.simulator import (
    archive,
    deezer,
    discogs,
    fanarttv,
    imagehosts,
    itunes,
    lastfm,
    listenbrainz,
    musicbrainz,
    people,
    theaudiodb,
    wire,
)
from sleevenotes.simulator.world import World


def services(world: World, everybody: people.People) -> tuple[wire.Service, ...]:
    """Return all services over a world and its people, each serving its own hosts."""
    return (
        musicbrainz.MusicBrainz(world),
        listenbrainz.ListenBrainz(world, everybody),
        archive.CoverArtArchive(world),
        archive.Download(world),
        archive.Node(world),
        theaudiodb.TheAudioDB(world),
        discogs.Discogs(world),
        deezer.Deezer(world),
        itunes.ITunes(world),
        lastfm.LastFm(world, everybody),
        fanarttv.FanartTv(world),
        *imagehosts.hosts(world),
    )
