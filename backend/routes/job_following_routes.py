"""Following a job as it is worked on, and its report."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any, Final, Literal

import orjson
from fastapi import APIRouter
from fastapi.responses import Response, StreamingResponse

from backend.models.job_progress import JobProgress
from backend.routes import schemas_jobs as schemas
from backend.routes.dependencies import With
from backend.routes.job_control_routes import JobId

router = APIRouter(prefix="/ml", tags=["ingestion"])

ReportForm = Literal["json", "csv"]

_EVENTS: Final = "text/event-stream"
_HEARTBEAT_SECONDS: Final = 15.0  # a proxy closes what is silent for longer
_NO_BUFFER: Final = {"cache-control": "no-store", "x-accel-buffering": "no"}
_STREAM: dict[int | str, dict[str, Any]] = {
    200: {
        "content": {_EVENTS: {"schema": {"type": "string"}}},
        "description": "Events `progress` (JSON as `ProgressEvent`) whenever something changed; the last one is called `done`",
        "model": schemas.ProgressEvent,
    }
}


@router.get(
    "/jobs/{job_id}/events", response_class=StreamingResponse, responses=_STREAM, summary="Follow a job as it happens"
)
async def events(job_id: JobId, with_: With) -> Response:
    """Server-sent events: how far each source is, how fast, until when it is throttled, and when it will be done.

    The stream ends by itself after `done`. Whoever comes again gets the job as it stands then: there is nothing to miss.
    """
    first = await with_.following.progress(job_id)  # an unknown job is a 404, not a stream
    return StreamingResponse(_lines(with_, first), media_type=_EVENTS, headers=_NO_BUFFER)


@router.get(
    "/jobs/{job_id}/report",
    response_class=StreamingResponse,
    responses={200: {"model": schemas.Report, "content": {"text/csv": {"schema": {"type": "string"}}}}},
    summary="What became of each album, and why",
)
async def report(job_id: JobId, with_: With, format: ReportForm = "json") -> Response:  # noqa: A002 - as elsewhere in the API
    """Complete, partial, ambiguous, not found, blocked, throttled, failed and cancelled are told apart.

    Of a partial album it names the sources that gave no answer, why, and which of their fields nobody gave. As CSV a row an album
    with a column per source. Streamed, however long.
    """
    media, chunks = await with_.reports.stream(job_id, form=format)
    headers = {"content-disposition": f'attachment; filename="{job_id}.csv"'} if format == "csv" else {}
    return StreamingResponse(chunks, media_type=media, headers=headers)


async def _lines(with_: With, found: JobProgress) -> AsyncIterator[bytes]:
    """The stream; it is cancelled where it waits when the reader goes away, and between looks it holds nothing."""
    sent, number, said_at = b"", 0, 0.0
    while True:
        data = orjson.dumps(found)
        if found.ended or data != sent:
            number += 1
            name = b"done" if found.ended else b"progress"
            yield b"id: %d\nevent: %s\ndata: %s\n\n" % (number, name, data)
            sent, said_at = data, time.monotonic()
        elif time.monotonic() - said_at >= _HEARTBEAT_SECONDS:
            yield b": still here\n\n"
            said_at = time.monotonic()
        if found.ended:
            return
        await asyncio.sleep(with_.following.pause(found.id))
        found = await with_.following.progress(found.id)
