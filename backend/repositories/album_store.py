"""Storing albums: one transaction each, or thousands at a time, by the same statements."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from datetime import UTC
from typing import Final

import msgspec

from backend.models.ingestion_models import AlbumRecord, MergedAlbum, Rights, SourceRecord
from backend.repositories.bulk import write
from backend.repositories.database import Connection, Database

Item = tuple[MergedAlbum, Sequence[SourceRecord]]

_CHUNK: Final = 1_000  # albums a transaction in bulk: enough to be set-based, small enough to hold few locks


class AlbumRepository:
    """Where albums are kept; `ingestion.store.AlbumStore`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @contextlib.asynccontextmanager
    async def transaction(self, lock: Sequence[str]) -> AsyncIterator[AlbumTransaction]:
        """Begin; others that name one of the same locks wait until it ends."""
        async with self._database.transaction() as connection:
            # In one order for all, so that two never wait for each other.
            await connection.execute(
                "SELECT pg_advisory_xact_lock(hashtextextended(name, 0)) FROM "
                "(SELECT DISTINCT name FROM unnest($1::text[]) AS name ORDER BY name) AS names",
                sorted(set(lock)),
            )
            yield AlbumTransaction(connection)

    async def save_many(self, items: Iterable[Item]) -> int:
        """Store many albums, a thousand a transaction; unchanged rows are not touched.

        Returns:
            The number of albums.
        """
        count = 0
        rest = iter(items)
        while chunk := list(itertools.islice(rest, _CHUNK)):
            async with self._database.transaction() as connection:
                await write(connection, chunk)
            count += len(chunk)
        return count


class AlbumTransaction:
    """One album's transaction; `ingestion.store.AlbumTransaction`."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def locate(self, *, ids: Mapping[str, str], artist_key: str, title_key: str) -> str | None:
        """The id of a stored album: by what services call it, else by its folded names; None when it is new.

        A stored album of the same name that a service calls by another id than `ids` does is another album.
        """
        known = await self._connection.fetchval(
            "SELECT i.album_id FROM album_identifiers i JOIN unnest($1::text[], $2::text[]) AS w(source, external_id) "
            "USING (source, external_id) ORDER BY i.source LIMIT 1",
            list(ids),
            list(ids.values()),
        )
        if known is not None:
            return str(known)
        named = await self._connection.fetchval(
            "SELECT a.id FROM albums a WHERE a.artist_key = $1 AND a.title_key = $2 AND NOT EXISTS ("
            " SELECT FROM album_identifiers i JOIN unnest($3::text[]) AS w(source) USING (source) WHERE i.album_id = a.id"
            ") ORDER BY a.created_at, a.id LIMIT 1",
            artist_key,
            title_key,
            list(ids),
        )
        return None if named is None else str(named)

    async def is_taken(self, album_id: str) -> bool:
        """Whether an album has this id already."""
        return bool(await self._connection.fetchval("SELECT EXISTS (SELECT FROM albums WHERE id = $1)", album_id))

    async def records(self, album_id: str) -> list[SourceRecord]:
        """What is currently known of it, per source."""
        rows = await self._connection.fetch(
            "SELECT source, rights, fetched_at, record::text AS record FROM source_records "
            "WHERE album_id = $1 AND valid_to IS NULL ORDER BY source",
            album_id,
        )
        return [
            SourceRecord(
                source=row["source"],
                rights=Rights(row["rights"]),
                fetched_at=row["fetched_at"].astimezone(UTC),
                album=msgspec.json.decode(row["record"], type=AlbumRecord),
            )
            for row in rows
        ]

    async def save(self, album: MergedAlbum, records: Sequence[SourceRecord]) -> None:
        """Store the records asked for now and the album merged from all current ones."""
        await write(self._connection, [(album, records)])
