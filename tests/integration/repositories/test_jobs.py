"""Jobs in a real PostgreSQL: each album once, whoever works, whatever ends."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import orjson
import pytest

from backend.models.ingestion_models import AlbumQuery, Outcome, SourceOutcome
from backend.models.results import IngestReport, IngestResult
from backend.repositories.database import Database
from backend.repositories.jobs import ClaimedItem, JobRepository
from backend.utils.errors import NotFoundError

QUERIES = [
    AlbumQuery(album=f"Album {n}", artist="Artist", hints={"aoty_url": "x"} if n == 0 else {}) for n in range(25)
]


def report(item: ClaimedItem, result: IngestResult = IngestResult.COMPLETE) -> IngestReport:
    outcome = SourceOutcome(source="one", outcome=Outcome.OK, tracks=3, seconds=0.5)
    return IngestReport(album=item.album, artist=item.artist, result=result, album_id="x", sources=(outcome,))


async def test_a_job_is_worked_off_by_several_and_each_album_goes_to_one(database: Database) -> None:
    jobs = JobRepository(database)
    job_id = await jobs.create(QUERIES)
    seen: list[int] = []

    async def work() -> None:
        while claimed := await jobs.claim(3, lease_seconds=60):
            for item in claimed:
                seen.append(item.position)
                await asyncio.sleep(0)
                assert await jobs.finish(item, report(item))

    await asyncio.gather(*(work() for _ in range(4)))
    assert sorted(seen) == list(range(1, 26))
    status = await jobs.status(job_id, offset=20, limit=10)
    assert status.finished_at is not None
    assert {k: v for k, v in status.counts.items() if v} == {"complete": 25}
    assert [i.position for i in status.items] == [21, 22, 23, 24, 25]
    assert status.items[0].sources[0].outcome is Outcome.OK


async def test_hints_travel_with_the_album(database: Database) -> None:
    jobs = JobRepository(database)
    await jobs.create(QUERIES[:1])
    (item,) = await jobs.claim(1, lease_seconds=60)
    assert (item.album, item.hints, item.attempts) == ("Album 0", {"aoty_url": "x"}, 1)


async def test_an_album_whose_holder_is_gone_is_taken_over_and_counted_once(database: Database) -> None:
    jobs = JobRepository(database)
    job_id = await jobs.create(QUERIES[:1])
    (lost,) = await jobs.claim(1, lease_seconds=0.05)
    assert await jobs.claim(1, lease_seconds=60) == []
    await asyncio.sleep(0.1)
    (taken,) = await jobs.claim(1, lease_seconds=60)
    assert taken.attempts == 2
    # The first holder comes back from the dead: nothing it says counts any more.
    assert not await jobs.renew(lost, lease_seconds=60)
    assert not await jobs.release(lost)
    assert not await jobs.finish(lost, report(lost, IngestResult.FAILED))
    assert await jobs.finish(taken, report(taken))
    status = await jobs.status(job_id)
    assert (status.counts["complete"], status.counts["failed"]) == (1, 0)
    assert (await jobs.statistics())["sources"][0]["asked"] == 1


async def test_a_lease_that_is_renewed_holds(database: Database) -> None:
    jobs = JobRepository(database)
    await jobs.create(QUERIES[:1])
    (item,) = await jobs.claim(1, lease_seconds=0.05)
    assert await jobs.renew(item, lease_seconds=60)
    await asyncio.sleep(0.1)
    assert await jobs.claim(1, lease_seconds=60) == []


async def test_what_is_given_back_is_taken_up_again(database: Database) -> None:
    jobs = JobRepository(database)
    await jobs.create(QUERIES[:1])
    (item,) = await jobs.claim(1, lease_seconds=60)
    assert await jobs.release(item)
    (again,) = await jobs.claim(1, lease_seconds=60)
    assert (again.position, again.attempts) == (1, 2)


async def test_two_last_albums_that_end_at_once_end_the_job(database: Database) -> None:
    jobs = JobRepository(database)
    for _ in range(10):
        job_id = await jobs.create(QUERIES[:2])
        a, b = await jobs.claim(2, lease_seconds=60)
        await asyncio.gather(jobs.finish(a, report(a)), jobs.finish(b, report(b)))
        assert (await jobs.status(job_id)).finished_at is not None


async def test_a_job_of_a_given_id_is_made_once(database: Database) -> None:
    jobs = JobRepository(database)
    await asyncio.gather(*(jobs.create(QUERIES, job_id="demo") for _ in range(4)))
    assert (await jobs.status("demo")).counts["queued"] == 25


async def test_an_album_ingested_at_once_is_a_job_of_one(database: Database) -> None:
    jobs = JobRepository(database)
    done = IngestReport(album="A", artist="B", result=IngestResult.NOT_FOUND, detail="nobody knows it")
    job_id = await jobs.record(AlbumQuery(album="A", artist="B"), done)
    (status,) = await jobs.list(limit=5)
    assert (status.id, status.counts["not_found"]) == (job_id, 1)


async def test_a_job_nobody_made(database: Database) -> None:
    with pytest.raises(NotFoundError, match="No job has the id 'nothing'"):
        await JobRepository(database).status("nothing")


async def test_a_long_list_is_worked_on_in_its_order_and_behind_older_ones(database: Database) -> None:
    jobs = JobRepository(database)
    first = await jobs.create([AlbumQuery(album=f"A{n}", artist="x") for n in range(10_000)])
    await asyncio.sleep(0.002)  # ids sort by the millisecond
    second = await jobs.create(QUERIES[:2])
    seen: list[tuple[str, int]] = []
    while claimed := await jobs.claim(4_000, lease_seconds=600):
        seen += [(item.job_id, item.position) for item in claimed]
    assert seen == [*((first, n) for n in range(1, 10_001)), (second, 1), (second, 2)]
    status = await jobs.status(first, offset=9_998, limit=5)
    assert (status.total, status.counts["running"], [i.position for i in status.items]) == (
        10_000,
        10_000,
        [9_999, 10_000],
    )


async def test_names_of_any_signs_travel(database: Database) -> None:
    jobs = JobRepository(database)
    album, artist = 'back\\slash "quote" tab\t \\N', "مرحبا 🎸"
    await jobs.create([AlbumQuery(album=album, artist=artist, hints={"aoty_html": "<p>\n</p>"})])
    (item,) = await jobs.claim(1, lease_seconds=60)
    assert (item.album, item.artist, item.hints) == (album, artist, {"aoty_html": "<p>\n</p>"})


async def test_an_end_that_fails_midway_writes_nothing(database: Database) -> None:
    jobs = JobRepository(database)
    job_id = await jobs.create(QUERIES[:1])
    (item,) = await jobs.claim(1, lease_seconds=60)
    broken = SourceOutcome(source="one", outcome=Outcome.OK, tracks=2**31)
    with pytest.raises((ValueError, OverflowError)):
        await jobs.finish(item, replace(report(item), sources=(broken,)))
    status = await jobs.status(job_id)
    assert (status.items[0].state, status.items[0].sources, status.finished_at) == ("running", (), None)
    assert await jobs.finish(item, report(item))


async def test_statistics_per_source(database: Database) -> None:
    jobs = JobRepository(database)
    until = datetime.now(UTC) + timedelta(hours=1)
    for number, outcome in enumerate([
        SourceOutcome(source="one", outcome=Outcome.OK, tracks=3, seconds=1.0),
        SourceOutcome(source="one", outcome=Outcome.FAILED, detail="first", seconds=3.0),
        SourceOutcome(source="one", outcome=Outcome.FAILED, detail="second", seconds=5.0),
        SourceOutcome(source="two", outcome=Outcome.THROTTLED, retry_at=until),
        SourceOutcome(source="three", outcome=Outcome.UNCONFIGURED, detail="no key"),
    ]):  # fmt: skip
        done = IngestReport(album=f"A{number}", artist="B", result=IngestResult.PARTIAL, sources=(outcome,))
        await jobs.record(AlbumQuery(album=f"A{number}", artist="B"), done)
    statistics = await jobs.statistics()
    sources = {s["source"]: s for s in statistics["sources"]}
    assert sources.keys() == {"one", "two", "three"}
    one = sources["one"]
    assert (one["asked"], one["tracks"], one["mean_seconds"], one["last_failure"]) == (3, 3, 3.0, "second")
    assert one["outcomes"] == {"ok": 1, "failed": 2}
    assert one["throttled_until"] is None
    assert sources["two"]["throttled_until"] == until
    assert sources["three"]["mean_seconds"] is None
    assert (statistics["jobs"]["total"], statistics["jobs"]["open"], statistics["albums"]) == (5, 0, {"partial": 5})
    assert orjson.dumps(statistics)
