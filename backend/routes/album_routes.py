"""Albums: list, search, detail, where values come from, similar ones, asking again, taking out."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from backend.models.ingestion_models import AlbumQuery, RightsLevel
from backend.routes import schemas, schemas_catalogue
from backend.routes.answers import json_answer, next_link
from backend.routes.dependencies import WRITES, Albums, Cursor, Level, With

router = APIRouter(prefix="/albums", tags=["albums"])

AlbumId = Annotated[str, Path(max_length=100, pattern=r"^[0-9a-zA-Z_-]+$", description="As `/albums` names it.")]
At = Annotated[datetime | None, Query(description="As of a past moment; without a time zone it is UTC.")]
Few = Annotated[int, Query(ge=1, le=100, description="How many.")]


@router.get("", response_model=schemas.AlbumPage, summary="List or search albums")
async def albums(
    request: Request,
    with_: With,
    wanted: Albums,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Cursor = None,
) -> Response:
    """Albums that meet every condition, in an order that stays the same while albums are added.

    With `q` the nearest come first: exact names, then beginnings, then parts, then what is spelt nearly so.
    """
    page = await with_.albums.page(wanted, limit=limit, cursor=cursor)
    headers = {"link": next_link(request, cursor=page.next_cursor)} if page.next_cursor else {}
    body = {"count": len(page.items), "total": page.total, "next_cursor": page.next_cursor, "data": page.items}
    return json_answer(body, headers=headers)


@router.get("/{album_id}", response_model=schemas.Album, summary="An album with its tracks")
async def album(album_id: AlbumId, with_: With, rights: Level = RightsLevel.ANY) -> Response:
    """An album with its tracks, scores, and the source of each field."""
    return json_answer(await with_.albums.album_json(album_id, rights=rights))


@router.get(
    "/{album_id}/provenance", response_model=schemas_catalogue.Provenance, summary="Where an album's values come from"
)
async def provenance(album_id: AlbumId, with_: With, rights: Level = RightsLevel.ANY, at: At = None) -> Response:
    """Each field: what every permitted source says, when it was asked, with which rights, and why one was taken."""
    return json_answer(await with_.provenance.album(album_id, level=rights, at=at))


@router.get("/{album_id}/similar", response_model=schemas_catalogue.SimilarGroups, summary="Albums like an album")
async def similar(album_id: AlbumId, with_: With, rights: Level = RightsLevel.ANY, k: Few = 10) -> Response:
    """The albums whose tracks are most like its tracks on the whole, with the share of sound, time, genres and moods."""
    found = await with_.albums.album(album_id, rights=rights)
    ids = [track["id"] for track in found["tracks"]]
    rows = await with_.discovery.similar_groups(ids, by="album", k=k, rights=rights) if ids else []
    return json_answer({"count": len(rows), "data": await with_.artists.identified(rows, rights=rights)})


@router.post(
    "/{album_id}/refresh",
    response_model=schemas_catalogue.Refreshed,
    dependencies=WRITES,
    summary="Ask every source again",
)
async def refresh(album_id: AlbumId, with_: With) -> Response:
    """Ask for exactly this album, by what the services call it. What a source does not say this time stays as it was."""
    found = await with_.albums.album(album_id)
    hints = with_.ingestion.hints_of(found["ids"])
    report = await with_.ingestion.ingest(AlbumQuery(album=found["title"], artist=found["artist"], hints=hints))
    return json_answer(report)


@router.delete("/{album_id}", status_code=204, dependencies=WRITES, summary="Take an album out")
async def delete(album_id: AlbumId, with_: With) -> Response:
    """Remove an album, its tracks, and all that the sources said of it, the past included."""
    await with_.albums.delete(album_id)
    return Response(status_code=204)
