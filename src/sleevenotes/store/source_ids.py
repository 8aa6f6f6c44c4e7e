"""What sources themselves call recordings, albums and artists: one id of each at each source, and of each of its kinds.

    told       a source's answer held the thing, and was judged to mean it
    "has none" the source was asked for it, answered, and told no id of it; kept, so that it is not asked every night
    not there  nobody has asked it yet, or it could not be reached

An id that was told stands for STANDS, whatever other copy of the same album a shop names meanwhile; after that, what is
told last takes its place. A source that tells none any more takes no id away.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, Literal, NamedTuple

import msgspec

from sleevenotes.store.postgres import Connection

Of = Literal["recording", "release_group", "artist"]

STANDS: Final = timedelta(days=20)

_TABLES: Final[Mapping[Of, str]] = {"recording": "recordings", "release_group": "release_groups", "artist": "artists"}


class Told(msgspec.Struct, frozen=True):
    """That a source calls a row of the catalogue so; an `id` of "" says that it has none.

    `subject` is the row's id or its identity (`catalog.identity`); of one that is not there, nothing is kept.
    """

    of: Of
    subject: int | str
    source: str
    id: str
    kind: str = ""
    page: str = ""


class SourceId(msgspec.Struct, frozen=True):
    """An id at a source, `kind` the source's own where it has several; `page` is "" where it is not told."""

    source: str
    kind: str
    id: str
    page: str


class Ids(NamedTuple):
    """Ids by the catalogue's, of each kind of row; where none is told, the row is left out."""

    recordings: Mapping[int, Sequence[SourceId]]
    release_groups: Mapping[int, Sequence[SourceId]]
    artists: Mapping[int, Sequence[SourceId]]


NOTHING: Final = Ids({}, {}, {})

# ---------------------------------------------------------------- writing


async def tell(conn: Connection, told: Iterable[Told], now: datetime) -> None:
    """Keep what sources call things; call it in a transaction, once for all that is told in it.

    Of several ids of one thing at one source, the first counts. What is known already is not written, so not locked.
    """
    given = list(told)
    for of, table in _TABLES.items():
        if mine := [each for each in given if each.of == of]:
            await _tell(conn, of, table, mine, now)


async def _tell(conn: Connection, of: Of, table: str, told: Sequence[Told], now: datetime) -> None:
    is_news = """
        (old.foreign_id = '' OR new.foreign_id <> ''
         AND (old.told_at <= new.told_at - $7::interval
              OR old.foreign_id = new.foreign_id AND old.page = '' AND new.page <> ''))
    """
    await conn.execute(
        f"""
        WITH given AS (
            SELECT *, $6::timestamptz AS told_at, coalesce(
                    row_id, (SELECT id FROM {table} t WHERE t.mbid = given.mbid),
                    (SELECT id FROM {table} t WHERE t.foreign_id = given.identity)) AS subject_id
            FROM unnest($1::bigint[], $2::uuid[], $3::text[], $4::text[], $5::text[], $8::text[], $9::text[])
                WITH ORDINALITY AS given (row_id, mbid, identity, source, foreign_kind, foreign_id, page, place)
        ), new AS (
            SELECT DISTINCT ON (subject_id, source, foreign_kind) * FROM given WHERE subject_id IS NOT NULL
            ORDER BY subject_id, source, foreign_kind, foreign_id = '', place
        )
        INSERT INTO source_ids AS old ({of}_id, source, foreign_kind, foreign_id, page, told_at)
        SELECT subject_id, source, foreign_kind, foreign_id, page, told_at FROM new
        WHERE NOT EXISTS (SELECT FROM source_ids old WHERE old.{of}_id = subject_id AND old.source = new.source
                          AND old.foreign_kind = new.foreign_kind AND NOT {is_news})
        ORDER BY subject_id, source, foreign_kind
        ON CONFLICT ({of}_id, source, foreign_kind) WHERE {of}_id IS NOT NULL DO UPDATE
        SET foreign_id = excluded.foreign_id, told_at = excluded.told_at,
            page = CASE WHEN excluded.page = '' AND old.foreign_id = excluded.foreign_id
                        THEN old.page ELSE excluded.page END
        WHERE {is_news.replace("new.", "excluded.")}
        """,
        [each.subject if isinstance(each.subject, int) else None for each in told],
        [_mbid(each.subject) for each in told],
        [each.subject if isinstance(each.subject, str) else None for each in told],
        [each.source for each in told],
        [each.kind for each in told],
        now,
        STANDS,
        [each.id for each in told],
        [each.page if each.page.startswith("https://") else "" for each in told],  # it becomes a link
    )


def _mbid(subject: int | str) -> str | None:
    return subject if isinstance(subject, str) and ":" not in subject else None


async def merge(conn: Connection, recording_id: int, into_id: int) -> None:
    """Give a recording the ids of one that MusicBrainz has merged into it; its own stand."""
    await conn.execute(
        """
        INSERT INTO source_ids (recording_id, source, foreign_kind, foreign_id, page, told_at)
        SELECT $2, source, foreign_kind, foreign_id, page, told_at FROM source_ids WHERE recording_id = $1
        ON CONFLICT (recording_id, source, foreign_kind) WHERE recording_id IS NOT NULL DO NOTHING
        """,
        recording_id,
        into_id,
    )


# ---------------------------------------------------------------- reading


async def of_recording(conn: Connection, recording_id: int) -> Sequence[SourceId]:
    """Return what sources call a recording, in the order of their names."""
    return (await of_all(conn, recordings=[recording_id])).recordings.get(recording_id, ())


async def of_release_group(conn: Connection, release_group_id: int) -> Sequence[SourceId]:
    """Return what sources call an album."""
    return (await of_all(conn, release_groups=[release_group_id])).release_groups.get(release_group_id, ())


async def of_artist(conn: Connection, artist_id: int) -> Sequence[SourceId]:
    """Return what sources call an artist."""
    return (await of_all(conn, artists=[artist_id])).artists.get(artist_id, ())


async def of_all(
    conn: Connection,
    *,
    recordings: Sequence[int] = (),
    release_groups: Sequence[int] = (),
    artists: Sequence[int] = (),
) -> Ids:
    """Return what sources call these, in the order of the sources' names."""
    wanted = {"recording": recordings, "release_group": release_groups, "artist": artists}
    asked = {of: list(ids) for of, ids in wanted.items() if ids}
    found: dict[str, dict[int, list[SourceId]]] = {of: {} for of in wanted}
    parts = [
        f"SELECT '{of}' AS of, {of}_id AS subject_id, source, foreign_kind, foreign_id, page FROM source_ids "
        f"WHERE {of}_id = ANY(${place}::bigint[]) AND foreign_id <> ''"
        for place, of in enumerate(asked, start=1)
    ]
    if parts:
        rows = await conn.fetch(f"{' UNION ALL '.join(parts)} ORDER BY source, foreign_kind", *asked.values())
        for row in rows:
            one = SourceId(row["source"], row["foreign_kind"], row["foreign_id"], row["page"])
            found[row["of"]].setdefault(row["subject_id"], []).append(one)
    return Ids(found["recording"], found["release_group"], found["artist"])


# ---------------------------------------------------------------- what is to be collected


class Artist(msgspec.Struct, frozen=True):
    """An artist of a name's credit: `identity` is the catalogue's, `told_by` as Sought's."""

    identity: str
    mbid: str
    name: str
    credited: str
    told_by: tuple[str, ...]


class Sought(msgspec.Struct, frozen=True):
    """A matched name whose ids are collected: its recording, its album ("" where it is on none) and its artists.

    The `…_told_by` are the sources that need not be asked: they have told an id, or said lately that they have none.
    `since` is when that began. `masters` are the album's ids of that kind by source, `album_artists` the identities of
    who it is by.
    """

    lookup_id: int
    since: datetime
    recording: str
    recording_mbid: str
    title: str
    credit: str
    length_ms: int | None
    recording_told_by: tuple[str, ...]
    artists: tuple[Artist, ...]
    release_group: str
    release_group_mbid: str
    album: str
    album_credit: str
    primary_type: str
    release_group_told_by: tuple[str, ...]
    masters: tuple[tuple[str, str], ...]
    album_artists: tuple[str, ...]


async def sought(conn: Connection, lookup_ids: Sequence[int], now: datetime) -> list[Sought]:
    """Return those of these popular names whose ids are being collected, with what is known of them."""
    rows = await conn.fetch(_SOUGHT, list(lookup_ids), now - STANDS)
    return [msgspec.convert(dict(row), Sought) for row in rows]


def _told_by(of: Of, row: str) -> str:
    return f"""
        ARRAY(SELECT DISTINCT source FROM source_ids
              WHERE {of}_id = {row} AND (foreign_id <> '' OR told_at > $2) ORDER BY 1)
    """


_SOUGHT = f"""
    SELECT l.id AS lookup_id, p.ids_at AS since, coalesce(r.mbid::text, r.foreign_id) AS recording,
           coalesce(r.mbid::text, '') AS recording_mbid, r.title, c.name AS credit, r.length_ms,
           {_told_by("recording", "r.id")} AS recording_told_by, artists.listed AS artists,
           coalesce(g.mbid::text, g.foreign_id, '') AS release_group, coalesce(g.mbid::text, '') AS release_group_mbid,
           coalesce(g.title, '') AS album, coalesce(gc.name, '') AS album_credit,
           coalesce(g.primary_type, '') AS primary_type,
           {_told_by("release_group", "g.id")} AS release_group_told_by,
           coalesce((SELECT jsonb_agg(jsonb_build_array(source, foreign_id)) FROM source_ids
                     WHERE release_group_id = g.id AND foreign_kind = 'master'), '[]') AS masters,
           ARRAY(SELECT coalesce(a.mbid::text, a.foreign_id)
                 FROM artist_credit_names n JOIN artists a ON a.id = n.artist_id
                 WHERE n.artist_credit_id = g.artist_credit_id) AS album_artists
    FROM popular p JOIN lookups l ON l.id = p.lookup_id JOIN matches m ON m.id = l.match_id
    JOIN recordings r ON r.id = m.recording_id JOIN artist_credits c ON c.id = r.artist_credit_id
    LEFT JOIN release_groups g ON g.id = m.release_group_id LEFT JOIN artist_credits gc ON gc.id = g.artist_credit_id
    CROSS JOIN LATERAL (
        SELECT jsonb_agg(jsonb_build_object(
            'identity', coalesce(a.mbid::text, a.foreign_id), 'mbid', coalesce(a.mbid::text, ''), 'name', a.name,
            'credited', n.name, 'told_by', {_told_by("artist", "a.id")}) ORDER BY n.position) AS listed
        FROM artist_credit_names n JOIN artists a ON a.id = n.artist_id WHERE n.artist_credit_id = c.id
    ) artists
    WHERE l.id = ANY($1::bigint[]) AND p.ids_at IS NOT NULL ORDER BY l.id
"""
