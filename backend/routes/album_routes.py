"""Albums: list, search, detail."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from backend.routes import schemas
from backend.routes.answers import json_answer, next_link
from backend.routes.dependencies import Cursor, Searched, With, Year

router = APIRouter(prefix="/albums", tags=["albums"])

AlbumId = Annotated[str, Path(max_length=100, pattern=r"^[0-9a-zA-Z_-]+$", description="As `/albums` names it.")]


@router.get("", response_model=schemas.AlbumPage, summary="List or search albums")
async def albums(
    request: Request,
    with_: With,
    q: Annotated[Searched, Query(description="Looked for in title and artist.")] = None,
    artist: Searched = None,
    genre: Searched = None,
    year_from: Year = None,
    year_to: Year = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    cursor: Cursor = None,
) -> Response:
    """Albums that meet every condition, in an order that stays the same while albums are added."""
    page = await with_.albums.page(
        q=q, artist=artist, genre=genre, year_from=year_from, year_to=year_to, limit=limit, cursor=cursor
    )
    headers = {"link": next_link(request, cursor=page.next_cursor)} if page.next_cursor else {}
    body = {"count": len(page.items), "total": page.total, "next_cursor": page.next_cursor, "data": page.items}
    return json_answer(body, headers=headers)


@router.get("/{album_id}", response_model=schemas.Album, summary="An album with its tracks")
async def album(album_id: AlbumId, with_: With) -> Response:
    """An album with its tracks, scores, and the source of each field."""
    return json_answer(await with_.albums.album_json(album_id))
