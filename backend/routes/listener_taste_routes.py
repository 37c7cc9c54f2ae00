"""The tastes of listeners whose own histories are kept; personal, as the histories are."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response

from backend.models.ingestion_models import RightsLevel
from backend.models.tastes import By, HeardFrom, ListenerRef
from backend.routes.answers import json_answer
from backend.routes.dependencies import WRITES, Level, With, must_know, own
from backend.routes.listener_routes import NEEDS_KEY, PRIVATE, Named
from backend.routes.schemas_tastes import Comparison, Lacking, Profile, TastePicks
from backend.routes.user_routes import TABLE, Form, Heard, K, Wanted, csv_answer, public
from backend.services.listening_service import NAME, named
from backend.services.taste_wanted import as_csv

router = APIRouter(prefix="/listeners", tags=["listeners"], dependencies=[*WRITES, Depends(own)], responses=NEEDS_KEY)

Fineness = Annotated[By, Query(description="How finely drift is told.")]


@router.get("/{name}/profile", response_model=Profile, summary="A listener's taste in figures, by the own history")
async def profile(name: Named, with_: With, by: Fineness = By.YEAR, rights: Level = RightsLevel.ANY) -> Response:
    """As `/users/{name}/profile`, with drift year by year or quarter by quarter."""
    return json_answer(await with_.tastes.profile(_own(name), by=by, rights=rights), headers=PRIVATE)


@router.get("/{name}/recommendations", response_model=TastePicks, summary="Tracks that fit a history's taste")
async def recommendations(
    name: Named, with_: With, k: K = 10, include_heard: Heard = False, rights: Level = RightsLevel.ANY
) -> Response:
    """As `/users/{name}/recommendations`; all that the history has counts as heard."""
    found = await with_.tastes.recommendations(_own(name), k=k, include_heard=include_heard, rights=rights)
    return json_answer(found, headers=PRIVATE)


@router.get(
    "/{name}/wanted", response_model=Lacking, responses=TABLE, summary="What a history holds and the catalogue lacks"
)
async def wanted(
    name: Named,
    with_: With,
    limit: Wanted = 50,
    format: Form = "json",  # noqa: A002 - the parameter is called so everywhere
) -> Response:
    """As `/users/{name}/wanted`, by the albums that the history names."""
    found = await with_.tastes.wanted(_own(name), limit=limit)
    if format == "csv":
        answer = csv_answer(as_csv(found))
        answer.headers.update(PRIVATE)
        return answer
    return json_answer(found, headers=PRIVATE)


@router.get("/{name}/compare/{other}", response_model=Comparison, summary="What two listeners have in common")
async def compare(
    request: Request,
    name: Named,
    other: Annotated[str, Path(pattern=NAME, description="Another listener.", examples=["you"])],
    with_: With,
    other_source: Annotated[
        Literal["history", "lastfm", "listenbrainz"], Query(description="Who knows the other.")
    ] = "history",
    rights: Level = RightsLevel.ANY,
) -> Response:
    """As `/users/{name}/compare/{other}`; the other may be a history, too, or a public listener."""
    if other_source == "history":
        must_know(request, other)
    two = _own(name), _own(other) if other_source == "history" else public(other, other_source)
    return json_answer(await with_.tastes.compare(*two, rights=rights), headers=PRIVATE)


def _own(name: str) -> ListenerRef:
    return ListenerRef(name=named(name), source=HeardFrom.HISTORY)
