"""Taking in what users saved themselves: pages of Album of the Year, tables of its scores."""

from __future__ import annotations

import asyncio
from typing import Any, Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.types import Message, Receive

from backend.models.import_results import ImportReport, ImportResult
from backend.routes import schemas_import as schemas
from backend.routes.answers import json_answer
from backend.routes.dependencies import WRITES, With
from backend.routes.errors import ProblemError
from backend.services.import_files import Given

router = APIRouter(prefix="/ml/import", tags=["ingestion"])

STREAMED: Final = frozenset({"/ml/import/aoty"})
"""Paths whose bodies are read here, piece by piece onto disk, and bounded here."""

_SECONDS: Final = 600.0  # for a whole body; 200 MB in it need 2.7 Mbit/s
_MOST_FILES: Final = 10_000
_MOST_ITEMS: Final = 1_000  # named in an answer
# What a person has to look at stands first.
_ORDER: Final = (
    ImportResult.UNREADABLE, ImportResult.AMBIGUOUS, ImportResult.MATCHED, ImportResult.NEW, ImportResult.UNCHANGED,
)  # fmt: skip
_FORM: Final[dict[str, Any]] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["files"],
                    "properties": {
                        "files": {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}
                    },
                }
            }
        },
    }
}


@router.post(
    "/aoty",
    response_model=schemas.ImportAnswer,
    dependencies=WRITES,
    summary="Take in saved pages and tables of scores",
    openapi_extra=_FORM,
    responses={
        408: {"description": "The files did not arrive in time"},
        413: {"description": "The files are too large together (MAX_IMPORT_BYTES) or too many"},
    },
)
async def import_aoty(request: Request, with_: With) -> Response:
    """Album pages of Album of the Year as your browser saved them (.html), and tables of its scores (.csv, UTF-8).

    Each page or row is laid onto the stored album it is about, by the page's link to Spotify, else by names; others become
    albums of their own. Of a table artist and title and one score are needed; columns are found by the first line. What cannot
    be read is named with its reason and costs nothing else. Nothing is asked of any service.
    """
    most = with_.settings.api.max_import_bytes
    reading = Request(request.scope, _bounded(request, most))
    try:
        async with asyncio.timeout(_SECONDS):
            form = await reading.form(max_files=_MOST_FILES, max_fields=100)
    except TimeoutError:
        raise ProblemError(
            408, title="Too slow", detail=f"The files did not arrive within {_SECONDS:g} seconds."
        ) from None
    except HTTPException as problem:
        too_many = "Too many files" in str(problem.detail)
        detail = f"{problem.detail}; send multipart/form-data with the files in the field files"
        raise ProblemError(413 if too_many else 422, title="Not a form with files", detail=detail) from None
    except ClientDisconnect:
        raise ProblemError(400, title="Cut short", detail="The files did not arrive whole.") from None
    try:
        uploads = [part for part in form.getlist("files") if isinstance(part, UploadFile)]
        if not uploads:
            detail = "No file was sent; send multipart/form-data with the files in the field files"
            raise ProblemError(422, title="No file", detail=detail)
        return json_answer(_shown(await with_.imports.run([_given(upload) for upload in uploads])))
    finally:
        await form.close()


def _given(upload: UploadFile) -> Given:
    return Given((upload.filename or "unnamed")[:200], lambda: upload.file)


def _bounded(request: Request, most: int) -> Receive:
    """What the request receives, up to a bound.

    Raises:
        ProblemError: (when it is received) more comes.
    """
    so_far = 0

    async def receive() -> Message:
        nonlocal so_far
        message = await request.receive()
        so_far += len(message.get("body", b""))
        if so_far > most:
            detail = f"The files have more than {most:,} bytes together (MAX_IMPORT_BYTES); send them in several parts."
            raise ProblemError(413, title="Too large", detail=detail, headers={"connection": "close"})
        return message

    return receive


def _shown(report: ImportReport) -> dict[str, object]:
    items = sorted(report.items, key=lambda item: _ORDER.index(item.result))
    return {
        "counts": {result.value: report.counts[result] for result in ImportResult},
        "unused_columns": report.unused_columns,
        "items": items[:_MOST_ITEMS],
        "omitted": max(0, len(items) - _MOST_ITEMS),
        "seconds": round(report.seconds, 3),
    }
