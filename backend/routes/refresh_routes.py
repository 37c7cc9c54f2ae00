"""Asking again for what is no longer fresh."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from backend.routes.answers import json_answer
from backend.routes.dependencies import WRITES, With
from backend.routes.schemas import Schema

router = APIRouter(prefix="/ml", tags=["ingestion"])


class DueState(Schema):
    """What of a source is no longer fresh."""

    source: str
    days: float
    """For how long what it says is good."""
    due: int
    """Albums whose record is older."""
    oldest: datetime | None = None
    held_back: str = ""
    """Why it is not asked now; empty when it is."""


class DueList(Schema):
    """Per source, what is due."""

    data: list[DueState]


class RefreshAccepted(Schema):
    """The job that asks again; null when nothing is due or one is under way."""

    job_id: str | None = None
    albums: int = 0
    status_url: str | None = None


@router.get("/refresh", response_model=DueList, summary="What is no longer fresh")
async def due(with_: With) -> Response:
    """Per source, how many albums it was asked for longer ago than what it says is good for."""
    return json_answer({"data": await with_.refreshing.due()})


@router.post(
    "/refresh",
    status_code=202,
    response_model=RefreshAccepted,
    dependencies=WRITES,
    summary="Ask again for what is due",
)
async def refresh(with_: With, most: Annotated[int | None, Query(ge=1, le=100_000)] = None) -> Response:
    """Make a job of what is due, behind all others; what changed becomes a new interval of validity, nothing is overwritten."""
    found = await with_.refreshing.refresh(most=most)
    if found is None:
        return json_answer({"job_id": None, "albums": 0, "status_url": None}, status=202)
    job_id, albums = found
    where = f"/ml/jobs/{job_id}"
    body = {"job_id": job_id, "albums": albums, "status_url": where}
    return json_answer(body, status=202, headers={"location": where})
