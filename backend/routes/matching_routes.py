"""Albums that a person must decide on: which of a source's candidates is the one asked for, or none."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import Response

from backend.routes import schemas_matching as schemas
from backend.routes.answers import json_answer, next_link
from backend.routes.dependencies import WRITES, Cursor, With
from backend.routes.job_routes import nothing, shown

router = APIRouter(prefix="/albums/unmatched", tags=["albums"])

EntryId = Annotated[int, Path(ge=1, le=2**63 - 1, description="As `/albums/unmatched` names it.")]


@router.get("", response_model=schemas.UnmatchedPage, summary="Albums that a person must decide on")
async def unmatched(
    request: Request, with_: With, limit: Annotated[int, Query(ge=1, le=500)] = 50, cursor: Cursor = None
) -> Response:
    """What sources offered and nobody took, each with its candidates, their scores and what speaks against them."""
    page = await with_.matching.page(limit=limit, cursor=cursor)
    headers = {"link": next_link(request, cursor=page.next_cursor)} if page.next_cursor else {}
    body = {"count": len(page.items), "total": page.total, "next_cursor": page.next_cursor, "data": page.items}
    return json_answer(body, headers=headers)


@router.post(
    "/{entry_id}/match",
    response_model=schemas.MatchAnswer,
    dependencies=WRITES,
    summary="Take a candidate for the album asked for",
    responses={
        409: {"description": "Several albums fit and none clearly; nothing was stored"},
        502: {"description": "No source could give it; `sources` says why, and nothing was stored"},
    },
)
async def match(entry_id: EntryId, chosen: schemas.MatchRequest, with_: With) -> Response:
    """Ingest the album again with exactly this candidate; once its source has given it, the entry is gone."""
    report = await with_.matching.match(entry_id, source=chosen.source, candidate_id=chosen.id)
    if report.album_id is None:
        raise nothing(report)
    return json_answer(shown(report))


@router.post("/{entry_id}/dismiss", status_code=204, dependencies=WRITES, summary="None of the candidates is the album")
async def dismiss(entry_id: EntryId, with_: With) -> Response:
    """The entry is not listed again, unless something else is offered."""
    await with_.matching.dismiss(entry_id)
    return Response(status_code=204)
