"""How the work of all workers stands, as Prometheus and people see it, from a real PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families
from pydantic import SecretStr

from backend.config.settings import DatabaseSettings
from backend.metrics import Metrics
from backend.models.work import WorkFigures
from backend.repositories.budgets import SharedBudget
from backend.repositories.database import Database
from backend.repositories.jobs import JobRepository
from backend.repositories.work_state import WorkState
from backend.services.work_service import WorkService
from tests.integration.working import albums


def samples(metrics: Metrics) -> dict[tuple[str, ...], float]:
    found = {}
    for family in text_string_to_metric_families(metrics.render_text().decode()):
        for s in family.samples:
            found[(s.name, *s.labels.values())] = s.value
    return found


async def fill(database: Database) -> datetime:
    """A source that is asked, one that is parked, one with a quota of a group; a job of four albums on its way."""
    for _ in range(3):
        async with SharedBudget(database, "asked", rate=1000.0, concurrent=1).turn("search@me"):
            pass
    until = datetime.now(UTC) + timedelta(hours=14)
    await SharedBudget(database, "parked", rate=2.0, concurrent=1).park(until, reason="wait")
    job_id = await JobRepository(database).create(albums(4))
    async with database.connection() as connection:
        # The ten minutes before these: their requests fade out.
        await connection.execute(
            "INSERT INTO source_calls VALUES ('asked', date_bin('10 minutes', now(), 'epoch') - interval '10 minutes', 600),"
            " ('asked', now() - interval '23 hours', 1000), ('asked', now() - interval '25 hours', 5000)"
        )
        await connection.execute("UPDATE source_budgets SET quota = 50, quota_at = now() WHERE key = 'asked/search@me'")
        await connection.execute("UPDATE ingest_items SET state = 'running' WHERE position <= 2")
        await connection.execute("UPDATE ingest_items SET state = 'waiting' WHERE position = 3")
        await connection.execute(
            "INSERT INTO ingest_steps (job_id, position, source, state, at, not_before) VALUES "
            "($1, 1, 'asked', 'queued', now() - interval '100 seconds', NULL), ($1, 2, 'asked', 'queued', now(), NULL), "
            "($1, 1, 'parked', 'parked', now(), now() + interval '14 hours'), "
            "($1, 3, 'parked', 'parked', now(), now() + interval '14 hours'), ($1, 2, 'parked', 'done', now(), NULL)",
            job_id,
        )
    return until


async def test_the_figures_of_the_shared_tables(database: Database) -> None:
    until = await fill(database)
    found = await WorkState(database).figures()
    budgets = {(b.source, b.group): b for b in found.budgets}
    assert budgets.keys() == {("asked", ""), ("asked", "search@me"), ("parked", "")}
    asked = budgets["asked", ""]
    assert (asked.allowed, asked.day, asked.quota, asked.parked_until) == (1000.0, 1603, None, None)
    assert 3 / 600 <= asked.used <= 603 / 600
    assert (budgets["asked", "search@me"].quota, budgets["asked", "search@me"].day) == (50, 3)
    assert budgets["parked", ""].parked_until == until.timestamp()
    steps = {s.source: s for s in found.steps}
    assert (steps["asked"].queued, steps["asked"].parked) == (2, 0)
    assert 100 <= steps["asked"].oldest < 1000
    assert (steps["parked"].queued, steps["parked"].parked, steps["parked"].oldest) == (0, 2, 0)
    assert found.albums == {"queued": 1, "running": 2, "storing": 0, "waiting": 1, "done": 0}


async def test_prometheus_sees_them_and_people_do(api: httpx.AsyncClient, database: Database) -> None:
    until = await fill(database)
    answer = await api.get("/metrics", headers={"accept": "text/plain"})
    lines = answer.text.splitlines()
    assert 'tensoe_source_allowed_rate{group="",source="asked"} 1000.0' in lines
    assert 'tensoe_source_day_requests{group="",source="asked"} 1603.0' in lines
    assert 'tensoe_source_day_quota{group="search@me",source="asked"} 50.0' in lines
    parked = next(line for line in lines if line.startswith("tensoe_source_parked_until_seconds{"))
    assert float(parked.rpartition(" ")[2]) == until.timestamp()
    assert 'tensoe_source_steps{source="parked",state="parked"} 2.0' in lines
    assert 'tensoe_albums{state="running"} 2.0' in lines
    assert "tensoe_database_up 1.0" in lines
    system: dict[str, Any] = (await api.get("/system")).json()
    assert {b["source"] for b in system["work"]["budgets"]} == {"asked", "parked"}
    assert system["work"]["albums"]["running"] == 2


class Counted(WorkState):
    """Counts how often it is asked, and takes its time."""

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self.asked = 0
        self.wait = asyncio.Event()

    async def figures(self) -> WorkFigures:
        self.asked += 1
        await self.wait.wait()
        return await super().figures()


async def test_they_are_read_seldom_and_nobody_waits_for_them_long(database: Database) -> None:
    state, metrics = Counted(database), Metrics()
    service = WorkService(state, metrics)
    async with asyncio.timeout(4):
        assert not any(await asyncio.gather(service.latest(), service.latest()))  # both went on without them
    state.wait.set()
    async with asyncio.timeout(20):
        while await service.latest() is None:
            await asyncio.sleep(0.01)
    for _ in range(5):
        await service.latest()
    assert state.asked == 1
    assert samples(metrics)["tensoe_database_up",] == 1
    await service.close()


async def test_what_is_old_is_not_shown_when_the_database_is_away(database: Database, postgres_dsn: str) -> None:
    metrics = Metrics()
    async with SharedBudget(database, "asked", rate=1000.0, concurrent=1).turn(None):
        pass
    service = WorkService(WorkState(database), metrics)
    assert await service.latest() is not None
    assert ("tensoe_source_rate", "", "asked") in samples(metrics)
    away = await Database.open(DatabaseSettings(database_url=SecretStr(postgres_dsn)), home=Path("/nowhere"))
    await away.close()
    gone = WorkService(WorkState(away), metrics)
    assert await gone.latest() is None
    shown = samples(metrics)
    assert shown["tensoe_database_up",] == 0
    assert not [name for name, *_ in shown if name.startswith("tensoe_source_rate")]
    assert [name for name, *_ in shown if name.startswith("tensoe_start")]
