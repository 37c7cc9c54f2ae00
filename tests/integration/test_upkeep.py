"""Rows made anew, sources taken out, bytes counted: on a real PostgreSQL, from what several sources said."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.policy import MergePolicy
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import AlbumRecord, Rights, SourceRecord, Tag, TrackRecord
from backend.repositories.album_store import AlbumRepository
from backend.repositories.catalogue_state import CatalogueState
from backend.repositories.database import Database
from backend.repositories.feature_models import FeatureModels
from backend.repositories.remerging import Remerging
from backend.repositories.storage import Storage
from backend.services.upkeep_service import UpkeepService
from backend.utils.errors import InvalidInputError

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
FIELDS = (
    "title",
    "artist",
    "tracks",
    "release_date",
    "label",
    "duration_ms",
    "isrc",
    "popularity",
    "audio_features",
    "tags",
)
PROFILES = {
    p.name: p
    for p in (
        SourceProfile(name="shop", rights=Rights.RESTRICTED, gives=dict.fromkeys(FIELDS, 1.0), defines=True),
        SourceProfile(name="fans", rights=Rights.NONCOMMERCIAL, gives=dict.fromkeys(FIELDS, 0.5), storage_cap=2_000),
        SourceProfile(name="commons", rights=Rights.OPEN, gives=dict.fromkeys(FIELDS, 0.4), defines=True),
    )
}
LAYERS = ("albums", "enhanced_tracks", "albums_noncommercial", "tracks_noncommercial", "albums_open", "tracks_open")


def said(source: str, title: str = "Paper Harbour", *, at: datetime = NOON, **more: Any) -> SourceRecord:
    tracks = tuple(
        TrackRecord(title=t, track_number=n, duration_ms=n * 100_000 + len(source), audio_features={"energy": n / 10})
        for n, t in enumerate(("Tide", "Quay"), 1)
    )
    values = {"label": f"label of {source}", "tracks": tracks, "ids": {source: f"{source} {title}"}, **more}
    album = AlbumRecord(title=title, artist="The Amber Lanterns", **values)
    return SourceRecord(source=source, rights=PROFILES[source].rights, fetched_at=at, album=album)


def upkeep(
    database: Database, *, policy: MergePolicy | None = None, profiles: dict[str, SourceProfile] | None = None
) -> UpkeepService:
    async def stored() -> None:
        return None

    merging = Merging(profiles=profiles or PROFILES, policy=policy or MergePolicy())
    return UpkeepService(
        Remerging(database),
        Storage(database),
        CatalogueState(database),
        FeatureModels(database),
        merging=merging,
        stored=stored,
    )


async def insert(database: Database, *records: SourceRecord) -> str:
    merging = Merging(profiles=PROFILES, policy=MergePolicy())
    return (await insert_album(AlbumRepository(database), records, merging=merging)).id


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every layer, with the transaction that wrote it."""
    async with database.connection() as connection:
        return {
            table: [
                tuple(r) for r in await connection.fetch(f"SELECT xmin::text, t.*::text FROM {table} t ORDER BY t.id")
            ]
            for table in LAYERS
        }


async def column(database: Database, what: str, table: str = "albums") -> list[Any]:
    async with database.connection() as connection:
        return [r[0] for r in await connection.fetch(f"SELECT {what} FROM {table} ORDER BY 1")]


async def test_each_level_is_made_of_what_is_permitted_there(database: Database) -> None:
    await insert(
        database, said("shop"), said("fans"), said("commons", tags=(Tag(name="rock", weight=1.0, level="album"),))
    )
    assert await column(database, "label") == ["label of shop"]
    assert await column(database, "label", "albums_noncommercial") == ["label of fans"]
    assert await column(database, "label", "albums_open") == ["label of commons"]
    assert await column(database, "id", "enhanced_tracks") == await column(database, "id", "tracks_open")
    assert await column(database, "duration_ms", "tracks_open") == [100_007, 200_007]
    assert await column(database, "provenance->>'energy'", "tracks_open") == ["commons", "commons"]


async def test_an_album_nobody_permitted_names_is_not_at_that_level(database: Database) -> None:
    await insert(database, said("shop"), said("fans"))
    assert await column(database, "title", "albums_open") == []
    assert await column(database, "title", "albums_noncommercial") == ["Paper Harbour"]


async def test_rebuilding_gives_the_same_bytes(database: Database) -> None:
    for n in range(7):
        await insert(database, said("shop", f"Album {n}"), said("fans", f"Album {n}"), said("commons", f"Album {n}"))
    before = await everything(database)
    found = await upkeep(database).rebuild()
    assert (found.albums, found.changed) == (7, 0)
    assert await everything(database) == before


async def test_rebuilding_mends_rows_that_are_not_what_the_records_say(database: Database) -> None:
    await insert(database, said("shop"), said("commons"))
    before = await everything(database)
    async with database.transaction() as connection:
        await connection.execute("UPDATE enhanced_tracks SET title = 'Spoilt', popularity = 3")
        await connection.execute("UPDATE albums_open SET label = 'Spoilt'")
        await connection.execute("DELETE FROM tracks_noncommercial")
    found = await upkeep(database).rebuild()
    assert found.changed == 1
    after = await everything(database)
    strip = {t: [_without_time(row) for row in rows] for t, rows in before.items()}
    assert {t: [_without_time(row) for row in rows] for t, rows in after.items()} == strip


def _without_time(row: tuple[Any, ...]) -> str:
    return re.sub(r'"\d{4}-\d\d-\d\d \d\d:[^"]*"', "", row[1])


async def test_another_policy_asks_for_rebuilding_and_gets_its_way(database: Database) -> None:
    await insert(database, said("shop"), said("fans"))
    assert await upkeep(database).is_stale()  # nobody has said yet how these rows were made
    await upkeep(database).rebuild()
    assert not await upkeep(database).is_stale()
    other = upkeep(database, policy=MergePolicy(order={"label": ("fans",), "audio_features": ("-shop",)}))
    assert await other.is_stale()
    assert (await other.rebuild()).changed == 1
    assert await column(database, "label") == ["label of fans"]
    assert await column(database, "provenance->>'energy'", "enhanced_tracks") == ["fans", "fans"]
    assert not await other.is_stale()


async def test_purging_takes_out_all_that_a_source_ever_said(database: Database) -> None:
    kept = await insert(database, said("shop"), said("fans"), said("commons"))
    await insert(database, said("fans", at=NOON + timedelta(days=1), label="changed"))
    await insert(database, said("fans", "Only Fans Know"))
    async with database.transaction() as connection:
        await connection.execute("INSERT INTO source_memory VALUES ('fans', 'k', '1', now() + interval '1 day')")
    found = await upkeep(database).purge("fans")
    assert (found.records, found.albums, found.removed) == (3, 1, 1)
    assert await column(database, "id") == [kept]
    assert await column(database, "count(*)", "source_records WHERE source = 'fans'") == [0]
    assert await column(database, "count(*)", "album_identifiers WHERE source = 'fans'") == [0]
    assert await column(database, "count(*)", "source_memory") == [0]
    assert await column(database, "label", "albums_noncommercial") == ["label of commons"]
    for rows in (await everything(database)).values():
        assert not any("fans" in str(row) for row in rows)


async def test_purging_leaves_the_others_untouched(database: Database) -> None:
    await insert(database, said("shop", "Alone"))
    before = await everything(database)
    await insert(database, said("fans", "Another"))
    await upkeep(database).purge("fans")
    after = await everything(database)
    assert {t: [_without_time(r) for r in rows] for t, rows in after.items()} == {
        t: [_without_time(r) for r in rows] for t, rows in before.items()
    }


async def test_an_unknown_source_is_refused_by_name(database: Database) -> None:
    with pytest.raises(InvalidInputError, match="no source 'fnas'; there are commons, fans, shop"):
        await upkeep(database).purge("fnas")


async def test_a_full_source_is_no_longer_asked_and_says_what_to_do(database: Database) -> None:
    watch = upkeep(database)
    assert await watch.full("fans") is None
    for n in range(3):
        await insert(database, said("fans", f"Album {n}"))
    (use,) = [u for u in await watch.storage() if u.source == "fans"]
    assert use.bytes > 2_000
    assert use.share is not None
    assert use.share > 1
    assert "tensoe purge fans" in use.alarm
    assert "tensoe purge fans" in (await upkeep(database).full("fans") or "")
    assert await upkeep(database).full("shop") is None


async def test_an_alarm_comes_before_the_cap(database: Database) -> None:
    await insert(database, said("fans"))
    (size,) = await column(database, "sum(octet_length(record::text))", "source_records")
    near = {**PROFILES, "fans": replace(PROFILES["fans"], storage_cap=round(size / 0.9))}
    (use,) = [u for u in await upkeep(database, profiles=near).storage() if u.source == "fans"]
    assert "90% of the" in use.alarm
    assert await upkeep(database, profiles=near).full("fans") is None
