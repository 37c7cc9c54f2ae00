"""Jobs as they are asked for and shown; how they are worked through is `tests/integration/test_ingestion_service.py`'s."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from backend.models.ingestion_models import AlbumQuery, Outcome, SourceOutcome
from backend.models.results import IngestReport, IngestResult
from backend.repositories.database import Database
from backend.repositories.ingest_statistics import IngestStatistics
from backend.repositories.jobs import JobRepository
from backend.utils.errors import NotFoundError

QUERIES = [AlbumQuery(album=f"Album {n}", artist="Artist") for n in range(5)]
ODD = "\x01 'quoted' \\ % _ – ö 🎵"


def report(*outcomes: SourceOutcome, result: IngestResult = IngestResult.COMPLETE) -> IngestReport:
    return IngestReport(album="A", artist="B", result=result, album_id="x", sources=outcomes)


async def test_a_list_waits_in_its_order(database: Database) -> None:
    jobs = JobRepository(database)
    status = await jobs.status(await jobs.create(QUERIES, priority=7))
    assert (status.total, status.counts["queued"], status.state, status.priority) == (5, 5, "open", 7)
    assert [i.album for i in status.items] == [q.album for q in QUERIES]
    page = await jobs.status(status.id, offset=3, limit=1)
    assert [i.position for i in page.items] == [4]


async def test_a_job_of_a_given_id_is_made_once(database: Database) -> None:
    jobs = JobRepository(database)
    assert await jobs.create(QUERIES, job_id="demo") == "demo"
    assert await jobs.create(QUERIES[:1], job_id="demo") == "demo"
    assert (await jobs.status("demo")).total == 5


async def test_an_album_ingested_at_once_is_a_job_of_one(database: Database) -> None:
    jobs = JobRepository(database)
    ok = SourceOutcome(source="one", outcome=Outcome.OK, tracks=3)
    odd = SourceOutcome(source="two", outcome=Outcome.FAILED, detail="a\0b \udfff")
    status = await jobs.status(await jobs.record(QUERIES[0], report(ok, odd, result=IngestResult.PARTIAL)))
    assert status.finished_at is not None
    assert (status.state, status.counts["partial"]) == ("finished", 1)
    assert [(o.source, o.outcome, o.detail) for o in status.items[0].sources] == [
        ("one", Outcome.OK, ""), ("two", Outcome.FAILED, "ab ?"),
    ]  # fmt: skip


async def test_one_whose_source_was_throttled_waits_for_it(database: Database) -> None:
    jobs = JobRepository(database)
    until = datetime.now(UTC) + timedelta(hours=3)
    late = SourceOutcome(source="one", outcome=Outcome.THROTTLED, retry_at=until)
    status = await jobs.status(await jobs.record(QUERIES[0], report(late, result=IngestResult.PARTIAL)))
    assert (status.finished_at, status.counts["waiting"]) == (None, 1)
    assert status.items[0].sources[0].retry_at == until


async def test_a_job_nobody_made(database: Database) -> None:
    with pytest.raises(NotFoundError, match="No job has the id 'nothing'"):
        await JobRepository(database).status("nothing")


async def test_names_of_any_signs_travel(database: Database) -> None:
    jobs = JobRepository(database)
    status = await jobs.status(await jobs.create([AlbumQuery(album=ODD, artist=ODD, hints={"aoty_html": ODD})]))
    assert (status.items[0].album, status.items[0].artist) == (ODD, ODD)


async def test_the_latest_jobs_come_first(database: Database) -> None:
    jobs = JobRepository(database)
    made = [await jobs.create(QUERIES[:n]) for n in (1, 2, 3)]
    assert [j.id for j in await jobs.list(limit=2)] == made[::-1][:2]


async def test_statistics_per_source(database: Database) -> None:
    jobs = JobRepository(database)
    until = datetime.now(UTC) + timedelta(hours=1)
    await jobs.record(QUERIES[0], report(SourceOutcome(source="one", outcome=Outcome.OK, tracks=3, seconds=0.5)))
    await jobs.record(
        QUERIES[1],
        report(
            SourceOutcome(source="one", outcome=Outcome.FAILED, detail="500", seconds=1.5),
            SourceOutcome(source="two", outcome=Outcome.THROTTLED, retry_at=until),
            result=IngestResult.PARTIAL,
        ),
    )
    found = await IngestStatistics(database).statistics()
    assert found["albums"] == {"complete": 1, "partial": 1}
    assert (found["jobs"]["total"], found["jobs"]["open"]) == (2, 1)
    one, two = found["sources"]
    assert (one["source"], one["asked"], one["tracks"], one["outcomes"]) == ("one", 2, 3, {"failed": 1, "ok": 1})
    assert one["mean_seconds"] == pytest.approx(1.0)
    assert (one["last_failure"], two["throttled_until"]) == ("500", until)
    assert (one["last_outcome"], two["last_outcome"]) == ("failed", "throttled"), "the one asked last, not the first"
