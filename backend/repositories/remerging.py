"""Making the rows anew from what the sources said: all of them, or after a source was taken out."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from backend.models.ingestion_models import MergedAlbum, RightsLevel, SourceRecord
from backend.repositories import records as kept
from backend.repositories.album_removal import remove
from backend.repositories.album_rows import Rows
from backend.repositories.album_store import lock_all, write
from backend.repositories.database import Connection, Database

Merge: TypeAlias = Callable[[str, Sequence[SourceRecord]], Mapping[RightsLevel, MergedAlbum] | None]
"""The album of an id from its current records; None when none of them counts any more."""
Say: TypeAlias = Callable[[str, Sequence[SourceRecord]], SourceRecord | None]
"""What a source says of an album now, made of all current records."""
Progress: TypeAlias = Callable[[int, int], None]
"""Told how many albums are done, of how many."""

_AT_ONCE: Final = 500  # albums per transaction; ingestion waits for as long
_PAGE: Final = "SELECT id FROM albums WHERE id > $1 ORDER BY id LIMIT $2"
_PAGE_OF_SOURCE: Final = """
SELECT DISTINCT album_id AS id FROM source_records WHERE source = $3 AND album_id > $1 ORDER BY album_id LIMIT $2
"""
_CURRENT: Final = """
SELECT album_id, source, rights, record::text AS record, fetched_at FROM source_records
WHERE album_id = ANY($1::text[]) AND valid_to IS NULL ORDER BY album_id, source
"""
_PURGE: Final = """
WITH gone AS (
    DELETE FROM source_records WHERE source = $1 AND album_id = ANY($2::text[]) RETURNING album_id, known_from
)
INSERT INTO removals (source, albums, records, known_from)
SELECT $1, count(DISTINCT album_id), count(*), min(known_from) FROM gone HAVING count(*) > 0 RETURNING records
"""
_FORGET: Final = (
    "DELETE FROM source_memory WHERE source = $1",
    "DELETE FROM unmatched_albums WHERE source = $1",
    "UPDATE ingest_steps SET detail = '', record = NULL, candidates = NULL WHERE source = $1 "
    "AND (detail <> '' OR record IS NOT NULL OR candidates IS NOT NULL)",
    "UPDATE artists SET ids = ids - $1 WHERE ids ? $1",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Remerged:
    """What became of the albums.

    Attributes:
        albums: how many were merged anew.
        changed: how many of them are other than before, at any level of rights.
        removed: of how many nobody says anything any more; they are gone.
        records: how many records of a purged source are gone, past ones included.
    """

    albums: int = 0
    changed: int = 0
    removed: int = 0
    records: int = 0

    def __add__(self, other: Remerged) -> Remerged:
        return Remerged(
            albums=self.albums + other.albums,
            changed=self.changed + other.changed,
            removed=self.removed + other.removed,
            records=self.records + other.records,
        )


class Remerging:
    """Merges stored albums anew, some hundred per transaction; stopped in mid-way, it has done what it has done.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rebuild(self, merge: Merge, *, progress: Progress = lambda *_: None) -> Remerged:
        """Merge all albums from their current records; rows that come out the same are not touched."""
        total = await self._count("SELECT count(*) FROM albums")
        return await self._pages(_PAGE, (), lambda c, ids: self._again(c, ids, merge), (total, progress))

    async def purge(self, source: str, merge: Merge, *, progress: Progress = lambda *_: None) -> Remerged:
        """Take out all that a source ever said, and merge the albums from what the others say."""

        async def page(connection: Connection, albums: Sequence[str]) -> Remerged:
            records = await connection.fetchval(_PURGE, source, albums)
            await connection.execute(
                "DELETE FROM album_identifiers WHERE source = $1 AND album_id = ANY($2::text[])", source, albums
            )
            bereft = await connection.fetch(
                "SELECT id FROM unnest($1::text[]) AS a (id) WHERE NOT EXISTS "
                "(SELECT FROM source_records r WHERE r.album_id = a.id AND r.valid_to IS NULL)",
                albums,
            )
            removed = await remove(connection, [row["id"] for row in bereft])
            return Remerged(records=records or 0, removed=removed) + await self._again(connection, albums, merge)

        total = await self._count("SELECT count(DISTINCT album_id) FROM source_records WHERE source = $1", source)
        found = await self._pages(_PAGE_OF_SOURCE, (source,), page, (total, progress))
        async with self._database.transaction() as connection:
            for statement in _FORGET:
                await connection.execute(statement, source)
        return found

    async def revise(self, albums: Sequence[str], say: Say, merge: Merge) -> Remerged:
        """Let a source say something new of some albums, and merge them anew; one transaction.

        Args:
            albums: ids, some hundred at the most.
            say: makes the source's new record of an album's current ones; None when it says nothing new.
            merge: see `Merge`.
        """
        async with self._database.transaction() as connection:
            await lock_all(connection)
            current = await _current(connection, albums)

            def merged() -> tuple[Rows, int]:
                items = []
                for album_id, records in current.items():
                    new = say(album_id, records)
                    if new is None:
                        continue
                    levels = merge(album_id, [*(r for r in records if r.source != new.source), new])
                    if levels is not None:
                        items.append((levels, (new,)))
                return Rows.of(items), len(items)

            rows, changed = await asyncio.to_thread(merged)
            if changed:
                await write(connection, rows)
        return Remerged(albums=len(current), changed=changed)

    async def _count(self, statement: str, *parameters: object) -> int:
        async with self._database.connection() as connection:
            return int(await connection.fetchval(statement, *parameters))

    async def _pages(
        self,
        statement: str,
        parameters: Sequence[object],
        work: Callable[[Connection, Sequence[str]], Awaitable[Remerged]],
        shown: tuple[int, Progress],
    ) -> Remerged:
        found, last, seen = Remerged(), "", 0
        total, progress = shown
        while True:
            async with self._database.transaction() as connection:
                # Nobody stores an album between reading its records and writing what they make.
                await lock_all(connection)
                albums = [row["id"] for row in await connection.fetch(statement, last, _AT_ONCE, *parameters)]
                if not albums:
                    return found
                found += await work(connection, albums)
            last, seen = albums[-1], seen + len(albums)
            progress(seen, max(seen, total))

    @staticmethod
    async def _again(connection: Connection, albums: Sequence[str], merge: Merge) -> Remerged:
        said = await _current(connection, albums)

        def merged() -> Rows:
            found = (merge(album_id, records) for album_id, records in said.items())
            return Rows.of((levels, ()) for levels in found if levels is not None)

        rows = await asyncio.to_thread(merged)
        await write(connection, rows)
        changed = await connection.fetchval(
            "SELECT count(*) FROM (SELECT id FROM albums WHERE id = ANY($1::text[]) AND updated_at = now() UNION "
            "SELECT id FROM albums_noncommercial WHERE id = ANY($1::text[]) AND updated_at = now() UNION "
            "SELECT id FROM albums_open WHERE id = ANY($1::text[]) AND updated_at = now()) AS c",
            albums,
        )
        return Remerged(albums=rows.given, changed=changed)


async def _current(connection: Connection, albums: Sequence[str]) -> dict[str, list[SourceRecord]]:
    """What each source says of these albums now."""
    said: dict[str, list[SourceRecord]] = defaultdict(list)
    for row in await connection.fetch(_CURRENT, albums):
        record = kept.decode(row["record"], source=row["source"], rights=row["rights"], fetched_at=row["fetched_at"])
        said[row["album_id"]].append(record)
    return said
