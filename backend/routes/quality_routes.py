"""What the catalogue is like, as data sets' quality reports tell it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response

from backend.routes.answers import json_answer
from backend.routes.dependencies import Filter, With
from backend.routes.schemas_quality import CatalogueQuality

router = APIRouter(prefix="/ml", tags=["analytics"])


@router.get(
    "/quality",
    response_model=CatalogueQuality,
    responses={404: {"description": "No data set is called as `since` says"}},
    summary="The catalogue's quality report",
)
async def quality(
    with_: With,
    wanted: Filter,
    target: Annotated[
        str | None, Query(max_length=200, description="Whose balance is told: as for data sets.", examples=["genre"])
    ] = None,
    since: Annotated[
        str | None,
        Query(
            max_length=80,
            pattern=r"^[0-9A-Za-z._-]+$",
            description="A data set's name (its newest build), or the first digits of its fingerprint: drift is told since it.",
        ),
    ] = None,
) -> Response:
    """Coverage per field and source, distributions, outliers, duplicates, contradictions between sources, rights.

    Of the tracks that fit; of more than 100,000 the first by id, which `whole` says.
    """
    return json_answer(await with_.quality.report(wanted, target=target, since=since))
