"""The bulk write of merged albums against binary COPY of the same rows into the same table, indexes and all."""

from __future__ import annotations

from typing import Any

from backend.models.ingestion_models import RightsLevel
from backend.models.track import TrackRow
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from bench.albums import Item
from bench.timing import Result, in_turns

_JSON = {"audio_features", "provenance", "tag_weights", "estimates"}
COLUMNS = [column.name for column in TrackRow.__table__.columns if column.computed is None]


async def measure(database: Database, items: list[Item], *, rounds: int) -> list[Result]:
    """Write the albums, and write the rows that they become."""
    repository = AlbumRepository(database)
    tracks = sum(len(levels[RightsLevel.ANY].tracks) for levels, _ in items)
    await repository.save_many(items)
    rows = await rows_for_copy(database)

    async def emptied() -> None:
        async with database.transaction() as connection:
            await connection.execute("TRUNCATE albums, artists, raw_tracks CASCADE")

    async def ours() -> None:
        await repository.save_many(items)

    async def raw() -> None:
        async with database.transaction() as connection:
            await connection.copy_records_to_table("raw_tracks", records=rows, columns=COLUMNS)

    ours_seconds, raw_seconds = await in_turns(ours, raw, rounds=rounds, before=emptied)

    await emptied()
    await repository.save_many(items)

    async def again() -> None:
        await repository.save_many(items)

    async def clear() -> None:
        async with database.transaction() as connection:
            await connection.execute("TRUNCATE raw_tracks")

    again_seconds, raw_again = await in_turns(again, raw, rounds=rounds, before=clear)
    against = "binary COPY of the rows into the same table"
    what = f"{tracks:,} tracks of {len(items):,} albums"
    return [
        Result(what=f"write {what}, all new", against=against, ours=ours_seconds, other=raw_seconds, rows=tracks),
        Result(what=f"write {what}, nothing new", against=against, ours=again_seconds, other=raw_again, rows=tracks),
    ]


async def rows_for_copy(database: Database) -> list[tuple[Any, ...]]:
    """The stored rows, and a table like theirs with the same indexes to copy them into."""
    async with database.transaction() as connection:
        await connection.execute("CREATE TABLE IF NOT EXISTS raw_tracks (LIKE enhanced_tracks INCLUDING ALL)")
        # jsonb as text: that is how it is written.
        listed = ", ".join(f"{c}::text" if c in _JSON else c for c in COLUMNS)
        found = await connection.fetch(f"SELECT {listed} FROM enhanced_tracks")
    return [tuple(row) for row in found]
