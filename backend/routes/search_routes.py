"""One search over everything that has a name."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from backend.models.ingestion_models import RightsLevel
from backend.routes import schemas_catalogue
from backend.routes.answers import json_answer
from backend.routes.dependencies import Level, With, Word

router = APIRouter(tags=["search"])


@router.get("/search", response_model=schemas_catalogue.Found, summary="Search tracks, albums and artists")
async def search(
    with_: With,
    q: Annotated[Word, Query(min_length=1, description="What is looked for; forgives misspelling.")],
    rights: Level = RightsLevel.ANY,
    limit: Annotated[int, Query(ge=1, le=100, description="Of each, at the most.")] = 10,
) -> Response:
    """The nearest first: exact names, then beginnings, then parts, then what is spelt nearly so.

    Tracks go by their title, with the artist's name beside it where both are typed; a song on several albums is found once.
    """
    return json_answer(await with_.search.search(q, limit=limit, rights=rights))
