"""Steps that begin and end at the same time: written together, and each as if it were alone."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import pytest

from backend.ingestion.itinerary import Itinerary
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Outcome, Rights, SourceOutcome, SourceRecord
from backend.models.results import IngestReport, IngestResult
from backend.models.steps import Gathered, Move, Step, StepEnd, StepView
from backend.repositories.database import Database
from backend.repositories.job_control import JobControl
from backend.repositories.jobs import JobRepository
from backend.repositories.step_feed import DUE
from backend.repositories.step_queue import STORE, Message
from backend.repositories.steps import StepRepository
from tests.integration.repositories.samples import NOON
from tests.integration.working import albums

ITINERARY = Itinerary((("one", "two"), ("three",)))


def following(_: AlbumQuery, steps: Mapping[str, StepView], ended: str | None) -> Move:
    return ITINERARY.after(steps, ended=ended)


def ok(source: str, **more: Any) -> StepEnd:
    said = SourceRecord(
        source=source, rights=Rights.OPEN, fetched_at=NOON, album=AlbumRecord(title="A", artist="B", tracks=())
    )
    return StepEnd(outcome=SourceOutcome(source=source, outcome=Outcome.OK), record=said, **more)


@pytest.fixture
def steps(database: Database) -> StepRepository:
    return StepRepository(database)


async def begun(steps: StepRepository, database: Database, number: int) -> tuple[str, dict[tuple[int, str], Step]]:
    """A job of some albums, all steps of whose first stage were begun at once."""
    job_id = await JobRepository(database).create(albums(number))
    assert await steps.feed(following, window=50, most=50) == number
    names = [(n, source) for n in range(1, number + 1) for source in ("one", "two")]
    found = await asyncio.gather(*(steps.begin(Message(job_id, n, source, 0)) for n, source in names))
    return job_id, {name: step for name, step in zip(names, found, strict=True) if step is not None}


async def states(database: Database, job_id: str) -> dict[tuple[int, str], tuple[str, int, int]]:
    async with database.connection() as connection:
        rows = await connection.fetch(
            "SELECT position, source, state, round, calls FROM ingest_steps WHERE job_id = $1", job_id
        )
    return {(r["position"], r["source"]): (r["state"], r["round"], r["calls"]) for r in rows}


async def test_steps_of_many_albums_begin_and_end_together(steps: StepRepository, database: Database) -> None:
    job_id, mine = await begun(steps, database, 5)
    assert len(mine) == 10
    assert {(s.query.album, s.attempts) for s in mine.values()} == {(f"Album {n}", 1) for n in range(5)}
    ends = await asyncio.gather(*(steps.end(s, ok(s.source, calls=3), following) for s in mine.values()))
    assert all(ends)
    found = await states(database, job_id)
    assert {s for (_, source), s in found.items() if source != "three"} == {("done", 0, 3)}
    # The second of an album's two sees the first, whichever it was: the next stage begins once for each.
    assert [s for (_, source), s in found.items() if source == "three"] == [("queued", 0, 0)] * 5
    third = await asyncio.gather(*(steps.begin(Message(job_id, n, "three", 0)) for n in range(1, 6)))
    assert {tuple(r.source for r in s.records) for s in third if s is not None} == {("one", "two")}
    another = await StepRepository(database).begin(Message(job_id, 1, "three", 0))  # which has nothing in mind
    assert another is not None
    assert [(r.source, r.album.title) for r in another.records] == [("one", "A"), ("two", "A")]


async def test_of_two_equal_ends_in_one_round_one_counts(steps: StepRepository, database: Database) -> None:
    _, mine = await begun(steps, database, 2)
    twice = await asyncio.gather(
        steps.end(mine[1, "one"], ok("one"), following),
        steps.end(mine[1, "one"], ok("one", calls=9), following),
        steps.end(mine[2, "one"], ok("one"), following),
    )
    assert list(twice) == [True, False, True]


async def test_an_album_that_somebody_holds_keeps_no_other_waiting(steps: StepRepository, database: Database) -> None:
    job_id, mine = await begun(steps, database, 3)
    async with database.transaction() as held:
        await held.execute("SELECT FROM ingest_items WHERE job_id = $1 AND position = 1 FOR UPDATE", job_id)
        other = StepRepository(database)
        ends = [asyncio.create_task(other.end(mine[n, "one"], ok("one"), following)) for n in (1, 2, 3)]
        done, waiting = await asyncio.wait(ends, timeout=2)
        assert (len(done), ends[0] in waiting) == (2, True)
    assert await ends[0]


async def test_a_broken_end_takes_no_other_with_it(steps: StepRepository, database: Database) -> None:
    job_id, mine = await begun(steps, database, 2)
    broken = StepEnd(outcome=SourceOutcome(source="one", outcome=Outcome.OK, tracks=2**40))
    found = await asyncio.gather(
        steps.end(mine[1, "one"], broken, following),
        steps.end(mine[2, "one"], ok("one"), following),
        return_exceptions=True,
    )
    assert isinstance(found[0], Exception)
    assert found[1] is True
    after = await states(database, job_id)
    assert (after[1, "one"][0], after[2, "one"][0]) == ("queued", "done")


async def test_what_comes_in_while_an_album_is_stored_keeps_it_open(steps: StepRepository, database: Database) -> None:
    job_id, mine = await begun(steps, database, 1)
    late = ok("two")
    parked = StepEnd(outcome=late.outcome, park_until=NOON)
    await asyncio.gather(steps.end(mine[1, "one"], ok("one"), following), steps.end(mine[1, "two"], parked, following))
    third = await steps.begin(Message(job_id, 1, "three", 0))
    assert third is not None
    assert await steps.end(third, ok("three"), following)
    stored = await steps.gather(Message(job_id, 1, STORE, 1))
    assert stored is not None
    assert await steps.wake(5) == 1
    again = await steps.begin(Message(job_id, 1, "two", 1))
    assert again is not None
    assert await steps.end(again, late, following)
    assert not await steps.close(stored, report())
    newer = await steps.gather(Message(job_id, 1, STORE, 2))
    assert newer is not None
    assert {r.source for r in newer.records} == {"one", "two", "three"}
    assert await steps.close(newer, report())


async def test_the_last_albums_end_their_jobs_together(steps: StepRepository, database: Database) -> None:
    job_id, mine = await begun(steps, database, 4)
    await asyncio.gather(*(steps.end(s, ok(s.source), following) for s in mine.values()))
    third = await asyncio.gather(*(steps.begin(Message(job_id, n, "three", 0)) for n in range(1, 5)))
    await asyncio.gather(*(steps.end(s, ok("three"), following) for s in third if s is not None))
    gathered = await asyncio.gather(*(steps.gather(Message(job_id, n, STORE, 1)) for n in range(1, 5)))
    mine_ = [g for g in gathered if isinstance(g, Gathered)]
    assert len(mine_) == 4
    assert await asyncio.gather(*(steps.close(g, report()) for g in mine_)) == [True] * 4
    status = await JobRepository(database).status(job_id, limit=10)
    assert status.finished_at is not None


async def test_what_a_resting_job_has_parked_is_not_looked_at(steps: StepRepository, database: Database) -> None:
    resting, _ = await begun(steps, database, 1)
    job_id, mine = await begun(steps, database, 1)
    parked = StepEnd(outcome=ok("two").outcome, park_until=NOON)
    assert await steps.end(mine[1, "two"], parked, following)
    await JobControl(database).pause(resting)
    async with database.connection() as connection:
        await connection.execute(
            "INSERT INTO ingest_steps (job_id, position, source, state, not_before) "
            "SELECT $1, 1, 'source ' || n, 'parked', $2 FROM generate_series(1, 5000) n",
            resting,
            NOON,
        )
        await connection.execute("ANALYZE ingest_steps, ingest_jobs, ingest_items")
        async with connection.transaction():
            (plan,) = await connection.fetchrow(f"EXPLAIN (ANALYZE, FORMAT JSON) {DUE}", 100)
            await connection.execute(
                "UPDATE ingest_steps SET state = 'parked' WHERE job_id = $1 AND source = 'two'", job_id
            )
    assert 1 <= looked_at(json.loads(plan)[0]["Plan"], "ingest_steps") < 50
    assert await steps.wake(100) == 1
    assert (await states(database, job_id))[1, "two"][0] == "queued"
    await JobControl(database).resume(resting)
    assert await steps.wake(10_000) == 5000


def looked_at(plan: dict[str, Any], table: str) -> int:
    """Rows of a table that a plan's nodes went through."""
    own = int(plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)) if plan.get("Relation Name") == table else 0
    return own * int(plan["Actual Loops"]) + sum(looked_at(inner, table) for inner in plan.get("Plans", ()))


def report() -> IngestReport:
    return IngestReport(album="A", artist="B", result=IngestResult.COMPLETE)
