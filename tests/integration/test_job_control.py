"""Jobs that are held, called off, moved ahead and taken up again, on a real PostgreSQL with workers at work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from backend.ingestion.itinerary import Itinerary
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Outcome
from backend.models.results import IngestResult, JobStatus
from backend.repositories.database import Database
from backend.repositories.job_control import JobControl
from backend.repositories.jobs import JobRepository
from backend.repositories.retries import RetryRepository
from backend.repositories.step_queue import Message
from backend.repositories.steps import StepRepository
from backend.services.ingestion_service import IngestionService
from backend.services.job_service import JobService
from backend.utils.errors import (
    BlockedError,
    ConflictError,
    InvalidInputError,
    NotFoundError,
    RejectedError,
    ThrottledError,
)
from tests.integration.working import Told, albums, ingesting, record_of, until

Started = list[IngestionService]


@pytest.fixture
async def started() -> AsyncIterator[Started]:
    """Services that the test starts; they are stopped after it."""
    running: Started = []
    yield running
    for each in running:
        await each.stop()


@pytest.fixture
def jobs(database: Database) -> JobService:
    repository = JobRepository(database)
    return JobService(JobControl(database), repository, retries=RetryRepository(database), hints={}, nudge=lambda: None)


def start(service: IngestionService, started: Started) -> IngestionService:
    started.append(service)
    service.start()
    return service


class Gate:
    """A source that answers while it is open."""

    def __init__(self) -> None:
        self.open, self.reached = asyncio.Event(), asyncio.Event()

    async def __call__(self, query: AlbumQuery) -> AlbumRecord:
        self.reached.set()
        await self.open.wait()
        return record_of(query)


async def come_later(_: AlbumQuery) -> AlbumRecord:
    raise ThrottledError("come later", until=datetime.now(UTC) + timedelta(hours=3))


async def parked_steps(database: Database, job_id: str) -> int:
    async with database.connection() as connection:
        found: int = await connection.fetchval(
            "SELECT count(*) FROM ingest_steps WHERE job_id = $1 AND state = 'parked'", job_id
        )
    return found


async def begun(database: Database) -> None:
    """Have the albums that wait begun, each with one source."""
    itinerary = Itinerary((("one",),))
    await StepRepository(database).feed(lambda _, steps, ended: itinerary.after(steps, ended=ended), window=5, most=5)


async def test_a_job_that_rests_asks_nobody_and_goes_on_where_it_was(
    database: Database, started: Started, jobs: JobService
) -> None:
    gate = Gate()
    source = Told("one", gate)
    ours = start(ingesting(database, [source]), started)
    job_id = await ours.submit(albums(12))
    await gate.reached.wait()
    assert (await jobs.pause(job_id)).state == "paused"
    gate.open.set()
    async with asyncio.timeout(20):
        while await parked_steps(database, job_id) + len(source.asked) < 12:
            await asyncio.sleep(0.05)
    asked = len(source.asked)
    assert asked <= 4  # those under way
    await asyncio.sleep(1.2)
    assert len(source.asked) == asked
    assert (await jobs.pause(job_id)).finished_at is None  # once more changes nothing
    assert (await jobs.resume(job_id)).state == "open"
    status = await until(ours, job_id)
    assert (status.counts["complete"], len(source.asked)) == (12, 12)


async def test_a_job_that_rests_takes_nobodys_room(database: Database, started: Started, jobs: JobService) -> None:
    gate = Gate()
    one, two = Told("one", gate), Told("two", stage="catalogue")
    ours = start(ingesting(database, [one, two], ingestion_window=2), started)
    resting = await ours.submit(albums(6))
    async with asyncio.timeout(20):
        while len(one.asked) < 2:
            await asyncio.sleep(0.02)
    await jobs.pause(resting)
    gate.open.set()
    other = await ours.submit(albums(3, artist="Another"))
    assert (await until(ours, other)).counts["complete"] == 3
    assert (await ours.status(resting)).counts["running"] == 2
    await jobs.resume(resting)
    assert (await until(ours, resting)).counts["complete"] == 6


async def test_a_step_put_aside_while_its_job_is_resumed_does_not_stay_behind(
    database: Database, jobs: JobService
) -> None:
    job_id = await JobRepository(database).create(albums(1))
    await begun(database)
    steps = StepRepository(database)
    await jobs.pause(job_id)
    step = await steps.begin(Message(job_id, 1, "one", 0))
    assert step is not None
    assert step.paused
    await jobs.resume(job_id)  # before the worker has put it aside
    await steps.rest(step)
    assert await steps.wake(5) == 1


async def test_a_cancelled_job_keeps_what_is_stored_and_asks_nobody_more(
    database: Database, started: Started, jobs: JobService
) -> None:
    gate = Gate()

    async def first(query: AlbumQuery) -> AlbumRecord:
        return record_of(query) if query.artist == "Quick" else await gate(query)

    one, two = Told("one", first), Told("two", come_later, stage="enrichment")
    ours = start(ingesting(database, [one, two], ingestion_window=4), started)
    job_id = await ours.submit([*albums(3, artist="Quick"), *albums(20, artist="Slow")])
    await until(ours, job_id, waiting=3)
    await gate.reached.wait()
    status = await jobs.cancel(job_id)
    gate.open.set()
    assert (status.state, status.finished_at is not None) == ("cancelled", True)
    assert {k: n for k, n in status.counts.items() if n} == {"partial": 3, "cancelled": 20}
    await asyncio.sleep(1)
    after = await ours.status(job_id)
    assert after.counts == status.counts
    asked = len(one.asked)
    assert asked <= 3 + 4
    stored = after.items[0]
    assert stored.album_id
    told = {o.source: o for o in stored.sources}["two"]
    assert (told.outcome, told.retry_at) == (Outcome.THROTTLED, None)
    assert told.detail == "called off while it waited to be asked again: come later"
    assert after.items[22].sources == ()
    for change in (jobs.cancel, jobs.pause, jobs.resume):
        with pytest.raises(ConflictError, match="was cancelled"):
            await change(job_id)


async def test_a_job_is_called_off_while_workers_are_in_it(
    database: Database, started: Started, jobs: JobService
) -> None:
    for n in range(4):
        ours = start(ingesting(database, [Told("one"), Told("two", stage="catalogue")]), started)
        job_id = await ours.submit(albums(60, artist=f"Artist {n}"))
        await until(ours, job_id, complete=3)
        counts = (await jobs.cancel(job_id)).counts
        assert counts["complete"] + counts["partial"] + counts["cancelled"] == 60
        assert counts["cancelled"]
        await ours.stop()
        assert (await ours.status(job_id)).counts == counts


async def test_an_album_that_is_begun_while_its_job_is_called_off_stays_called_off(database: Database) -> None:
    job_id = await JobRepository(database).create(albums(3))
    async with database.transaction() as connection:
        # As `cancel` does; the worker looks before this is committed and waits for it.
        await connection.execute(
            "UPDATE ingest_items SET state = 'done', result = 'cancelled' WHERE job_id = $1", job_id
        )
        beginning = asyncio.create_task(begun(database))
        async with asyncio.timeout(20), database.connection() as other:
            while not await other.fetchval("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"):
                await asyncio.sleep(0.02)
    await beginning
    assert (await JobRepository(database).status(job_id)).counts["cancelled"] == 3


async def test_what_has_ended_or_is_not_there_cannot_be_changed(
    database: Database, started: Started, jobs: JobService
) -> None:
    ours = start(ingesting(database, [Told("one")]), started)
    job_id = await ours.submit(albums(1))
    await until(ours, job_id)
    for change in (jobs.cancel, jobs.pause, jobs.resume):
        with pytest.raises(ConflictError, match="is finished; a retry"):
            await change(job_id)
        with pytest.raises(NotFoundError, match="No job has the id 'nothing'"):
            await change("nothing")
    with pytest.raises(ConflictError, match="is finished"):
        await jobs.prioritise(job_id, 5)
    with pytest.raises(InvalidInputError, match="-100 to 100"):
        await jobs.prioritise(job_id, 101)


async def test_who_is_moved_ahead_comes_first(database: Database, started: Started, jobs: JobService) -> None:
    source = Told("one")
    ours = ingesting(database, [source], ingestion_max_concurrent=1, ingestion_window=3, ingestion_batch_size=3)
    first = await ours.submit(albums(30, artist="First"))
    second = await ours.submit(albums(5, artist="Second"))
    assert (await jobs.prioritise(second, 50)).priority == 50
    start(ours, started)
    await until(ours, second)
    assert sum(q.artist == "First" for q in source.asked) <= 4
    assert (await until(ours, first)).counts["complete"] == 30


async def test_what_is_due_already_moves_with_its_job(database: Database, jobs: JobService) -> None:
    job_id = await JobRepository(database).create(albums(2))
    await begun(database)
    ranks = "SELECT priority FROM tensoe_pgqueuer ORDER BY priority DESC"
    async with database.connection() as connection:
        before = [r["priority"] for r in await connection.fetch(ranks)]
        await jobs.prioritise(job_id, 7)
        after = [r["priority"] for r in await connection.fetch(ranks)]
        await jobs.prioritise(job_id, -100)
        lowest = [r["priority"] for r in await connection.fetch(ranks)]
    assert [b - a for a, b in zip(before, after, strict=True)] == [70_000_000, 70_000_000]
    assert lowest == [before[0] - 1_000_000_000, before[1] - 1_000_000_000]


# -- taking up again ---------------------------------------------------------------------------------


async def mended(
    database: Database, started: Started, say_second: dict[str, bool]
) -> tuple[IngestionService, Told, Told]:
    """Two sources: the first knows all but some, the second breaks until it is mended."""

    async def knows(query: AlbumQuery) -> AlbumRecord:
        match query.album:
            case "Album 0":
                raise BlockedError("a challenge")
            case "Album 1":
                raise RejectedError("no such request")
        return record_of(query)

    async def label(query: AlbumQuery) -> AlbumRecord:
        if say_second["mended"]:
            return AlbumRecord(title=f"{query.album} (Deluxe)", artist=query.artist, label="Small Boats")
        raise BlockedError("a challenge")

    one, two = Told("one", knows), Told("two", label, stage="completion")
    return start(ingesting(database, [one, two]), started), one, two


def job_of(status: JobStatus) -> dict[str, int]:
    return {k: n for k, n in status.counts.items() if n}


async def test_only_what_did_not_end_well_is_taken_up_and_only_once(
    database: Database, started: Started, jobs: JobService
) -> None:
    second = {"mended": False}
    ours, one, two = await mended(database, started, second)
    job_id = await ours.submit([*albums(4), AlbumQuery(album="Album 9", artist="Artist", hints={"one_id": "x9"})])
    first = await until(ours, job_id)
    assert job_of(first) == {"partial": 3, "blocked": 1, "failed": 1}
    stored = {i.album: i.album_id for i in first.items}
    one.asked.clear()
    two.asked.clear()

    made = await jobs.retry(job_id, only=[IngestResult.BLOCKED])
    assert made.total == 1
    again = await until(ours, made.job_id)
    assert (again.kind, [i.album for i in again.items]) == ("retry", ["Album 0"])
    assert {q.album for q in one.asked} == {"Album 0"}
    with pytest.raises(ConflictError, match=f"taken up already \\(1 by job {made.job_id}\\)"):
        await jobs.retry(job_id, only=[IngestResult.BLOCKED])

    second["mended"] = True
    one.asked.clear()
    two.asked.clear()
    rest = await jobs.retry(job_id, only=[IngestResult.PARTIAL])
    done = await until(ours, rest.job_id)
    assert job_of(done) == {"complete": 3}
    # Who had answered is not asked again, and what is known of the album is known to who is.
    assert one.asked == []
    assert sorted(q.album for q in two.asked) == ["Album 2", "Album 3", "Album 9"]
    assert all(q.known is not None and q.known.title == q.album for q in two.asked)
    assert {q.album: q.hints for q in two.asked}["Album 9"] == {"one_id": "x9", "sources": "two"}
    # However the late source spells it, it is the album that was stored.
    assert {i.album: i.album_id for i in done.items} == {n: stored[n] for n in ("Album 2", "Album 3", "Album 9")}
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM albums WHERE label = 'Small Boats'") == 3
        assert await connection.fetchval("SELECT count(*) FROM albums") == 3

    assert [d.album for d in (await jobs.dead_letters())[0]] == ["Album 1"]


async def test_there_may_be_nothing_to_retry(database: Database, started: Started, jobs: JobService) -> None:
    ours = start(ingesting(database, [Told("one")]), started)
    job_id = await ours.submit(albums(2))
    await until(ours, job_id)
    with pytest.raises(ConflictError, match="none of its albums ended partial, blocked, throttled, failed, cancelled"):
        await jobs.retry(job_id)
    with pytest.raises(InvalidInputError, match="complete albums need no retry"):
        await jobs.retry(job_id, only=[IngestResult.COMPLETE])
    with pytest.raises(NotFoundError):
        await jobs.retry("nothing")
    with pytest.raises(ConflictError, match="no album failed"):
        await jobs.retry_dead()
    assert len(await ours.jobs()) == 1  # no empty job stays behind


async def test_a_cancelled_jobs_rest_can_be_taken_up(database: Database, started: Started, jobs: JobService) -> None:
    ours = ingesting(database, [Told("one")])
    job_id = await ours.submit(albums(7))
    await jobs.cancel(job_id)
    made = await jobs.retry(job_id, priority=3)
    start(ours, started)
    status = await until(ours, made.job_id)
    assert (status.counts["complete"], status.priority) == (7, 3)


async def test_two_who_retry_at_once_share_the_albums(database: Database, started: Started, jobs: JobService) -> None:
    ours = ingesting(database, [Told("one")])
    job_id = await ours.submit(albums(50))
    await jobs.cancel(job_id)
    made = await asyncio.gather(*(jobs.retry(job_id) for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(m, ConflictError) for m in made) == 3
    assert [m.total for m in made if not isinstance(m, BaseException)] == [50]


async def test_dead_letters_over_all_jobs_page_by_page(database: Database, started: Started, jobs: JobService) -> None:
    async def broken(_: AlbumQuery) -> AlbumRecord:
        raise RejectedError("no such request")

    source = Told("one", broken)
    ours = start(ingesting(database, [source, Told("none", unconfigured="no key")]), started)
    for artist in ("A", "B"):
        await until(ours, await ours.submit(albums(3, artist=artist)))
    seen, cursor = [], None
    while True:
        page, cursor = await jobs.dead_letters(cursor=cursor, limit=4)
        seen += page
        if cursor is None:
            break
    assert len(seen) == len({(d.job_id, d.position) for d in seen}) == 6
    assert [d.finished_at for d in seen] == sorted((d.finished_at for d in seen), reverse=True)
    assert {d.artist for d in seen[:3]} == {"B"}
    (failure,) = seen[0].sources
    assert (failure.source, failure.detail, failure.attempts) == ("one", "no such request", 1)
    with pytest.raises(InvalidInputError, match="cursor"):
        await jobs.dead_letters(cursor="nonsense")
    made = await jobs.retry_dead()
    assert made.total == 6
    assert (await jobs.dead_letters())[0] == []
    assert job_of(await until(ours, made.job_id)) == {"failed": 6}
    assert len((await jobs.dead_letters())[0]) == 6
