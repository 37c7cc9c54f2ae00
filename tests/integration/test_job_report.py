"""What a report says of each album, on a real PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Outcome
from backend.models.job_report import ReportAlbum
from backend.models.results import IngestResult
from backend.repositories.database import Database
from backend.repositories.job_albums import JobAlbums
from backend.repositories.job_control import JobControl
from backend.repositories.jobs import JobRepository
from backend.services.ingestion_service import IngestionService
from backend.services.job_report import JobReport
from backend.utils.errors import (
    AmbiguousError,
    BlockedError,
    InvalidInputError,
    NotFoundError,
    RecordNotFoundError,
    RejectedError,
    ThrottledError,
)
from tests.integration.working import Told, albums, ingesting, record_of, until

UNTIL = datetime.now(UTC) + timedelta(hours=5)


@pytest.fixture
async def started() -> AsyncIterator[list[IngestionService]]:
    """Services that the test starts; they are stopped after it."""
    running: list[IngestionService] = []
    yield running
    for each in running:
        await each.stop()


def reports(database: Database, *sources: Told) -> JobReport:
    return JobReport(JobRepository(database), JobAlbums(database), {s.name: s.profile for s in sources})


async def all_of(report: JobReport, job_id: str) -> list[ReportAlbum]:
    return [album async for page in report.albums(job_id) for album in page]


async def test_each_end_is_told_apart(database: Database, started: list[IngestionService]) -> None:
    async def says(query: AlbumQuery) -> AlbumRecord:
        match query.album:
            case "Album 1":
                raise AmbiguousError("two fit")
            case "Album 2":
                raise RecordNotFoundError("no such album")
            case "Album 3":
                raise BlockedError("a challenge")
            case "Album 4":
                raise ThrottledError("come later", until=UNTIL)
            case "Album 5":
                raise RejectedError("no such request")
        return record_of(query)

    source = Told("one", says)
    ours = ingesting(database, [source])
    job_id = await ours.submit(albums(7))
    started.append(ours)
    ours.start()
    await until(ours, job_id, complete=2, waiting=1, failed=1, blocked=1, ambiguous=1, not_found=1)
    found = await all_of(reports(database, source), job_id)
    assert [a.result for a in found] == [
        "complete", "ambiguous", "not_found", "blocked", "throttled", "failed", "complete",
    ]  # fmt: skip
    assert [a.parked_until for a in found if a.parked_until] == [UNTIL]
    assert found[4].sources[0].retry_at == UNTIL
    assert found[3].sources[0].detail == "a challenge"
    await JobControl(database).cancel(job_id)
    assert (await all_of(reports(database, source), job_id))[4].result is IngestResult.CANCELLED


async def test_of_a_partial_album_it_says_who_gave_no_answer_and_what_is_missing(
    database: Database, started: list[IngestionService]
) -> None:
    async def blocked(_: AlbumQuery) -> AlbumRecord:
        raise BlockedError("a challenge")

    one, two, three = Told("one"), Told("two", blocked, stage="catalogue"), Told("three", stage="completion")
    ours = ingesting(database, [one, two, three])
    job_id = await ours.submit(albums(1))
    started.append(ours)
    ours.start()
    await until(ours, job_id)
    (album,) = await all_of(reports(database, one, two, three), job_id)
    assert (album.result, album.detail) == ("partial", "two: blocked")
    said = {s.source: s for s in album.sources}
    # What it gives as a rule and nobody gave; the title stands there, the length of no track does.
    assert (said["two"].outcome, said["two"].missing) == (Outcome.BLOCKED, ("duration_ms", "popularity", "label"))
    assert said["one"].missing == ()
    async with database.connection() as connection:
        await connection.execute("UPDATE albums SET label = 'Small Boats', popularity = 4")
    ((_, label),) = [(a, a.sources[2].missing) for a in await all_of(reports(database, one, two, three), job_id)]
    assert label == ("duration_ms",)


async def test_a_long_report_comes_in_pages_and_complete(database: Database) -> None:
    job_id = await JobRepository(database).create(albums(1_203))
    report = reports(database)
    pages = [len(page) async for page in report.albums(job_id)]
    assert pages == [500, 500, 203]
    media, chunks = await report.stream(job_id, form="csv")
    lines = b"".join([chunk async for chunk in chunks]).decode().splitlines()
    assert (media, len(lines), lines[0]) == (
        "text/csv; charset=utf-8", 1_204, "album,artist,result,detail,album_id,parked_until,missing",
    )  # fmt: skip
    assert lines[1203] == "Album 1202,Artist,queued,,,,"
    with pytest.raises(NotFoundError):
        await report.stream("nothing", form="csv")
    with pytest.raises(InvalidInputError, match="json, csv"):
        await report.stream(job_id, form="parquet")
