"""Artists: list, search, detail, their albums, similar ones."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from backend.models.ingestion_models import RightsLevel
from backend.models.results import AlbumFilter, TrackFilter
from backend.routes import schemas, schemas_catalogue
from backend.routes.answers import json_answer, next_link
from backend.routes.dependencies import Cursor, Level, Searched, With

router = APIRouter(prefix="/artists", tags=["artists"])

ArtistId = Annotated[str, Path(max_length=100, pattern=r"^[0-9a-zA-Z_-]+$", description="As `/artists` names it.")]
Limit = Annotated[int, Query(ge=1, le=500)]
_MOST_TRACKS = 500  # of an artist that are compared with others


@router.get("", response_model=schemas_catalogue.ArtistPage, summary="List or search artists")
async def artists(
    request: Request,
    with_: With,
    q: Annotated[Searched, Query(description="Looked for in names; forgives misspelling.")] = None,
    rights: Level = RightsLevel.ANY,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """Artists as albums are credited to them, by name; with `q` the nearest first."""
    page = await with_.artists.page(q=q, rights=rights, limit=limit, cursor=cursor)
    headers = {"link": next_link(request, cursor=page.next_cursor)} if page.next_cursor else {}
    body = {"count": len(page.items), "next_cursor": page.next_cursor, "data": page.items}
    return json_answer(body, headers=headers)


@router.get("/{artist_id}", response_model=schemas_catalogue.Artist, summary="An artist")
async def artist(artist_id: ArtistId, with_: With, rights: Level = RightsLevel.ANY) -> Response:
    """How much there is, years, the most frequent genres and moods, mean audio features."""
    return json_answer(await with_.artists.artist(artist_id, rights=rights))


@router.get("/{artist_id}/albums", response_model=schemas.AlbumPage, summary="An artist's albums")
async def albums(
    request: Request,
    artist_id: ArtistId,
    with_: With,
    rights: Level = RightsLevel.ANY,
    limit: Limit = 50,
    cursor: Cursor = None,
) -> Response:
    """The albums that are credited to an artist, by title."""
    await with_.artists.artist(artist_id, rights=rights)
    page = await with_.albums.page(AlbumFilter(artist_id=artist_id, rights=rights), limit=limit, cursor=cursor)
    headers = {"link": next_link(request, cursor=page.next_cursor)} if page.next_cursor else {}
    body = {"count": len(page.items), "total": page.total, "next_cursor": page.next_cursor, "data": page.items}
    return json_answer(body, headers=headers)


@router.get("/{artist_id}/similar", response_model=schemas_catalogue.SimilarGroups, summary="Artists like an artist")
async def similar(
    artist_id: ArtistId,
    with_: With,
    rights: Level = RightsLevel.ANY,
    k: Annotated[int, Query(ge=1, le=100, description="How many.")] = 10,
) -> Response:
    """The artists whose tracks are most like this artist's on the whole."""
    found = await with_.artists.artist(artist_id, rights=rights)
    wanted = replace(TrackFilter(rights=rights), artist=found["name"])
    ids = await with_.ml.ids(wanted, limit=_MOST_TRACKS)
    rows = await with_.discovery.similar_groups(ids, by="artist", k=k, rights=rights) if ids else []
    return json_answer({"count": len(rows), "data": await with_.artists.identified(rows, rights=rights)})
