"""Listeners, by their name on Last.fm."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Path, Query
from fastapi.responses import Response

from backend.models.ingestion_models import RightsLevel
from backend.routes.answers import json_answer
from backend.routes.dependencies import Level, With
from backend.routes.schemas_users import Overview, Profile, Top
from backend.services.user_service import Kind, Period

router = APIRouter(prefix="/users", tags=["users"])

# Last.fm's own rule is 2 to 15 of these characters, older names are longer.
User = Annotated[str, Path(pattern=r"^[A-Za-z0-9_.-]{1,64}$", description="Name on Last.fm.", examples=["rj"])]
Span = Annotated[Period, Query(description="Plays of which time.")]
Few = Annotated[int, Query(ge=1, le=200)]


@router.get("/{name}", response_model=Overview, summary="A listener's top artists, albums and tracks")
async def overview(
    name: User, with_: With, period: Span = "overall", limit: Few = 10, rights: Level = RightsLevel.ANY
) -> Response:
    """What a listener plays most. Needs `LASTFM_API_KEY`; 404 when Last.fm knows no such listener."""
    artists, albums, tracks = await asyncio.gather(
        with_.users.top(name, "artists", period=period, limit=limit, rights=rights),
        with_.users.top(name, "albums", period=period, limit=limit, rights=rights),
        with_.users.top(name, "tracks", period=period, limit=limit, rights=rights),
    )
    return json_answer(
        {
            "user": name,
            "period": period,
            "artists": artists["data"],
            "albums": albums["data"],
            "tracks": tracks["data"],
        }
    )


@router.get("/{name}/top/{kind}", response_model=Top, summary="One of a listener's lists, longer")
async def top(
    name: User, kind: Kind, with_: With, period: Span = "overall", limit: Few = 50, rights: Level = RightsLevel.ANY
) -> Response:
    """The most played artists, albums or tracks. Needs `LASTFM_API_KEY`."""
    return json_answer(await with_.users.top(name, kind, period=period, limit=limit, rights=rights))


@router.get("/{name}/profile", response_model=Profile, summary="Genres, moods and features of what a listener plays")
async def profile(name: User, with_: With, period: Span = "overall", rights: Level = RightsLevel.ANY) -> Response:
    """What the catalogue knows of the artists a listener plays most, weighted by plays. Needs `LASTFM_API_KEY`."""
    return json_answer(await with_.users.profile(name, period=period, rights=rights))
