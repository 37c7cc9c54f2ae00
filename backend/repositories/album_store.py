"""Writing albums: one transaction per album, or thousands at once; the same COPY and merge for both."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import AsyncIterator, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, TypeAlias

import asyncpg

from backend.models.ingestion_models import AlbumNames, MergedAlbum, RightsLevel, SourceRecord
from backend.repositories import recordings
from backend.repositories import records as kept
from backend.repositories.album_rows import Rows
from backend.repositories.database import Connection, Database
from backend.repositories.staging import (
    ALBUM_COLUMNS,
    ARTISTS,
    BY_LAYER,
    DEFINE,
    DEFINE_KNOWN,
    IDENTIFIERS,
    MERGE_ARTISTS,
    MERGE_IDENTIFIERS,
    MERGE_KNOWN,
    MERGE_ORIGINS,
    NEW_RECORD_COLUMNS,
    NEW_RECORDS,
    NEW_TRACK_COLUMNS,
    SAID,
)
from backend.utils.errors import InvalidInputError

Levels: TypeAlias = Mapping[RightsLevel, MergedAlbum]
Item: TypeAlias = tuple[Levels, Sequence[SourceRecord]]

_ALBUMS_AT_ONCE: Final = 2_000  # per transaction of a bulk write: about 20,000 tracks
# Single albums share it, a bulk write has it alone: it may touch any album, and a lock for each would fill the lock table.
BULK_LOCK: Final = 0x74656E736F65  # "tensoe"

_FOUND: Final = "found:"  # of the names of locks: those of albums that are stored, taken after all others

# By what services call it: the album that most of them mean, then the oldest; none that the surest service calls otherwise.
_BY_IDS: Final = """
WITH named AS (
    SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bool[]) AS n (number, source, external_id, surest)
), found AS (
    SELECT n.number, a.id, a.created_at, count(*) AS times, bool_or(n.surest) AS sure
    FROM named n JOIN album_identifiers i USING (source, external_id) JOIN albums a ON a.id = i.album_id
    GROUP BY n.number, a.id, a.created_at
)
SELECT DISTINCT ON (f.number) f.number, f.id FROM found f
WHERE f.sure OR NOT EXISTS (
    SELECT FROM named n JOIN album_identifiers s USING (source) WHERE n.number = f.number AND n.surest AND s.album_id = f.id)
ORDER BY f.number, f.times DESC, f.created_at, f.id
"""
# By name, unless a service that names this one calls the stored one something else: then it is another album.
_BY_NAME: Final = """
SELECT DISTINCT ON (n.number) n.number, a.id
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[]) AS n (number, artist_key, title_key, source)
JOIN albums a USING (artist_key, title_key)
WHERE NOT EXISTS (SELECT FROM album_identifiers i WHERE i.album_id = a.id AND i.source = n.source)
ORDER BY n.number, a.created_at, a.id
"""
_CURRENT: Final = """
SELECT album_id, source, rights, record::text AS record, fetched_at FROM source_records
WHERE album_id = ANY($1::text[]) AND valid_to IS NULL ORDER BY album_id, source
"""
# Which of the albums are there, and the ids of the artists.
_STORED: Final = """
SELECT id, NULL AS artist_key FROM albums WHERE id = ANY($1::text[])
UNION ALL SELECT id, name_key FROM artists WHERE name_key = ANY($2::text[])
"""


class AlbumRepository:
    """Where albums are kept.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextlib.asynccontextmanager
    async def transaction(self, lock: Sequence[str]) -> AsyncIterator[AlbumTransaction]:
        """A transaction of albums; others that name one of the same locks wait until it ends.

        Raises:
            BusyError: no connection became free.
        """
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock_shared($1)", BULK_LOCK)
            await _lock(connection, [name for name in lock if not name.startswith(_FOUND)])
            await _lock(connection, [name for name in lock if name.startswith(_FOUND)])
            yield AlbumTransaction(connection)

    async def save_many(self, items: Iterable[Item]) -> int:
        """Store many albums that are merged already, under the ids they have; some thousand per transaction.

        Albums that are stored under these ids become what is given; equal ones are not touched.

        Args:
            items: each album with the records asked for now; taken piece by piece, so a generator needs no memory.

        Returns:
            How many albums were given.

        Raises:
            InvalidInputError: a value does not fit its column; the chunk it stands in was not stored, those before it were.
        """
        given, rest = 0, iter(items)

        def prepare() -> Rows:
            return Rows.of(islice(rest, _ALBUMS_AT_ONCE))

        # The next rows are made while the database is busy with these, and without holding up the event loop.
        preparing = asyncio.create_task(asyncio.to_thread(prepare))
        try:
            while (rows := await preparing).given:
                preparing = asyncio.create_task(asyncio.to_thread(prepare))
                async with self._database.transaction() as connection:
                    await lock_all(connection)
                    await write(connection, rows)
                given += rows.given
        finally:
            await asyncio.wait([preparing])
        return given


class AlbumTransaction:
    """A transaction of albums; see `ingestion.store.AlbumTransaction`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def locate(self, names: Sequence[AlbumNames]) -> list[str | None]:
        """The ids of the stored albums that are meant, None for those that are new."""
        found: dict[int, str] = {}
        called = [
            (number, source, external_id, place == 0)
            for number, name in enumerate(names)
            for place, (source, external_id) in enumerate(name.ids.items())
        ]
        if called:
            found = dict(await self._connection.fetch(_BY_IDS, *map(list, zip(*called, strict=True))))
        named = [
            (number, name.artist_key, name.title_key, next(iter(name.ids), None))
            for number, name in enumerate(names)
            if number not in found
        ]
        if named:
            found |= dict(await self._connection.fetch(_BY_NAME, *map(list, zip(*named, strict=True))))
        # Others may have found them by other names, and so under other locks. Who has these waits for no further one.
        await _lock(self._connection, [f"{_FOUND}{album_id}" for album_id in found.values()])
        return [found.get(number) for number in range(len(names))]

    async def taken(self, album_ids: Collection[str]) -> set[str]:
        """Those ids that an album has already."""
        rows = await self._connection.fetch("SELECT id FROM albums WHERE id = ANY($1::text[])", list(album_ids))
        return {row["id"] for row in rows}

    async def records(self, album_ids: Collection[str]) -> dict[str, list[SourceRecord]]:
        """What is currently known of each, per source."""
        known: dict[str, list[SourceRecord]] = {album_id: [] for album_id in album_ids}
        for row in await self._connection.fetch(_CURRENT, list(album_ids)) if album_ids else ():
            told = kept.decode(row["record"], source=row["source"], rights=row["rights"], fetched_at=row["fetched_at"])
            known[row["album_id"]].append(told)
        return known

    async def save(self, albums: Sequence[Item]) -> None:
        """Store the albums at each level, and the records asked for now.

        Raises:
            InvalidInputError: a value does not fit its column.
        """
        await _lock(self._connection, [f"{_FOUND}{levels[RightsLevel.ANY].id}" for levels, _ in albums])
        await write(self._connection, Rows.of(albums))


async def write(connection: Connection, rows: Rows) -> None:
    """Store rows; the connection is in a transaction and holds the albums' locks.

    New albums are copied straight to where they stay, known ones are copied beside it and merged.

    Raises:
        InvalidInputError: a value does not fit its column.
    """
    copy = connection.copy_records_to_table
    await connection.execute(DEFINE)
    with _refused():
        await copy(ARTISTS.table, records=rows.artists, columns=ARTISTS.names)
        await connection.execute(MERGE_ARTISTS)
        stored = await connection.fetch(_STORED, rows.albums, rows.artist_keys)
        known = {row["id"] for row in stored if row["artist_key"] is None}
        rows.name_artists({row["artist_key"]: row["id"] for row in stored if row["artist_key"] is not None})
        before = await recordings.of_albums(connection, known)
        if known:
            await connection.execute(DEFINE_KNOWN)
        for level, stages in BY_LAYER.items():
            new = rows.levels[level].without(known)
            await copy(stages.layer.albums, records=new.albums, columns=ALBUM_COLUMNS)
            await copy(stages.layer.tracks, records=new.tracks, columns=NEW_TRACK_COLUMNS)
            if known:
                old = rows.levels[level].only(known)
                await copy(stages.albums.table, records=old.albums, columns=stages.albums.names)
                await copy(stages.tracks.table, records=old.tracks, columns=stages.tracks.names)
        if known:
            await connection.execute(MERGE_KNOWN)
        await recordings.link(connection, rows.albums, before)
        await copy(IDENTIFIERS.table, records=rows.identifiers, columns=IDENTIFIERS.names)
        await copy(SAID.table, records=rows.said, columns=SAID.names)
        await connection.execute(MERGE_ORIGINS if known else MERGE_IDENTIFIERS)
        said = [tuple(row) for row in await connection.fetch(NEW_RECORDS)]
        await copy("source_records", records=rows.new_records(said), columns=NEW_RECORD_COLUMNS)


@contextlib.contextmanager
def _refused() -> Iterator[None]:
    try:
        yield
    except (asyncpg.DataError, asyncpg.ProgramLimitExceededError, OverflowError, ValueError) as problem:
        # The limit: names that together are too long for an index.
        raise InvalidInputError(f"An album holds a value that its column cannot: {problem}") from problem


async def lock_all(connection: Connection) -> None:
    """Keep everybody else from storing albums until the transaction ends."""
    await connection.execute("SELECT pg_advisory_xact_lock($1)", BULK_LOCK)


async def _lock(connection: Connection, names: Sequence[str]) -> None:
    if not names:
        return
    # In one order for everybody, so that two who want the same locks cannot each hold one and wait.
    keys = sorted({_lock_key(name) for name in names})
    await connection.execute("SELECT pg_advisory_xact_lock(k) FROM unnest($1::bigint[]) AS k", keys)


def _lock_key(name: str) -> int:
    return int.from_bytes(hashlib.blake2b(name.encode("utf-8", "replace"), digest_size=8).digest(), signed=True)
