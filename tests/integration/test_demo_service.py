"""Made-up albums at size, and taking stand-ins out again, on a real PostgreSQL."""

from __future__ import annotations

import pytest

from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.policy import MergePolicy
from backend.ingestion.registry import build_sources
from backend.models.ingestion_models import AlbumRecord, Rights, SourceRecord, TrackRecord
from backend.repositories.album_removal import AlbumRemoval
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.services.demo_service import DemoService
from backend.utils.errors import InvalidInputError
from tests.integration.repositories.samples import NOON, album
from tests.levels import whole

PROFILES = {s.profile.name: s.profile for s in build_sources()}


def service(database: Database, changes: list[str]) -> DemoService:
    async def stored() -> None:
        changes.append("changed")

    store, removal = AlbumRepository(database), AlbumRemoval(database)
    return DemoService(store, removal, Merging(profiles=PROFILES, policy=MergePolicy()), stored=stored)


async def count(database: Database, where: str = "true") -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval(f"SELECT count(*) FROM albums WHERE {where}"))


async def test_made_up_albums_are_stored_once_and_say_what_they_are(database: Database) -> None:
    changes: list[str] = []
    demo = service(database, changes)
    assert await demo.generate(60, seed=3) == 60
    assert await demo.generate(60, seed=3) == 60
    assert await count(database) == await count(database, "synthetic") == 60
    assert changes == ["changed", "changed"]


@pytest.mark.parametrize("albums", [0, -1, 200_001])
async def test_a_number_that_makes_no_sense_stores_nothing(database: Database, albums: int) -> None:
    with pytest.raises(InvalidInputError, match="ask for 1 to 200,000"):
        await service(database, []).generate(albums, seed=1)
    assert await count(database) == 0


async def test_what_a_real_source_knows_stays(database: Database) -> None:
    said = AlbumRecord(title="Paper Harbour", artist="The Amber Lanterns", tracks=(TrackRecord(title="Song 1"),))
    records = [
        SourceRecord(source=name, rights=Rights.OPEN, fetched_at=NOON, album=said) for name in ("spotify", "synthetic")
    ]
    await AlbumRepository(database).save_many([(whole(album("a1")), records)])
    demo = service(database, [])
    await demo.generate(5, seed=1)
    assert await demo.remove() == 5
    assert await count(database) == 1
