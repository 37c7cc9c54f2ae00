"""Listening histories from the listeners' own exports. They are personal: reading them needs a key, too, once there are keys."""

from __future__ import annotations

import contextlib
from typing import IO, Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.responses import Response
from starlette.datastructures import UploadFile

from backend.ingestion.histories.files import Given
from backend.routes import schemas_listeners as schemas
from backend.routes.answers import json_answer
from backend.routes.dependencies import WRITES, With, own
from backend.routes.uploads import FORM, PROBLEMS, uploaded
from backend.services.listening_service import CONSENT, DEFAULT, NAME

STREAMED: Final = frozenset({"/import/listens"})
"""Paths whose bodies are read here, piece by piece onto disk, and bounded here."""

PRIVATE: Final = {"cache-control": "no-store"}
NEEDS_KEY: Final[dict[int | str, dict[str, Any]]] = {401: {"description": "No API key that this server knows"}}


router = APIRouter(tags=["listeners"], dependencies=[*WRITES, Depends(own)])

Named = Annotated[str, Path(pattern=NAME, description="As it was chosen for the import.", examples=["me"])]
Whose = Annotated[str, Query(pattern=NAME, description="Whose history it is; any name.")]


Agreed = Annotated[bool, Query(description=f"That the listener agrees; needed once, until he is forgotten. {CONSENT}")]


@router.post(
    "/import/listens",
    response_model=schemas.HistoryAnswer,
    summary="Take in a listening history",
    openapi_extra=FORM,
    responses=PROBLEMS,
)
async def import_listens(request: Request, with_: With, listener: Whose = DEFAULT, consent: Agreed = False) -> Response:
    """Exports of Spotify (extended streaming history, or the short one), Last.fm and ListenBrainz, as files or zips.

    Each is recognised by its content. Doing it twice, or with exports that overlap, adds nothing twice; podcasts and what was
    heard in a private session are left out. Nothing is asked of any service, and nothing of it enters the catalogue.
    """
    async with uploaded(request, most=with_.settings.api.max_import_bytes) as uploads:
        given = [_given(upload) for upload in uploads]
        report = await with_.listening.take_in(given, listener=listener, consent=consent)
    return json_answer(report, headers=PRIVATE)


@router.get(
    "/listeners", response_model=schemas.Listeners, responses=NEEDS_KEY, summary="Everybody's histories, summed"
)
async def listeners(with_: With) -> Response:
    """Of whom listens are stored, by name."""
    found = await with_.listening.listeners()
    return json_answer({"count": len(found), "data": found}, headers=PRIVATE)


@router.get(
    "/listeners/{name}",
    response_model=schemas.ListenerSummary,
    responses=NEEDS_KEY,
    summary="A listener's history, summed",
)
async def listener(name: Named, with_: With) -> Response:
    """How much is stored, from when to when, how much of it the catalogue has, and the artists played most."""
    return json_answer(await with_.listening.summary(name), headers=PRIVATE)


@router.delete("/listeners/{name}", status_code=204, summary="Forget a listener")
async def forget(name: Named, with_: With) -> Response:
    """Delete all that is stored of a listener, for good."""
    await with_.listening.forget(name)
    return Response(status_code=204)


def _given(upload: UploadFile) -> Given:
    def opened() -> contextlib.AbstractContextManager[IO[bytes]]:
        upload.file.seek(0)
        return contextlib.nullcontext(upload.file)  # the form closes it

    return Given((upload.filename or "unnamed")[:200], opened)
