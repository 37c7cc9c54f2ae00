"""Health or the studio, diagnosis, and the page that describes the API."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import FileResponse, Response

from backend.routes.answers import JSON, json_answer, preferred
from backend.routes.dependencies import WRITES, With
from backend.routes.schemas_system import Alive, DoctorAnswer, Health, SystemAnswer
from backend.routes.studio_routes import shell
from backend.utils.redaction import redact_value
from backend.web import TEMPLATES

router = APIRouter(tags=["system"])

Offline = Annotated[bool, Query(description="true: no source is asked.")]

_HTML = "text/html"
_NOT_KEPT = {"cache-control": "no-store"}
_FORMS: dict[int | str, dict[str, Any]] = {200: {"content": {_HTML: {"schema": {"type": "string"}}}}}


@router.get("/", response_model=Health, responses=_FORMS, summary="Health and a summary of the data")
async def overview(request: Request, with_: With) -> Response:
    """JSON for programs; the studio for browsers (`Accept: text/html`)."""
    if preferred(request.headers.get("accept", "*/*"), (JSON, _HTML)) == _HTML:
        return await run_in_threadpool(shell, request)
    return json_answer(await with_.system.health(), headers={"vary": "accept"})


@router.get("/live", response_model=Alive, summary="Whether the process answers")
async def live() -> Response:
    """200 as soon as requests are taken, whatever the database does: who restarts a process by it restarts none in vain."""
    return json_answer({"status": "ok"}, headers=_NOT_KEPT)


@router.get(
    "/ready",
    response_model=Alive,
    responses={503: {"description": "It starts, or the database cannot be used"}},
    summary="Whether requests should be sent here",
)
async def ready(with_: With) -> Response:
    """200 while the database answers, 503 with the reason else."""
    await with_.system.ready()
    return json_answer({"status": "ok"}, headers=_NOT_KEPT)


@router.get("/system", response_model=SystemAnswer, summary="Diagnosis")
async def system(with_: With) -> Response:
    """Versions, settings with secrets masked, the state of database, cache and each source, sizes."""
    return json_answer(redact_value(await with_.system.system()))


@router.get(
    "/system/doctor",
    response_model=DoctorAnswer,
    responses={401: {"description": "No API key that this server knows"}},
    dependencies=WRITES,
    summary="What is wrong, and what to do",
)
async def doctor(with_: With, offline: Offline = False) -> Response:
    """Keys, reach and clock, database, rights, budgets, queue, disk, memory, folders and cache; nothing is changed.

    Each source is asked once within its budget, and its answer believed for a minute. The same as `tensoe doctor`.
    """
    return json_answer(await with_.doctor.examine(offline=offline), headers={"cache-control": "no-store"})


@router.get("/docs", include_in_schema=False)
async def docs() -> Response:
    """Swagger UI from our own files."""
    return FileResponse(TEMPLATES / "docs.html", media_type=_HTML)
