"""Ingestion: one album now, a list as a job, and following jobs."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from backend.models.results import IngestReport, IngestResult
from backend.routes import schemas_ingestion as schemas
from backend.routes import schemas_jobs
from backend.routes.answers import json_answer, next_link
from backend.routes.dependencies import WRITES, With
from backend.routes.errors import ProblemError
from backend.routes.job_control_routes import JobId, summary
from backend.services.album_list import album_list_of

router = APIRouter(prefix="/ml", tags=["ingestion"])

_NOTHING = {
    IngestResult.NOT_FOUND: (404, "No source knows this album"),
    IngestResult.AMBIGUOUS: (409, "Several albums fit and none clearly"),
    IngestResult.FAILED: (502, "No source could give this album"),
}


@router.post(
    "/ingest/album",
    response_model=schemas.IngestAnswer,
    dependencies=WRITES,
    summary="Ingest one album now",
    responses={
        409: {"description": "Several albums fit and none clearly; nothing was stored"},
        502: {"description": "No source could give it; `sources` says why, and nothing was stored"},
    },
)
async def ingest_album(asked: schemas.AlbumRequest, with_: With) -> Response:
    """Ask every source for an album, merge what they say, store it, and answer with the stored tracks.

    Asking again neither duplicates nor loses anything. `result` is `partial` when a source was blocked, throttled or
    failed; `sources` names each one's outcome.
    """
    report = await with_.ingestion.ingest(asked.query())
    if report.album_id is None:
        raise nothing(report)
    album = await with_.albums.album(report.album_id)
    return json_answer({**shown(report), "tracks": album["tracks"]})


@router.post(
    "/ingest/batch",
    status_code=202,
    response_model=schemas.JobAccepted,
    dependencies=WRITES,
    summary="Ingest a list of albums in the background",
)
async def ingest_batch(asked: schemas.BatchRequest, with_: With) -> Response:
    """Take a list, answer at once with a job id and where to follow it. The job survives restarts of the server."""
    queries = asked.queries()
    job_id = await with_.ingestion.accept(queries, priority=asked.priority)
    where = f"/ml/jobs/{job_id}"
    body = {"job_id": job_id, "total": len(queries), "status_url": where}
    return json_answer(body, status=202, headers={"location": where})


@router.post("/ingest/plan", response_model=schemas_jobs.Plan, dependencies=WRITES, summary="What a list would take")
async def plan(asked: schemas.BatchRequest, with_: With) -> Response:
    """What is stored already, requests and time per source at the allowed rates, quotas, who cannot be asked.

    Asks no source and changes nothing.
    """
    return json_answer(await with_.planning.plan(asked.queries()))


@router.post(
    "/ingest/list",
    response_model=schemas.AlbumListAnswer,
    dependencies=WRITES,
    summary="Read a list of albums",
    openapi_extra={"requestBody": {"required": True, "content": {"text/csv": {"schema": {"type": "string"}}}}},
)
async def read_list(request: Request) -> Response:
    """A CSV file (UTF-8; comma, semicolon or tab): album, artist a line, or a header that names both columns.

    Answers with the albums as a batch takes them. Asks no source and stores nothing.
    """
    content = await request.body()
    every = await asyncio.to_thread(album_list_of, content, once=False)
    albums = list(dict.fromkeys((query.album, query.artist) for query in every))
    return json_answer({"albums": albums, "repeated": len(every) - len(albums)})


@router.get("/jobs", response_model=schemas.JobList, summary="The latest jobs")
async def jobs(with_: With, limit: Annotated[int, Query(ge=1, le=200)] = 20) -> Response:
    """The latest jobs, newest first, without their albums."""
    found = await with_.ingestion.jobs(limit=limit)
    return json_answer({"data": [summary(job) for job in found]})


@router.get("/jobs/{job_id}", response_model=schemas.Job, summary="A job with its albums")
async def job(
    request: Request,
    job_id: JobId,
    with_: With,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
    result: Annotated[
        list[IngestResult] | None, Query(max_length=10, description="Only albums that ended so. May be repeated.")
    ] = None,
) -> Response:
    """How far a job is, with a page of its albums and each one's outcome."""
    found = await with_.ingestion.status(job_id, offset=offset, limit=limit, results=result or None)
    following = offset + len(found.items)
    listed = sum(found.counts[one] for one in set(result)) if result else found.total
    more = following if found.items and following < listed else None
    headers = {} if more is None else {"link": next_link(request, offset=more)}
    return json_answer({**summary(found), "items": found.items, "next_offset": more}, headers=headers)


def shown(report: IngestReport) -> dict[str, object]:
    """What is answered of an album's ingestion."""
    return {
        "result": report.result,
        "detail": report.detail,
        "album_id": report.album_id,
        "album": report.album,
        "artist": report.artist,
        "sources": report.sources,
    }


def nothing(report: IngestReport) -> ProblemError:
    """What is answered when nothing was stored."""
    status, title = _NOTHING.get(report.result, _NOTHING[IngestResult.FAILED])
    return ProblemError(status, title=title, detail=report.detail, result=report.result, sources=report.sources)
