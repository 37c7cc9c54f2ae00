"""Holding jobs, calling them off, and taking up again what did not end well."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from backend.models.results import JobStatus
from backend.routes import schemas_ingestion as schemas
from backend.routes.answers import json_answer, next_link
from backend.routes.dependencies import WRITES, Cursor, With

router = APIRouter(prefix="/ml", tags=["ingestion"])

JobId = Annotated[str, Path(max_length=100, pattern=r"^[0-9a-zA-Z_-]+$", description="As the batch's answer named it.")]

_ENDED: dict[int | str, dict[str, Any]] = {409: {"description": "The job has ended already"}}
_NOTHING: dict[int | str, dict[str, Any]] = {409: {"description": "There is nothing to retry; the detail says why"}}


@router.get("/jobs/dead-letters", response_model=schemas.DeadLetters, summary="Albums that failed")
async def dead_letters(
    request: Request,
    with_: With,
    cursor: Cursor = None,
    limit: Annotated[int, Query(ge=1, le=1_000)] = 100,
) -> Response:
    """Over all jobs, the latest first, with each source's last error; those that a retry took up are left out."""
    found, following = await with_.jobs.dead_letters(cursor=cursor, limit=limit)
    headers = {} if following is None else {"link": next_link(request, cursor=following)}
    return json_answer({"data": found, "next_cursor": following}, headers=headers)


@router.post(
    "/jobs/dead-letters/retry",
    status_code=202,
    response_model=schemas.JobAccepted,
    responses=_NOTHING,
    dependencies=WRITES,
    summary="Take up all albums that failed",
)
async def retry_dead(with_: With) -> Response:
    """A new job of every album in `/ml/jobs/dead-letters`."""
    made = await with_.jobs.retry_dead()
    return _accepted(made.job_id, made.total)


@router.post(
    "/jobs/{job_id}/pause",
    response_model=schemas.JobSummary,
    responses=_ENDED,
    dependencies=WRITES,
    summary="Let a job rest",
)
async def pause(job_id: JobId, with_: With) -> Response:
    """No source is asked for it any more until it is resumed; requests that are under way end first."""
    return json_answer(summary(await with_.jobs.pause(job_id)))


@router.post(
    "/jobs/{job_id}/resume",
    response_model=schemas.JobSummary,
    responses=_ENDED,
    dependencies=WRITES,
    summary="Go on with a job that rests",
)
async def resume(job_id: JobId, with_: With) -> Response:
    """It goes on where it was."""
    return json_answer(summary(await with_.jobs.resume(job_id)))


@router.post(
    "/jobs/{job_id}/cancel",
    response_model=schemas.JobSummary,
    responses=_ENDED,
    dependencies=WRITES,
    summary="Call a job off",
)
async def cancel(job_id: JobId, with_: With) -> Response:
    """What is not done ends as `cancelled`; what is stored stays and keeps its result."""
    return json_answer(summary(await with_.jobs.cancel(job_id)))


@router.patch(
    "/jobs/{job_id}",
    response_model=schemas.JobSummary,
    responses=_ENDED,
    dependencies=WRITES,
    summary="Say how much a job matters",
)
async def prioritise(job_id: JobId, asked: schemas.JobChange, with_: With) -> Response:
    """Jobs of a higher priority go first, those of the same take turns album by album."""
    return json_answer(summary(await with_.jobs.prioritise(job_id, asked.priority)))


@router.post(
    "/jobs/{job_id}/retry",
    status_code=202,
    response_model=schemas.JobAccepted,
    responses=_NOTHING,
    dependencies=WRITES,
    summary="Take up what did not end well",
)
async def retry(job_id: JobId, with_: With, asked: schemas.RetryRequest | None = None) -> Response:
    """A new job of just those albums, each once. Of an album stored in part only the sources that gave no answer are asked."""
    wanted = asked or schemas.RetryRequest()
    made = await with_.jobs.retry(job_id, only=wanted.only, priority=wanted.priority)
    return _accepted(made.job_id, made.total)


def summary(job: JobStatus) -> dict[str, object]:
    """What is answered of a job as a whole."""
    return {
        "id": job.id,
        "kind": job.kind,
        "state": job.state,
        "priority": job.priority,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
        "total": job.total,
        "counts": job.counts,
    }


def _accepted(job_id: str, total: int) -> Response:
    where = f"/ml/jobs/{job_id}"
    body = {"job_id": job_id, "total": total, "status_url": where}
    return json_answer(body, status=202, headers={"location": where})
