"""What is no longer fresh is asked for again: by source, behind other jobs, and what changed becomes a new interval."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from backend.models.ingestion_models import AlbumQuery, AlbumRecord
from backend.repositories.budget_states import Budgets
from backend.repositories.budgets import SharedBudget
from backend.repositories.database import Database
from backend.repositories.due import DueRepository
from backend.services.ingestion_service import IngestionService
from backend.services.refresh_service import RefreshService
from backend.utils.errors import RecordNotFoundError
from tests.integration.working import Told, albums, ingesting, record_of, until


@pytest.fixture
async def told() -> list[Told]:
    async def popularity(query: AlbumQuery) -> AlbumRecord:
        return record_of(query, popularity=40 + len(changing.asked), label="L")

    changing, lasting = Told("changing", popularity, fresh_days=14), Told("lasting", stage="completion")
    return [changing, lasting]


@pytest.fixture
async def ours(database: Database, told: list[Told]) -> AsyncIterator[IngestionService]:
    service = ingesting(database, told)
    service.start()
    await until(service, await service.submit(albums(3)))
    yield service
    await service.stop()


def refreshing(database: Database, service: IngestionService) -> RefreshService:
    return RefreshService(DueRepository(database), Budgets(database), service, service._settings)


async def age(database: Database, *, days: int, source: str = "changing") -> None:
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE source_records SET fetched_at = fetched_at - make_interval(days => $1), "
            "valid_from = valid_from - make_interval(days => $1) WHERE source = $2",
            days,
            source,
        )


async def test_fresh_records_are_left_alone(database: Database, ours: IngestionService) -> None:
    service = refreshing(database, ours)
    assert await service.refresh() is None
    assert [(s.source, s.due) for s in await service.due()] == [("changing", 0)]


async def test_only_the_source_that_is_due_is_asked_and_what_changed_is_a_new_interval(
    database: Database, ours: IngestionService, told: list[Told]
) -> None:
    await age(database, days=15)
    await age(database, days=900, source="lasting")
    changing, lasting = told
    service = refreshing(database, ours)
    (state,) = await service.due()
    assert (state.due, state.held_back) == (3, "")
    found = await service.refresh()
    assert found is not None
    assert found[1] == 3
    assert await service.refresh() is None  # one is under way
    status = await until(ours, found[0])
    assert (status.kind, status.priority, status.counts["complete"]) == ("refresh", -50, 3)
    assert (len(changing.asked), len(lasting.asked)) == (6, 3)
    # It knows what the others said, and takes exactly this album.
    assert all(q.known is not None for q in changing.asked[3:])
    async with database.connection() as connection:
        history = await connection.fetch(
            "SELECT valid_to IS NULL AS current, (record->>'popularity')::int AS popularity FROM source_records "
            "WHERE source = 'changing' ORDER BY album_id, valid_from"
        )
        assert await connection.fetchval("SELECT count(*) FROM albums") == 3
        assert await connection.fetchval("SELECT min(popularity) FROM albums") >= 44
    assert len(history) == 6
    assert sorted(r["popularity"] for r in history if not r["current"]) == [41, 42, 43]
    assert await service.refresh() is None


async def test_a_source_without_budget_left_over_is_held_back(database: Database, ours: IngestionService) -> None:
    await age(database, days=15)
    budget = SharedBudget(database, "changing", rate=100.0, concurrent=1)
    await budget.park(datetime.now(UTC) + timedelta(hours=5), reason="come later")
    service = refreshing(database, ours)
    assert "parked until" in (await service.due())[0].held_back
    assert await service.refresh() is None
    await Budgets(database).release("changing")
    assert await service.refresh() is not None


async def test_at_most_so_many_at_a_time_the_oldest_first(database: Database, ours: IngestionService) -> None:
    await age(database, days=15)
    async with database.connection() as connection:
        oldest = await connection.fetchval(
            "UPDATE source_records SET fetched_at = fetched_at - interval '9 days' WHERE source = 'changing' AND album_id = "
            "(SELECT max(album_id) FROM albums a JOIN source_records r ON r.album_id = a.id) RETURNING album_id"
        )
    found = await refreshing(database, ours).refresh(most=1)
    assert found is not None
    status = await until(ours, found[0])
    assert [i.album_id for i in status.items] == [oldest]


async def test_a_source_that_gives_nothing_does_not_keep_the_others_turn(
    database: Database, ours: IngestionService, told: list[Told]
) -> None:
    async def gone(query: AlbumQuery) -> AlbumRecord:
        raise RecordNotFoundError("no more")

    await age(database, days=15)
    told[0]._say = gone
    service, seen = refreshing(database, ours), []
    for _ in range(3):
        found = await service.refresh(most=1)
        assert found is not None
        seen += [i.album_id for i in (await until(ours, found[0])).items]
    assert len(set(seen)) == 3
    assert await service.refresh(most=1) is None
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM source_records WHERE source = 'changing'") == 3
