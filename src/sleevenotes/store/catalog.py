"""The catalogue: artists, artist credits, release groups, releases and recordings, as the sources told them.

`keep` writes what a reply says, in one order of tables (artists, credits, release groups, releases,
recordings) and sorted by identity within each, so that workers which learn of the same artists at once queue
behind each other instead of deadlocking. Rows that already say the same are not written, hence not locked:
most replies repeat the known.

What a row is of is told by its MBID or, where its source gives none, by that source's own id ("deezer:123").
A noun with an MBID is never the row of a foreign id: when a name that was matched to Deezer's recording gets its
MusicBrainz match, its match points to another row, and the old row stays for whoever else is matched to it.

A newer reply overrides an older one, an empty fact never overrides a known one.
Reading for the pages is in `store.sleeves`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple, TypeVar, cast

import msgspec

from sleevenotes import model
from sleevenotes.store.postgres import Connection

HEARSAY = datetime(1970, 1, 1, tzinfo=UTC)
"""When a source said what no source said: what any source tells overrides it."""

_STALE = timedelta(days=1)  # `fetched_at` of rows that stay the same is written again after this, not at each reply


Identified = model.ArtistCreditName | model.ReleaseGroup | model.Release | model.Recording


class Kept(NamedTuple):
    """Where a recording and one of its releases are kept; without a release there is no group either."""

    recording_id: int
    release_id: int | None
    release_group_id: int | None


async def keep(
    conn: Connection, pairs: Sequence[tuple[model.Recording, model.Release | None]], now: datetime
) -> list[Kept]:
    """Write recordings, the releases they were found on, and all these mention; return their ids in order.

    `now` is when the source said so. Call it in a transaction, once for all that the transaction writes: a
    second call may deadlock with a neighbour's.
    """
    editions = [(release, release.artist_credit or recording.artist_credit) for recording, release in pairs if release]
    credit_ids = await _keep_credits(
        conn, [recording.artist_credit for recording, _ in pairs] + [credit for _, credit in editions]
    )
    editions_by_credit = [(release, credit_ids[credit_digest(credit)]) for release, credit in editions]
    groups = await _keep_release_groups(
        conn, [(release.release_group, credit_id) for release, credit_id in editions_by_credit], now
    )
    releases = await _keep_releases(
        conn,
        [(release, groups[identity(release.release_group)], credit) for release, credit in editions_by_credit],
        now,
    )
    recordings = await _keep_recordings(
        conn, [(recording, credit_ids[credit_digest(recording.artist_credit)]) for recording, _ in pairs], now
    )
    return [
        Kept(
            recordings[identity(recording)],
            releases[identity(release)] if release else None,
            groups[identity(release.release_group)] if release else None,
        )
        for recording, release in pairs
    ]


async def keep_hearsay(conn: Connection, pairs: Sequence[tuple[model.Recording, model.Release | None]]) -> list[Kept]:
    """Write what no source has told of, as `keep`; what is known stays as it is, and see HEARSAY.

    Of artists only id and name are taken: what else is told of them has no date, and would stay.
    """
    bare = [
        (
            msgspec.structs.replace(recording, artist_credit=_bare(recording.artist_credit)),
            release and msgspec.structs.replace(release, artist_credit=_bare(release.artist_credit)),
        )
        for recording, release in pairs
    ]
    return await keep(conn, bare, HEARSAY)


async def keep_hearsay_group(conn: Connection, group: model.ReleaseGroup, credit: model.ArtistCredit) -> int:
    """Write a release group that no source has told of, and return its id; see HEARSAY."""
    bare = _bare(credit)
    credit_ids = await _keep_credits(conn, [bare])
    groups = await _keep_release_groups(conn, [(group, credit_ids[credit_digest(bare)])], HEARSAY)
    return groups[identity(group)]


_Credit = TypeVar("_Credit", model.ArtistCredit, model.ArtistCredit | None)


def _bare(credit: _Credit) -> _Credit:
    if credit is None:
        return credit
    return model.ArtistCredit(
        tuple(
            model.ArtistCreditName(part.mbid, part.name, part.join_phrase, foreign_id=part.foreign_id)
            for part in credit.names
        )
    )


def identity(noun: Identified) -> str:
    """Return what tells one noun from another of its table: its MBID in lower case, else its foreign id.

    The two never look alike: a foreign id has a colon. Raises ValueError for what has neither.
    """
    if noun.mbid:
        return noun.mbid.lower()
    if ":" not in noun.foreign_id:
        raise ValueError(f"neither an MBID nor a foreign id like deezer:123: {noun!r}")
    return noun.foreign_id


def credit_digest(credit: model.ArtistCredit) -> bytes:
    """Identify a credit by 16 bytes of its artists' ids, credited names and join phrases. Stored: frozen."""
    parts = [(identity(part), part.name, part.join_phrase) for part in credit.names]
    return hashlib.blake2b(msgspec.json.encode(parts), digest_size=16).digest()


# ---------------------------------------------------------------- writing, table by table

Noun = TypeVar("Noun", bound=Identified)


def _merged(nouns: Iterable[Noun]) -> list[Noun]:
    """Return one noun per identity, sorted by it; a later one overrides, an earlier one fills its gaps."""
    found: dict[str, Noun] = {}
    for noun in nouns:
        key = identity(noun)
        other = found.get(key)
        if noun != other:  # in bulk, most are told again and again alike
            found[key] = _filled(noun, other) if other is not None else noun
    return [found[key] for key in sorted(found)]


def _filled(noun: Noun, other: Noun) -> Noun:
    gaps = {name: getattr(other, name) for name in noun.__struct_fields__ if getattr(noun, name) in (None, "", ())}
    return msgspec.structs.replace(noun, **gaps) if gaps else noun


async def _keep_artists(conn: Connection, credits_: Iterable[model.ArtistCredit]) -> dict[str, int]:
    """Write the artists of these credits and return their ids by identity.

    The name of a known artist changes only by a source that tells the sort name, too: others know how the
    artist was credited there, not what the artist is called.
    """
    artists = _merged(part for credit in credits_ for part in credit.names)
    keys = [identity(part) for part in artists]
    for kind in _KINDS:
        rows = kind.rows(keys)
        if rows:
            await _keep_artists_by(conn, kind, [artists[row] for row in rows])
    return await _ids(conn, "artists", keys)


async def _keep_artists_by(conn: Connection, kind: _Kind, artists: Sequence[model.ArtistCreditName]) -> None:
    await conn.execute(
        f"""
        INSERT INTO artists ({kind.column}, name, sort_name, disambiguation)
        SELECT new.* FROM unnest($1::{kind.type}[], $2::text[], $3::text[], $4::text[])
            AS new ({kind.column}, name, sort_name, disambiguation)
        LEFT JOIN artists AS old USING ({kind.column})
        WHERE old.id IS NULL
           OR (new.sort_name <> '' AND (new.sort_name, new.name) <> (old.sort_name, old.name))
           OR (new.disambiguation <> '' AND new.disambiguation <> old.disambiguation)
        ORDER BY {kind.column}
        ON CONFLICT ({kind.column}) DO UPDATE SET
            name = CASE WHEN excluded.sort_name = '' THEN artists.name ELSE excluded.name END,
            sort_name = coalesce(nullif(excluded.sort_name, ''), artists.sort_name),
            disambiguation = coalesce(nullif(excluded.disambiguation, ''), artists.disambiguation)
        """,
        [identity(part) for part in artists],
        [part.artist_name or part.name for part in artists],
        [part.sort_name for part in artists],
        [part.disambiguation for part in artists],
    )


async def _keep_credits(conn: Connection, credits_: Sequence[model.ArtistCredit]) -> dict[bytes, int]:
    """Write credits with their artists and return their ids by digest. Credits never change."""
    if not credits_:
        return {}
    artists = await _keep_artists(conn, credits_)
    once = {credit_digest(credit): credit for credit in credits_}
    digests = sorted(once)
    rows = await conn.fetch(
        """
        INSERT INTO artist_credits (digest, name)
        SELECT new.* FROM unnest($1::bytea[], $2::text[]) AS new (digest, name)
        LEFT JOIN artist_credits AS old USING (digest)
        WHERE old.id IS NULL
        ORDER BY digest
        ON CONFLICT (digest) DO NOTHING
        RETURNING id, digest
        """,
        digests,
        [once[digest].name for digest in digests],
    )
    await conn.executemany(
        """
        INSERT INTO artist_credit_names (artist_credit_id, position, artist_id, name, join_phrase)
        VALUES ($1, $2, $3, $4, $5)
        """,
        [
            (row["id"], position, artists[identity(part)], part.name, part.join_phrase)
            for row in rows
            for position, part in enumerate(once[row["digest"]].names)
        ],
    )
    known = await conn.fetch("SELECT digest, id FROM artist_credits WHERE digest = ANY($1::bytea[])", digests)
    return {row["digest"]: row["id"] for row in known}


async def _keep_release_groups(
    conn: Connection, given: Sequence[tuple[model.ReleaseGroup, int]], now: datetime
) -> dict[str, int]:
    """Write release groups; the credit is that of the edition they were first seen with, and stays."""
    credit_by_key = {identity(group): credit_id for group, credit_id in reversed(given)}
    groups = _merged(group for group, _ in given)
    keys = [identity(group) for group in groups]
    columns = (
        _Column("artist_credit_id", "bigint", [credit_by_key[key] for key in keys], stays=True),
        _Column("title", "text", [group.title for group in groups]),
        _Column("primary_type", "text", [group.primary_type for group in groups]),
        _Column("secondary_types", "text[]", [group.secondary_types for group in groups]),
        _Column("first_release_date", "text", [group.first_release_date for group in groups]),
    )
    return await _upsert(conn, "release_groups", keys, columns, now)


async def _keep_releases(
    conn: Connection, given: Sequence[tuple[model.Release, int, int]], now: datetime
) -> dict[str, int]:
    """Write releases given with the ids of their group and credit."""
    places = {identity(release): (group_id, credit_id) for release, group_id, credit_id in given}
    releases = _merged(release for release, _, _ in given)
    keys = [identity(release) for release in releases]
    columns = (
        _Column("release_group_id", "bigint", [places[key][0] for key in keys]),
        _Column("artist_credit_id", "bigint", [places[key][1] for key in keys]),
        _Column("title", "text", [release.title for release in releases]),
        _Column("status", "text", [release.status for release in releases]),
        _Column("date", "text", [release.date for release in releases]),
        _Column("country", "text", [release.country for release in releases]),
        _Column("track_count", "integer", [release.track_count for release in releases]),
    )
    return await _upsert(conn, "releases", keys, columns, now)


async def _keep_recordings(
    conn: Connection, given: Sequence[tuple[model.Recording, int]], now: datetime
) -> dict[str, int]:
    """Write recordings given with the ids of their credits."""
    credit_by_key = {identity(recording): credit_id for recording, credit_id in given}
    recordings = _merged(recording for recording, _ in given)
    keys = [identity(recording) for recording in recordings]
    columns = (
        _Column("artist_credit_id", "bigint", [credit_by_key[key] for key in keys]),
        _Column("title", "text", [recording.title for recording in recordings]),
        _Column("length_ms", "integer", [recording.length_ms for recording in recordings]),
        _Column("disambiguation", "text", [recording.disambiguation for recording in recordings]),
        _Column("first_release_date", "text", [recording.first_release_date for recording in recordings]),
        _Column("isrcs", "text[]", [recording.isrcs for recording in recordings]),
    )
    return await _upsert(conn, "recordings", keys, columns, now)


class _Kind(NamedTuple):
    """One of the two kinds of identity: its column and type."""

    column: str
    type: str

    def rows(self, keys: Sequence[str]) -> list[int]:
        """Return the places of those identities that are of this kind."""
        return [place for place, key in enumerate(keys) if (":" in key) == (self.column == "foreign_id")]


_KINDS = (_Kind("mbid", "uuid"), _Kind("foreign_id", "text"))


class _Column(NamedTuple):
    """One column of what is written; `stays` where only the first writer sets it."""

    name: str
    type: str
    values: Sequence[object]
    stays: bool = False

    @property
    def parameter(self) -> Sequence[object]:
        """What is sent; lists travel as lines, since PostgreSQL has no array of arrays of differing lengths."""
        if self.type != "text[]":
            return self.values
        return ["\n".join(cast("Sequence[str]", each)) for each in self.values]

    @property
    def empty(self) -> str:
        """What says nothing, in SQL."""
        return {"text": "''", "text[]": "'{}'::text[]"}.get(self.type, "NULL")


async def _upsert(
    conn: Connection, table: str, keys: Sequence[str], columns: Sequence[_Column], now: datetime
) -> dict[str, int]:
    """Write rows by identity and return their ids: new ones, and old ones of which something newer is told."""
    for kind in _KINDS:
        rows = kind.rows(keys)
        if rows:
            own = [column._replace(values=[column.values[row] for row in rows]) for column in columns]
            await _upsert_by(conn, table, (kind, [keys[row] for row in rows]), own, now)
    return await _ids(conn, table, keys)


async def _upsert_by(
    conn: Connection, table: str, keyed: tuple[_Kind, Sequence[str]], columns: Sequence[_Column], now: datetime
) -> None:
    """Write rows by one kind of identity.

    An empty value overrides nothing, nor does anything an answer that is older than the row.
    """
    kind, keys = keyed
    names = ", ".join(column.name for column in columns)
    lines = ", ".join(
        f"string_to_array({column.name}, E'\\n') AS {column.name}" if column.type == "text[]" else column.name
        for column in columns
    )
    given = ", ".join(f"${3 + i}::{column.type.removesuffix('[]')}[]" for i, column in enumerate(columns, start=1))
    moving = [column for column in columns if not column.stays]
    tells = " OR ".join(
        f"coalesce(nullif(new.{column.name}, {column.empty}), old.{column.name}) IS DISTINCT FROM old.{column.name}"
        for column in moving
    )
    overrides = ", ".join(
        f"{column.name} = coalesce(nullif(excluded.{column.name}, {column.empty}), {table}.{column.name})"
        for column in moving
    )
    await conn.execute(
        f"""
        WITH new AS (
            SELECT {kind.column}, {lines}
            FROM unnest($1::{kind.type}[], {given}) AS given ({kind.column}, {names})
        )
        INSERT INTO {table} ({kind.column}, {names}, fetched_at)
        SELECT new.*, $2 FROM new LEFT JOIN {table} AS old USING ({kind.column})
        WHERE old.id IS NULL OR old.fetched_at < $3 OR (old.fetched_at <= $2 AND ({tells}))
        ORDER BY {kind.column}
        ON CONFLICT ({kind.column}) DO UPDATE SET {overrides}, fetched_at = excluded.fetched_at
        WHERE {table}.fetched_at <= excluded.fetched_at
        """,
        keys,
        now,
        now - _STALE,
        *(column.parameter for column in columns),
    )


async def _ids(conn: Connection, table: str, keys: Sequence[str]) -> dict[str, int]:
    """Return ids by identity: of rows just written, left as they were, or written by a neighbour."""
    found: dict[str, int] = {}
    for kind in _KINDS:
        own = [keys[row] for row in kind.rows(keys)]
        if own:
            rows = await conn.fetch(
                f"SELECT {kind.column}::text AS key, id FROM {table} WHERE {kind.column} = ANY($1::{kind.type}[])", own
            )
            found |= {row["key"]: row["id"] for row in rows}
    return found
