"""Tracks and recordings: one in full, where its values come from, on which albums it appears."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from backend.models.ingestion_models import RightsLevel
from backend.routes import schemas, schemas_catalogue
from backend.routes.answers import json_answer
from backend.routes.dependencies import Level, With

router = APIRouter(tags=["tracks"])

TrackId = Annotated[
    str, Path(max_length=100, pattern=r"^[0-9a-zA-Z_-]+$", description="As `/ml/training-data` names it.")
]
At = Annotated[datetime | None, Query(description="As of a past moment; without a time zone it is UTC.")]


@router.get("/tracks/{track_id}", response_model=schemas.Track, summary="A track")
async def track(track_id: TrackId, with_: With, rights: Level = RightsLevel.ANY) -> Response:
    """One row, with the source of each field."""
    return json_answer(await with_.ml.track(track_id, rights=rights))


@router.get(
    "/tracks/{track_id}/provenance",
    response_model=schemas_catalogue.Provenance,
    summary="Where a track's values come from",
)
async def provenance(track_id: TrackId, with_: With, rights: Level = RightsLevel.ANY, at: At = None) -> Response:
    """Each field: what every permitted source says, when it was asked, with which rights, and why one was taken.

    Audio features also as the source measured them (`raw`); of estimates the interval.
    """
    return json_answer(await with_.provenance.track(track_id, level=rights, at=at))


@router.get(
    "/recordings/{recording_id}", response_model=schemas_catalogue.Recording, summary="A recording's appearances"
)
async def recording(recording_id: TrackId, with_: With, rights: Level = RightsLevel.ANY) -> Response:
    """The tracks of all albums that hold the same recording, the earliest first."""
    found = await with_.albums.recording(recording_id, rights=rights)
    return json_answer({"recording_id": recording_id, "count": len(found), "data": found})
