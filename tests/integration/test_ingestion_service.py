"""Jobs worked off by the service on a real PostgreSQL: what breaks, what stops, what is given back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import cast

import pytest

from backend.config.settings import IngestionSettings
from backend.ingestion.ingest_runner import IngestRunner
from backend.metrics import Metrics
from backend.models.ingestion_models import AlbumQuery
from backend.models.results import IngestReport, IngestResult, JobStatus
from backend.repositories.database import Database
from backend.repositories.jobs import JobRepository
from backend.repositories.unmatched import UnmatchedRepository
from backend.services.ingestion_service import IngestionService
from backend.utils.errors import BusyError, InvalidInputError

Run = Callable[[AlbumQuery], Awaitable[IngestReport]]
QUERIES = [AlbumQuery(album=f"Album {n}", artist="Artist") for n in range(12)]


class Runner:
    """Runs albums as a test wants it, and counts how many at once."""

    def __init__(self, work: Run) -> None:
        self._work = work
        self.now = self.most = self.runs = 0

    async def run(self, query: AlbumQuery) -> IngestReport:
        self.runs += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await self._work(query)
        finally:
            self.now -= 1

    async def close(self) -> None:
        """Nothing of these runners outlives who asked."""


def done(query: AlbumQuery) -> IngestReport:
    return IngestReport(album=query.album, artist=query.artist, result=IngestResult.COMPLETE, album_id="x")


def service(database: Database, runner: Runner, *, concurrent: int = 3) -> IngestionService:
    return IngestionService(
        cast(IngestRunner, runner),
        JobRepository(database),
        unmatched=UnmatchedRepository(database),
        sources=[],
        used=frozenset(),
        settings=IngestionSettings(ingestion_max_concurrent=concurrent),
        metrics=Metrics(),
        max_batch=20,
    )


@pytest.fixture
async def started() -> AsyncIterator[list[IngestionService]]:
    """Services that the test starts; they are stopped after it."""
    running: list[IngestionService] = []
    yield running
    for each in running:
        await each.stop()


async def finished(service: IngestionService, job_id: str) -> JobStatus:
    async with asyncio.timeout(60):
        while (status := await service.status(job_id)).finished_at is None:
            await asyncio.sleep(0.05)
    return status


async def test_a_list_is_worked_off_so_many_at_a_time(database: Database, started: list[IngestionService]) -> None:
    async def work(query: AlbumQuery) -> IngestReport:
        await asyncio.sleep(0.05)
        return done(query)

    runner = Runner(work)
    ours = service(database, runner)
    started.append(ours)
    ours.start()
    status = await finished(ours, await ours.submit(QUERIES))
    assert status.counts["complete"] == 12
    assert (runner.most, runner.runs) == (3, 12)


async def test_an_album_that_breaks_is_tried_again_then_reported_and_the_rest_goes_on(
    database: Database, started: list[IngestionService]
) -> None:
    async def work(query: AlbumQuery) -> IngestReport:
        if query.album == "Album 3":
            raise ZeroDivisionError
        return done(query)

    runner = Runner(work)
    ours = service(database, runner)
    started.append(ours)
    ours.start()
    job_id = await ours.submit(QUERIES)
    status = await finished(ours, job_id)
    assert (status.counts["complete"], status.counts["failed"]) == (11, 1)
    broken = next(i for i in status.items if i.album == "Album 3")
    assert "after 3 tries (ZeroDivisionError)" in (broken.detail or "")
    assert runner.runs == 14


async def test_an_album_whose_workers_die_each_time_is_given_up(
    database: Database, started: list[IngestionService]
) -> None:
    async def work(query: AlbumQuery) -> IngestReport:
        return done(query)

    runner = Runner(work)
    ours = service(database, runner)
    job_id = await ours.submit(QUERIES[:1])
    jobs = JobRepository(database)
    for _ in range(10):  # taken, and never heard of again
        assert await jobs.claim(1, lease_seconds=0)
    started.append(ours)
    ours.start()
    status = await finished(ours, job_id)
    assert (status.counts["failed"], runner.runs) == (1, 0)
    assert "given up after 10 tries" in (status.items[0].detail or "")


async def test_stopping_gives_back_what_is_in_work(database: Database, started: list[IngestionService]) -> None:
    async def forever(_: AlbumQuery) -> IngestReport:
        await asyncio.sleep(600)
        raise AssertionError

    first = service(database, Runner(forever))
    first.start()
    job_id = await first.submit(QUERIES)
    async with asyncio.timeout(30):
        while (await first.status(job_id)).counts["running"] < 3:
            await asyncio.sleep(0.02)
    await first.stop()
    assert (await first.status(job_id)).counts["queued"] == 12

    async def work(query: AlbumQuery) -> IngestReport:
        return done(query)

    second = service(database, Runner(work))
    started.append(second)
    second.start()
    assert (await finished(second, job_id)).counts["complete"] == 12


async def test_two_services_share_a_list(database: Database, started: list[IngestionService]) -> None:
    async def work(query: AlbumQuery) -> IngestReport:
        await asyncio.sleep(0.05)
        return done(query)

    runners = [Runner(work), Runner(work)]
    services = [service(database, runner) for runner in runners]
    job_id = await services[0].submit(QUERIES)
    for each in services:
        started.append(each)
        each.start()
    assert (await finished(services[0], job_id)).counts["complete"] == 12
    assert sum(r.runs for r in runners) == 12
    assert all(r.runs for r in runners)


async def test_too_many_at_once_by_hand_are_told_to_come_again(database: Database) -> None:
    gate = asyncio.Event()

    async def work(query: AlbumQuery) -> IngestReport:
        await gate.wait()
        return done(query)

    ours = service(database, Runner(work), concurrent=1)
    waiting = [asyncio.create_task(ours.ingest(query)) for query in QUERIES[:10]]
    await asyncio.sleep(0)
    with pytest.raises(BusyError, match="send a batch"):
        await ours.ingest(QUERIES[11])
    gate.set()
    reports = await asyncio.gather(*waiting)
    assert {r.result for r in reports} == {IngestResult.COMPLETE}
    assert len(await ours.jobs(limit=50)) == 10


@pytest.mark.parametrize(
    ("albums", "said"),
    [
        ([], "is empty"),
        ([AlbumQuery(album="x", artist="y")] * 21, "20 are the most"),
        (
            [AlbumQuery(album="x", artist="y"), AlbumQuery(album=" \t", artist="y")],
            "album 2 of the list: album_name is empty",
        ),
        ([AlbumQuery(album="x", artist="\ud800")], "artist_name holds half a character"),
    ],
)
async def test_a_list_that_does_not_fit_is_refused_whole(
    database: Database, albums: list[AlbumQuery], said: str
) -> None:
    async def work(query: AlbumQuery) -> IngestReport:
        return done(query)

    ours = service(database, Runner(work))
    with pytest.raises(InvalidInputError, match=said):
        await ours.submit(albums)
    assert await ours.jobs() == []


async def test_hints_of_any_text_wait_with_their_album(database: Database) -> None:
    async def work(query: AlbumQuery) -> IngestReport:
        return done(query)

    ours = service(database, Runner(work))
    await ours.submit([AlbumQuery(album="x", artist="y", hints={"aoty_url": "http://a\0b", "aoty_html": "<p>\x01 é"})])
    (item,) = await JobRepository(database).claim(1, lease_seconds=60)
    assert item.hints == {"aoty_url": "http://ab", "aoty_html": "<p>\x01 é"}
    with pytest.raises(InvalidInputError, match="aoty_html holds half a character"):
        await ours.submit([AlbumQuery(album="x", artist="y", hints={"aoty_html": "\udfff"})])
