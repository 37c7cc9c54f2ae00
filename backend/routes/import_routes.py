"""Taking in what users saved themselves: pages of Album of the Year, tables of its scores."""

from __future__ import annotations

from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from backend.models.import_results import ImportReport, ImportResult
from backend.routes import schemas_import as schemas
from backend.routes.answers import json_answer
from backend.routes.dependencies import WRITES, With
from backend.routes.uploads import FORM, PROBLEMS, uploaded
from backend.services.import_files import Given

router = APIRouter(prefix="/ml/import", tags=["ingestion"])

STREAMED: Final = frozenset({"/ml/import/aoty"})
"""Paths whose bodies are read here, piece by piece onto disk, and bounded here."""

_MOST_ITEMS: Final = 1_000  # named in an answer
# What a person has to look at stands first.
_ORDER: Final = (
    ImportResult.UNREADABLE, ImportResult.AMBIGUOUS, ImportResult.MATCHED, ImportResult.NEW, ImportResult.UNCHANGED,
)  # fmt: skip


@router.post(
    "/aoty",
    response_model=schemas.ImportAnswer,
    dependencies=WRITES,
    summary="Take in saved pages and tables of scores",
    openapi_extra=FORM,
    responses=PROBLEMS,
)
async def import_aoty(request: Request, with_: With) -> Response:
    """Album pages of Album of the Year as your browser saved them (.html), and tables of its scores (.csv, UTF-8).

    Each page or row is laid onto the stored album it is about, by the page's link to Spotify, else by names; others become
    albums of their own. Of a table artist and title and one score are needed; columns are found by the first line. What cannot
    be read is named with its reason and costs nothing else. Nothing is asked of any service.
    """
    async with uploaded(request, most=with_.settings.api.max_import_bytes) as uploads:
        return json_answer(_shown(await with_.imports.run([_given(upload) for upload in uploads])))


def _given(upload: UploadFile) -> Given:
    return Given((upload.filename or "unnamed")[:200], lambda: upload.file)


def _shown(report: ImportReport) -> dict[str, object]:
    items = sorted(report.items, key=lambda item: _ORDER.index(item.result))
    return {
        "counts": {result.value: report.counts[result] for result in ImportResult},
        "unused_columns": report.unused_columns,
        "items": items[:_MOST_ITEMS],
        "omitted": max(0, len(items) - _MOST_ITEMS),
        "seconds": round(report.seconds, 3),
    }
