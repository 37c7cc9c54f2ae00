"""Bulk imports in the database: which stored albums a part may be about, new albums by COPY, and how far an import has come."""

from __future__ import annotations

import asyncio
import contextlib
import io
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import asyncpg
import orjson

from backend.models.ingestion_models import RightsLevel
from backend.repositories import recordings
from backend.repositories.album_store import lock_all
from backend.repositories.database import Connection, Database
from backend.repositories.layers import LAYERS
from backend.repositories.staging import ALBUM_COLUMNS, ARTISTS, MERGE_ARTISTS, NEW_TRACK_COLUMNS, RECORD_COLUMNS
from backend.utils.errors import InvalidInputError

# Each statement reads one table by an index: joins of arrays this long are planned badly where a table has just grown.
_BY_ID: Final = "id = ANY($1::text[])"
_BY_KEY: Final = "artist_key = ANY($1::text[]) AND title_key = ANY($2::text[])"
# Of others' albums, those of an artist may be meant under another title.
_BY_ARTIST: Final = "artist_key = ANY($1::text[])"
_ALBUMS: Final = """
SELECT id, title, artist, artist_key, title_key, extract(year FROM release_date)::int AS year, total_tracks, created_at
FROM albums WHERE
"""
_CALLED_SO: Final = """
SELECT source, external_id, album_id FROM album_identifiers WHERE source = ANY($1::text[]) AND external_id = ANY($2::text[])
"""
_CALLED: Final = "SELECT album_id, source, external_id FROM album_identifiers WHERE album_id = ANY($1::text[])"
_SAID: Final = """
SELECT album_id, digest, rights FROM source_records WHERE album_id = ANY($1::text[]) AND source = $2 AND valid_to IS NULL
"""
_OTHERS: Final = """
SELECT (SELECT count(*) FROM albums) > (SELECT count(*) FROM source_records WHERE source = $1 AND valid_to IS NULL)
"""
_ODD_ARTISTS: Final = """
SELECT a.name_key FROM artists a JOIN unnest($1::text[], $2::text[]) AS g (id, name_key) USING (name_key) WHERE a.id <> g.id
"""
_IDENTIFIERS: Final = """
INSERT INTO album_identifiers (source, external_id, album_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING
"""
# Tables that have just grown have no statistics yet; looking each new track up by its indexes is right at every size.
_BY_INDEX: Final = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
_BEGIN: Final = """
INSERT INTO bulk_imports (id, files, mapping, source) VALUES ($1, $2::jsonb, $3::jsonb, $4)
ON CONFLICT (id) DO UPDATE SET updated_at = now() RETURNING done_parts, finished_at IS NOT NULL AS finished
"""
_DONE: Final = "UPDATE bulk_imports SET done_parts = $2, updated_at = now() WHERE id = $1"
_FINISHED: Final = """
UPDATE bulk_imports SET done_parts = 0, report = $2::jsonb, updated_at = now(), finished_at = now() WHERE id = $1
"""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored album that a row may be about, and whether its source says something of it already (`digest`)."""

    id: str
    title: str
    artist: str
    artist_key: str
    title_key: str
    year: int | None
    total_tracks: int | None
    ids: Mapping[str, str]
    digest: str | None
    rights: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NewRows:
    """Rows of albums that are not stored yet; bytes are in COPY's text form, columns as `staging` names them.

    Attributes:
        ids: the albums'.
        levels: of rights, at which they are shown.
        artists: id, name, folded name, ids.
        albums: at each of the levels.
        tracks: likewise.
        identifiers: service, its identifier, our id.
        records: what the source said.
    """

    ids: list[str]
    levels: tuple[RightsLevel, ...]
    artists: list[tuple[str, str, str, str]]
    albums: bytes
    tracks: bytes
    identifiers: list[tuple[str, str, str]] = field(default_factory=list)
    records: bytes = b""


class AlreadyStoredError(Exception):
    """Somebody stored one of the albums meanwhile: they have to be looked up again."""


class TableStore:
    """Where bulk imports keep albums and their own progress.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self,
        *,
        source: str,
        album_ids: Sequence[str],
        ids: Sequence[tuple[str, str]],
        keys: Sequence[tuple[str, str]],
        others: bool,
    ) -> list[Stored]:
        """The stored albums that some rows may be about, the oldest first.

        Args:
            source: whose rows they are.
            album_ids: our own.
            ids: service and its identifier of an album.
            keys: folded artist and title.
            others: also albums of the same artists of which the source says nothing.
        """
        artists, titles = [list(c) for c in zip(*keys, strict=True)] if keys else ([], [])
        async with self._database.connection() as connection:
            services, names = [list(c) for c in zip(*ids, strict=True)] if ids else ([], [])
            meant = await connection.fetch(_CALLED_SO, sorted(set(services)), names) if ids else []
            wanted = {*album_ids, *(row["album_id"] for row in meant)}
            rows = await connection.fetch(_ALBUMS + _BY_ID, list(wanted))
            rows += await connection.fetch(_ALBUMS + _BY_KEY, artists, titles)
            if others:
                rows += await connection.fetch(_ALBUMS + _BY_ARTIST, artists)
            by_id = {row["id"]: row for row in rows}
            if not by_id:
                return []
            called: dict[str, dict[str, str]] = {}
            for album_id, service, name in await connection.fetch(_CALLED, list(by_id)):
                called.setdefault(album_id, {})[service] = name
            for service, name, album_id in meant:  # an album may be called by several identifiers of one service
                called[album_id][service] = name
            said = {row["album_id"]: row for row in await connection.fetch(_SAID, list(by_id), source)}
        return [
            Stored(
                **{
                    name: row[name]
                    for name in ("id", "title", "artist", "artist_key", "title_key", "year", "total_tracks")
                },
                ids=called.get(row["id"], {}),
                digest=said[row["id"]]["digest"] if row["id"] in said else None,
                rights=said[row["id"]]["rights"] if row["id"] in said else None,
            )
            for row in sorted(by_id.values(), key=lambda row: (row["created_at"], row["id"]))
        ]

    async def has_others(self, source: str) -> bool:
        """Whether there are albums of which a source says nothing."""
        async with self._database.connection() as connection:
            return bool(await connection.fetchval(_OTHERS, source))

    async def odd_artists(self, keys: Mapping[str, str]) -> set[str]:
        """The folded names of artists that are stored under another id than theirs (by id that is theirs)."""
        async with self._database.connection() as connection:
            return {row[0] for row in await connection.fetch(_ODD_ARTISTS, list(keys), list(keys.values()))}

    async def names(self) -> tuple[list[str], list[tuple[str, str]]]:
        """MusicBrainz's identifiers of the stored albums, and folded artist and title of those that have none."""
        async with self._database.connection() as connection:
            called = await connection.fetch("SELECT external_id FROM album_identifiers WHERE source = 'musicbrainz'")
            others = await connection.fetch(
                "SELECT DISTINCT artist_key, title_key FROM albums a WHERE NOT EXISTS (SELECT FROM album_identifiers n "
                "WHERE n.album_id = a.id AND n.source = 'musicbrainz')"
            )
        return [row[0] for row in called], [(row[0], row[1]) for row in others]

    # -- storing -----------------------------------------------------------------------------------

    async def add(self, parts: Sequence[NewRows], *, again: Sequence[str], progress: tuple[str, int]) -> None:
        """Store new albums, each part over a connection of its own; afterwards say which recordings they hold and how far it is.

        Everything can be repeated: a part that is stored while the progress is not is found stored the next time.

        Args:
            parts: of which no album is stored.
            again: ids of further albums whose recordings are to be linked anew.
            progress: the import, and how many of its parts are done now.

        Raises:
            AlreadyStoredError: somebody stored one of the albums meanwhile; nothing was stored.
            InvalidInputError: a value does not fit its column.
        """
        ids = [id_ for part in parts for id_ in part.ids]
        if not ids and not again:
            async with self._database.connection() as connection:
                await connection.execute(_DONE, *progress)
            return
        async with self._database.transaction() as holder:
            # One connection holds the lock for the others: who else stores albums waits.
            await lock_all(holder)
            if ids and await holder.fetchval("SELECT EXISTS (SELECT FROM albums WHERE id = ANY($1::text[]))", ids):
                raise AlreadyStoredError
            async with self._quick() as connection:
                await _artists(connection, [artist for part in parts for artist in part.artists])
            await asyncio.gather(*(self._part(part) for part in parts))
            await holder.execute(_BY_INDEX)
            await recordings.link(holder, [*ids, *again], {})
            await holder.execute(_DONE, *progress)

    async def _part(self, part: NewRows) -> None:
        async with self._quick() as connection:
            for level in part.levels:
                await _copy(connection, LAYERS[level].albums, part.albums, ALBUM_COLUMNS)
                await _copy(connection, LAYERS[level].tracks, part.tracks, NEW_TRACK_COLUMNS)
            await _copy(connection, "source_records", part.records, RECORD_COLUMNS)
            if part.identifiers:
                await connection.execute(_IDENTIFIERS, *(list(c) for c in zip(*part.identifiers, strict=True)))

    @contextlib.asynccontextmanager
    async def _quick(self) -> AsyncIterator[Connection]:
        """A transaction whose end is not waited for: what a crash takes is done again, for the progress is written after it."""
        async with self._database.transaction() as connection:
            await connection.execute("SET LOCAL synchronous_commit = off")
            with _refused():
                yield connection

    # -- progress ----------------------------------------------------------------------------------

    async def begin(self, key: str, *, files: Any, mapping: Any, source: str) -> tuple[int, bool]:
        """How many parts of an import are done already, and whether it was finished once."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                _BEGIN, key, orjson.dumps(files).decode(), orjson.dumps(mapping).decode(), source
            )
        return (0, True) if row["finished"] else (row["done_parts"], False)

    async def finish(self, key: str, report: Any) -> None:
        """Note that an import is whole."""
        async with self._database.transaction() as connection:
            await connection.execute(_FINISHED, key, orjson.dumps(report).decode())


async def _artists(connection: Connection, artists: Sequence[tuple[str, str, str, str]]) -> None:
    await connection.execute(ARTISTS.definition)
    await connection.copy_records_to_table(ARTISTS.table, records=artists, columns=ARTISTS.names)
    await connection.execute(MERGE_ARTISTS)


async def _copy(connection: Connection, table: str, rows: bytes, columns: Sequence[str]) -> None:
    if rows:
        await connection.copy_to_table(table, source=io.BytesIO(rows), columns=columns)


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except (asyncpg.DataError, asyncpg.ProgramLimitExceededError) as problem:
        raise InvalidInputError(f"An album holds a value that its column cannot: {problem}") from problem
