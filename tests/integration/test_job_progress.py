"""How far a job is, and what a list would take, on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from backend.ingestion.pace import Limits
from backend.ingestion.source import SourceProfile
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights
from backend.models.job_progress import JobProgress
from backend.repositories.budget_states import Budgets
from backend.repositories.budgets import SharedBudget
from backend.repositories.database import Database
from backend.repositories.job_control import JobControl
from backend.repositories.job_progress import JobProgressRepository
from backend.repositories.stored_names import StoredNames
from backend.services.ingest_plan import IngestPlan
from backend.services.ingestion_service import IngestionService
from backend.services.job_following import JobFollowing, waits_long
from backend.utils.errors import InvalidInputError, NotFoundError, ThrottledError
from tests.integration.working import Told, albums, ingesting, record_of, until


@pytest.fixture
async def started() -> AsyncIterator[list[IngestionService]]:
    """Services that the test starts; they are stopped after it."""
    running: list[IngestionService] = []
    yield running
    for each in running:
        await each.stop()


def profile(name: str, *, rate: float = 2.0, calls: float = 2.0) -> SourceProfile:
    return SourceProfile(
        name=name, rights=Rights.OPEN, gives={}, limits=Limits(rate=rate), typical_calls=calls, terms="None."
    )


def following(database: Database, *names: str) -> JobFollowing:
    return JobFollowing(JobProgressRepository(database), Budgets(database), [profile(n) for n in names])


async def come_later(_: AlbumQuery) -> AlbumRecord:
    raise ThrottledError("come later", until=datetime.now(UTC) + timedelta(hours=3))


async def test_a_job_is_followed_to_its_end(database: Database, started: list[IngestionService]) -> None:
    async def slow(query: AlbumQuery) -> AlbumRecord:
        await asyncio.sleep(0.1)
        return record_of(query)

    ours = ingesting(database, [Told("one", slow), Told("two", stage="catalogue")])
    job_id = await ours.submit(albums(30))
    looks: list[JobProgress] = [await following(database, "one", "two").progress(job_id)]
    started.append(ours)
    ours.start()
    looks += [look async for look in following(database, "one", "two").follow(job_id)]
    first, last = looks[0], looks[-1]
    one = first.sources[0]
    assert (first.state, first.counts, one.total, one.queued, one.parked, one.done) == (
        "open", {"queued": 30}, 30, 30, 0, {},
    )  # fmt: skip
    # 30 albums of two requests at two requests a second.
    assert one.expected_end is not None
    assert one.expected_end == pytest.approx(datetime.now(UTC) + timedelta(seconds=30), abs=timedelta(seconds=20))
    assert (last.state, last.counts, last.ended) == ("finished", {"complete": 30}, True)
    assert [(s.source, s.total, s.queued, s.done) for s in last.sources] == [
        ("one", 30, 0, {"ok": 30}), ("two", 30, 0, {"ok": 30}),
    ]  # fmt: skip
    assert (last.expected_end, last.waits_until) == (None, None)
    done = [sum(look.sources[0].done.values()) for look in looks]
    assert done == sorted(done)
    assert any(0 < n < 30 for n in done)


async def test_many_who_follow_look_once(database: Database) -> None:
    job_id = await ingesting(database, [Told("one")]).submit(albums(3))
    ours = following(database, "one")
    found = await asyncio.gather(*(ours.progress(job_id) for _ in range(50)))
    assert len({id(f) for f in found}) == 1
    with pytest.raises(NotFoundError):
        await ours.progress("nothing")


async def test_what_waits_for_a_source_says_until_when_and_why(
    database: Database, started: list[IngestionService]
) -> None:
    ours = ingesting(database, [Told("one"), Told("two", come_later, stage="catalogue")])
    job_id = await ours.submit(albums(4))
    started.append(ours)
    ours.start()
    await until(ours, job_id, waiting=4)
    parked = datetime.now(UTC) + timedelta(hours=14)
    budget = SharedBudget(database, "two", rate=2.0, concurrent=1)
    await budget.park(parked, reason="the day's requests are used up", group="albums@me", quota=True)
    found = await following(database, "one", "two").progress(job_id)
    one, two = found.sources
    assert (one.done, one.expected_end) == ({"ok": 4}, None)
    assert (two.parked, two.queued, two.parked_until, two.reason) == (4, 0, parked, "the day's requests are used up")
    assert two.expected_end is not None
    assert two.expected_end >= parked
    assert found.expected_end == two.expected_end
    assert found.waits_until is not None
    assert waits_long(found)
    await JobControl(database).pause(job_id)
    assert waits_long(await following(database, "one").progress(job_id))


async def test_a_job_that_has_something_to_do_does_not_wait(database: Database) -> None:
    job_id = await ingesting(database, [Told("one")]).submit(albums(3))
    found = await following(database, "one").progress(job_id)
    assert found.waits_until is None
    assert not waits_long(found)


async def test_only_the_sources_that_albums_name_are_counted(database: Database) -> None:
    named = [AlbumQuery(album=f"A{n}", artist="B", hints={"sources": "two,three"}) for n in range(2)]
    job_id = await ingesting(database, [Told("one"), Told("two")]).submit([*albums(3), *named])
    found = await following(database, "one", "two").progress(job_id)
    assert [(s.source, s.total) for s in found.sources] == [("one", 3), ("two", 5)]


async def test_requests_a_second_are_those_granted(database: Database) -> None:
    job_id = await ingesting(database, [Told("one")]).submit(albums(3))
    ours = following(database, "one")
    budget = SharedBudget(database, "one", rate=20.0, concurrent=5)
    async with budget.turn(None):
        assert (await ours.progress(job_id)).sources[0].rate is None
    for _ in range(60):
        async with budget.turn(None):
            pass
    found = (await ours.progress(job_id)).sources[0]
    assert found.rate is not None
    assert 10 < found.rate <= 21
    assert found.allowed == pytest.approx(20.0, rel=0.05)


# -- plans -------------------------------------------------------------------------------------------


def planning(database: Database, sources: Sequence[Told], days: dict[str, float] | None = None) -> IngestPlan:
    return IngestPlan(
        StoredNames(database), Budgets(database), JobProgressRepository(database),
        sources=sources, fresh_days=lambda: days or {},
    )  # fmt: skip


async def test_a_plan_tells_what_is_known_and_asks_nobody(database: Database, started: list[IngestionService]) -> None:
    source = Told("one")
    ours = ingesting(database, [source, Told("off", unconfigured="OFF_KEY is not set")])
    started.append(ours)
    ours.start()
    await until(ours, await ours.submit(albums(3, artist="The Artists")))
    async with database.connection() as connection:
        await connection.execute(
            "UPDATE source_records SET fetched_at = now() - interval '40 days' WHERE album_id = "
            "(SELECT id FROM albums WHERE title = 'Album 0')"
        )
        await connection.execute("TRUNCATE ingest_steps")
    source.asked.clear()
    wanted = [*albums(5, artist="artists"), AlbumQuery(album="ALBUM 1", artist="The Artists")]
    found = await planning(database, [source, Told("off", unconfigured="OFF_KEY is not set")], {"one": 30.0}).plan(
        wanted
    )
    assert source.asked == []
    assert (found.total, found.duplicates, found.new, found.fresh, found.stale) == (6, 1, 2, 2, 1)
    one, off = found.sources
    assert (one.albums, one.calls_per_album, one.measured, one.calls) == (5, 2.0, False, 10)
    assert one.seconds == pytest.approx(10 / one.rate)
    assert (off.unconfigured, off.albums, off.calls, off.seconds) == ("OFF_KEY is not set", 0, 0, 0.0)
    assert (found.slowest, found.seconds) == ("one", one.seconds)
    assert len(await ours.jobs()) == 1
    with pytest.raises(InvalidInputError, match="empty"):
        await planning(database, [source]).plan([])


async def test_a_plan_goes_by_what_albums_cost_and_what_of_the_day_is_left(database: Database) -> None:
    source = Told("one")
    async with database.connection() as connection:
        await connection.execute("INSERT INTO ingest_jobs (id, total) VALUES ('old', 40)")
        await connection.execute(
            "INSERT INTO ingest_steps (job_id, position, source, state, outcome) "
            "SELECT 'old', n, 'one', 'done', CASE WHEN n <= 30 THEN 'ok' ELSE 'throttled' END FROM generate_series(1, 40) n"
        )
        await connection.execute(
            "INSERT INTO source_calls (key, since, calls) SELECT k, date_bin('10 minutes', now(), 'epoch'), n "
            "FROM (VALUES ('one', 150), ('one/albums@me', 140)) AS v (k, n)"
        )
        await connection.execute(
            "INSERT INTO source_budgets (key, allowed, rate, quota, quota_at, parked_until, reason) VALUES "
            "('one', 5, 2.5, NULL, NULL, NULL, ''), "
            "('one/albums@me', NULL, NULL, 200, now(), now() + interval '2 hours', 'too many')"
        )
    (one,) = (await planning(database, [source]).plan(albums(100))).sources
    assert (one.calls_per_album, one.measured, one.calls, one.rate) == (5.0, True, 500, 2.5)
    assert (one.quota, one.left_today, one.reason) == (200, 60, "too many")
    # Two hours until it may be asked; 440 requests more than are left take 2.2 days.
    assert one.seconds == pytest.approx(2 * 3600 + 440 / 200 * 86400, abs=60)
