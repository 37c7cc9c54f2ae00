"""Rows made in columns are those that the records give, one by one: every table, every column, at every level of rights."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import all_profiles, build_sources
from backend.models.ingestion_models import SourceRecord
from backend.repositories import records as kept
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.table_store import TableStore
from backend.services.table_preparing import Options, prepare
from backend.services.table_rows import RowMaker
from backend.utils.identifiers import derive
from tests.table_files import ODD, TRACKS, albums_table, file, generated

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TABLES = (
    "artists", "albums", "albums_noncommercial", "albums_open", "enhanced_tracks", "tracks_noncommercial", "tracks_open",
    "album_identifiers", "source_records",
)  # fmt: skip
_CLOCKS = {"created_at", "updated_at"}


async def everything(database: Database) -> dict[str, list[dict[str, Any]]]:
    """All rows of all tables, without when they were written."""
    found = {}
    async with database.connection() as connection:
        for table in TABLES:
            order = (
                "source, external_id"
                if table == "album_identifiers"
                else "album_id, source"
                if table == "source_records"
                else "id"
            )
            rows = await connection.fetch(f"SELECT * FROM {table} ORDER BY {order}")
            dropped = _CLOCKS | ({"id", "known_from"} if table == "source_records" else set())
            found[table] = [{k: v for k, v in row.items() if k not in dropped} for row in rows]
    return found


async def empty(database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("TRUNCATE albums, artists RESTART IDENTITY CASCADE")


@pytest.mark.parametrize("source", ["spotify_table", "table", "table_noncommercial", "table_open"])
@pytest.mark.parametrize("name", ["tracks", "odd", "albums", "generated"])
async def test_rows_made_in_columns_are_those_of_the_records(name: str, source: str, database: Database) -> None:
    text = {"tracks": TRACKS, "odd": ODD, "albums": albums_table(), "generated": generated(300)}[name]
    ready = prepare(file(f"{name}.csv", text), Options(columns={}, source=source))
    albums = list(ready.albums(0, ready.table.height))
    assert len(albums) > 1
    profiles, policy = all_profiles(build_sources()), MergePolicy()
    merging = Merging(profiles=profiles, policy=policy)
    ids = [derive("album", a.artist_key, a.title_key, a.line) for a in albums]

    def items() -> Any:
        for album, album_id in zip(albums, ids, strict=True):
            assert kept.encode(album.record) == (album.record, album.written)
            record = SourceRecord(source=source, rights=profiles[source].rights, fetched_at=NOW, album=album.record)
            yield merging.levels([record], album_id=album_id), [record]

    await AlbumRepository(database).save_many(items())
    one_by_one = await everything(database)
    await empty(database)
    maker = RowMaker(profiles[source], policy, NOW)
    await TableStore(database).begin("k", files=[], mapping=[], source=source)
    await TableStore(database).add(
        [maker.rows(albums, ids, ready.rows_of(0, len(albums)))], again=[], progress=("k", 1)
    )
    in_columns = await everything(database)
    for table in TABLES:
        assert in_columns[table] == one_by_one[table], table
    assert bool(in_columns["albums_open"]) is (source == "table_open")
    assert bool(in_columns["tracks_noncommercial"]) is (
        source in {"table_open", "table_noncommercial"} and name != "albums"
    )
