"""A listener to look at: invented artists, covers drawn here, and plays decided as the pipeline would decide them.

The pipeline's own functions write the rows and tell the events, so a page cannot tell the difference.
"""

from __future__ import annotations

import io
import random
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from PIL import Image, ImageDraw

from sleevenotes import clock, events, model
from sleevenotes.artwork import image
from sleevenotes.artwork.files import Files
from sleevenotes.pipeline.entering import Stored
from sleevenotes.pipeline.submit import Submitter
from sleevenotes.store import accounts, artworks, catalog, images, matches, postgres, traces
from sleevenotes.store import events as event_rows

PASSWORD = "records everywhere"


@dataclass(frozen=True)
class Sleeve:
    """An invented album: colours from ground to figure, and a drawing."""

    artist: str
    album: str
    date: str
    tracks: tuple[str, ...]
    colours: tuple[str, ...]
    drawing: str

    @property
    def mbid(self) -> str:
        return mbid("release-group", self.artist, self.album)


SLEEVES = (
    Sleeve(
        "Marrow & Tide",
        "Salt Almanac",
        "1974-03",
        ("Harbour Weather", "The Long Ebb", "Kelp", "Night Ferry"),
        ("#0d3b4f", "#e8b04a", "#d9573b", "#f3e7cf"),
        "sun",
    ),
    Sleeve(
        "Ilse Varga",
        "Paper Lanterns",
        "2011",
        ("Ninth Street", "Lantern Song", "Small Hours", "Ash"),
        ("#f0e4d0", "#c8402f", "#24324a"),
        "circles",
    ),
    Sleeve(
        "The Quiet Motors",
        "Overpass",
        "1998-09-21",
        ("Overpass", "Cats' Eyes", "Slip Road", "Hard Shoulder"),
        ("#1d1d22", "#f2c230", "#5a5a66"),
        "stripes",
    ),
    Sleeve(
        "Odile Marchetti",
        "Les heures bleues",
        "1966",
        ("Rue des Lilas", "Midi", "Les heures bleues"),
        ("#27458c", "#8fb4e3", "#f4efe6"),
        "blocks",
    ),
    Sleeve(
        "Hollow Pines",
        "Fieldnotes, Vol. 2",
        "2020-05-01",
        ("Fox Gate", "Thaw", "Barn Owl at Dusk"),
        ("#2f4a34", "#a8bf7a", "#e9e2c7"),
        "hills",
    ),
    Sleeve(
        "Neon Cartography",
        "Vector Garden",
        "2018",
        ("Gridlight", "Soft Machines Dream of Rain", "Vector Garden"),
        ("#2b1055", "#ff4f9a", "#35d0d6"),
        "rays",
    ),
    Sleeve(
        "Thandeka Moyo Quartet",
        "Live at the Assembly Hall",
        "1983",
        ("Umoya", "Blue Dassie", "Encore"),
        ("#a63a1e", "#f6c667", "#2a1a14"),
        "circles",
    ),
    Sleeve(
        "Björk Ásdísardóttir", "Jökull", "2003-11", ("Ís", "Jökull", "Vatn"), ("#dfe9ee", "#7fa7bd", "#1f3c4d"), "hills"
    ),
)


def mbid(*names: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, "/".join(names)))


def draw(sleeve: Sleeve, side: int = 600) -> bytes:
    """Draw a cover and return its JPEG bytes; the same sleeve gives the same cover."""
    chance = random.Random(sleeve.album)  # noqa: S311
    ground, *figures = sleeve.colours
    picture = Image.new("RGB", (side, side), ground)
    pen = ImageDraw.Draw(picture)
    {"sun": _sun, "circles": _circles, "stripes": _stripes, "blocks": _blocks, "hills": _hills, "rays": _rays}[
        sleeve.drawing
    ](pen, figures, side, chance)
    data = io.BytesIO()
    picture.save(data, "JPEG", quality=88)
    return data.getvalue()


def _sun(pen: ImageDraw.ImageDraw, figures: Sequence[str], side: int, _: random.Random) -> None:
    pen.ellipse((side * 0.2, side * 0.16, side * 0.8, side * 0.76), fill=figures[0])
    for at in range(9):
        top = side * (0.46 + at * 0.06)
        pen.rectangle((0, top, side, top + side * 0.012 * (at + 1)), fill=figures[1 if at < 5 else 2])


def _circles(pen: ImageDraw.ImageDraw, figures: Sequence[str], side: int, chance: random.Random) -> None:
    for at in range(14):
        radius = side * chance.uniform(0.04, 0.22)
        x, y = chance.uniform(0, side), chance.uniform(0, side)
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=figures[at % len(figures)])


def _stripes(pen: ImageDraw.ImageDraw, figures: Sequence[str], side: int, _: random.Random) -> None:
    for at in range(6):
        left = side * (0.1 + at * 0.14)
        pen.polygon(
            [(left, side), (left + side * 0.05, side), (side * 0.55, side * 0.2), (side * 0.53, side * 0.2)],
            fill=figures[at % 2],
        )


def _blocks(pen: ImageDraw.ImageDraw, figures: Sequence[str], side: int, chance: random.Random) -> None:
    step = side // 5
    for x in range(0, side, step):
        for y in range(0, side, step):
            if chance.random() < 0.55:
                pen.rectangle((x + 8, y + 8, x + step - 8, y + step - 8), fill=chance.choice(figures))


def _hills(pen: ImageDraw.ImageDraw, figures: Sequence[str], side: int, chance: random.Random) -> None:
    pen.ellipse((side * 0.6, side * 0.12, side * 0.82, side * 0.34), fill=figures[-1])
    for at in range(4):
        top = side * (0.42 + at * 0.14)
        points = [(x, top + chance.uniform(-30, 30)) for x in range(0, side + 60, 60)]
        pen.polygon([(0, side), *points, (side, side)], fill=figures[at % len(figures)])


def _rays(pen: ImageDraw.ImageDraw, figures: Sequence[str], side: int, _: random.Random) -> None:
    for at in range(12):
        pen.polygon(
            [(side / 2, side * 0.56), (side * at / 6 - side / 2, 0), (side * (at + 0.5) / 6 - side / 2, 0)],
            fill=figures[at % 2],
        )
    pen.ellipse((side * 0.32, side * 0.38, side * 0.68, side * 0.74), fill=figures[1])


class Listener:
    """An account whose plays are decided when told."""

    def __init__(self, database: postgres.Database, time: clock.Clock, files: Files) -> None:
        self.database = database
        self.clock = time
        self.files = files
        self.submitter = Submitter(database, time)
        self.account: accounts.Account
        self.token = ""

    async def arrive(self, name: str = "nora") -> accounts.Account:
        """Create the account and a token."""
        now = self.clock.now()
        async with self.database.transaction() as conn:
            self.account = await accounts.create(conn, name, PASSWORD, is_owner=True, now=now)
            self.token = await accounts.create_token(conn, self.account.id, "turntable", now)
        return self.account

    async def play(
        self,
        sleeve: Sleeve,
        track: str,
        at: datetime,
        *,
        app: str = "Quietplayer",
        sent: str = "",
        release: str | None = None,
    ) -> Stored:
        """Play a track, sent under another name where `sent` says so."""
        scrobble = model.Scrobble(
            artist=sleeve.artist,
            track=sent or track,
            release=sleeve.album if release is None else release,
            listened_at=at,
            duration_ms=201_000,
            source_app=app,
            origin="listenbrainz",
        )
        return (await self.submitter.submit(self.account.id, [scrobble], band=model.Band.DEFAULT))[0]

    async def play_now(self, sleeve: Sleeve, track: str) -> None:
        scrobble = model.Scrobble(
            artist=sleeve.artist, track=track, release=sleeve.album, source_app="Quietplayer", duration_ms=200_000
        )
        await self.submitter.play_now(self.account.id, scrobble)

    async def match(self, lookup_id: int, sleeve: Sleeve, track: str) -> int:
        """Decide a lookup, leave its traces, tell the page; return the release group's id."""
        now = self.clock.now()
        async with self.database.transaction() as conn:
            kept = (await catalog.keep(conn, [(recording(sleeve, track), release(sleeve))], now))[0]
            assert kept.release_id
            assert kept.release_group_id
            identity = matches.Identity(
                recording_id=kept.recording_id,
                release_id=kept.release_id,
                release_group_id=kept.release_group_id,
                source="musicbrainz",
                distance=0.02,
                reason="same artist and title, and the album that was sent",
            )
            await matches.settle(conn, [matches.matched(lookup_id, identity)], now)
            await artworks.want(conn, {kept.release_group_id: kept.release_id}, now)
            await self._trace(conn, "musicbrainz", "find_recording", "match", lookup_id, 3)
            told = events.LookupsDecided((lookup_id,))
            await event_rows.tell(conn, [self.account.id], told, now)
        return kept.release_group_id

    async def find_cover(self, release_group_id: int, sleeve: Sleeve) -> str:
        """Store the sleeve's cover and tell the page; return its digest."""
        data = draw(sleeve)
        digest = self.files.keep(data)
        examined = image.examine(data)
        now = self.clock.now()
        noun = examined.as_image(
            digest,
            source="coverartarchive",
            source_url=f"https://coverartarchive.org/release-group/{sleeve.mbid}/front",
        )
        async with self.database.transaction() as conn:
            image_id = await images.keep(conn, noun, now)
            await artworks.found(conn, release_group_id, image_id, "the front of the edition that was matched", now)
            await self._trace(conn, "coverartarchive", "fetch_image", "artwork", release_group_id, 1)
            await event_rows.tell(conn, [self.account.id], events.ArtworkDecided((release_group_id,)), now)
        return digest

    async def decide(self, lookup_id: int, status: model.Status, reason: str) -> None:
        """End a lookup without a match."""
        now = self.clock.now()
        outcome = matches.Outcome(lookup_id, status, reason, recheck_at=now + timedelta(days=1))
        async with self.database.transaction() as conn:
            await matches.settle(conn, [outcome], now)
            await event_rows.tell(conn, [self.account.id], events.LookupsDecided((lookup_id,)), now)

    async def _trace(
        self, conn: postgres.Connection, source: str, kind: str, stage: str, subject_id: int, candidates: int
    ) -> None:
        now = self.clock.now()
        key = uuid.uuid5(uuid.NAMESPACE_URL, f"{source}{subject_id}").bytes
        await conn.execute("INSERT INTO inquiries VALUES ($1, $2, $3) ON CONFLICT DO NOTHING", stage, subject_id, key)
        new = traces.New(key, kind, 1, now - timedelta(seconds=0.4), "answered", candidates)
        await traces.keep(conn, source, [new], asked_at=now, took_ms=812, status=200)


async def an_evening(listener: Listener, days: int = 3) -> None:
    """Fill the feed: a few days of plays, one awaited, one unknown, one unreachable, one playing now."""
    chance = random.Random(7)  # noqa: S311
    now = listener.clock.now()
    groups: dict[str, int] = {}
    at = now - timedelta(minutes=4)
    for number in range(days * 14):
        sleeve = SLEEVES[(number * 5 + number // 6) % len(SLEEVES)]
        track = sleeve.tracks[number % len(sleeve.tracks)]
        stored = await listener.play(sleeve, track, at, app="Pocketplayer" if number == 4 else "Quietplayer")
        groups[sleeve.album] = await listener.match(stored.lookup_id, sleeve, track)
        at -= timedelta(minutes=chance.choice((4, 5, 6)))
        if number % 14 == 13:
            at -= timedelta(hours=20)
    for sleeve in SLEEVES[:-1]:
        await listener.find_cover(groups[sleeve.album], sleeve)
    await listener.play_now(SLEEVES[0], SLEEVES[0].tracks[0])
    odd = Sleeve("Various", "", "", ("Track 07",), ("#000",), "sun")
    stored = await listener.play(odd, "Track 07", now - timedelta(minutes=21))
    await listener.decide(stored.lookup_id, model.Status.NOT_FOUND, "no source knows this artist and track")
    await listener.play(SLEEVES[4], "Thaw (Rehearsal)", now - timedelta(minutes=1))


def recording(sleeve: Sleeve, track: str) -> model.Recording:
    return model.Recording(
        mbid=mbid("recording", sleeve.artist, track),
        title=track,
        artist_credit=_credit(sleeve),
        length_ms=198_000 + 1000 * (len(track) % 50),
    )


def release(sleeve: Sleeve) -> model.Release:
    group = model.ReleaseGroup(
        mbid=sleeve.mbid, title=sleeve.album, primary_type="Album", first_release_date=sleeve.date
    )
    return model.Release(
        mbid=mbid("release", sleeve.album),
        title=sleeve.album,
        release_group=group,
        status="Official",
        date=sleeve.date,
        country="GB",
        track_count=10,
    )


def _credit(sleeve: Sleeve) -> model.ArtistCredit:
    first, joined, second = sleeve.artist.partition(" & ")
    names = [model.ArtistCreditName(mbid("artist", first), first, joined, sort_name=first)]
    if second:
        names.append(model.ArtistCreditName(mbid("artist", second), second, sort_name=second))
    return model.ArtistCredit(tuple(names))
