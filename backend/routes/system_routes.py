"""Health, overview, diagnosis, and the page that describes the API."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request
from fastapi.responses import HTMLResponse, Response

from backend.models.results import AlbumFilter
from backend.routes.answers import JSON, json_answer, preferred
from backend.routes.dependencies import WRITES, Services, With
from backend.routes.schemas_system import Alive, DoctorAnswer, Health, SystemAnswer
from backend.utils.redaction import redact_value
from backend.web import TEMPLATES

if TYPE_CHECKING:
    from jinja2 import Template

router = APIRouter(tags=["system"])

Offline = Annotated[bool, Query(description="true: no source is asked.")]

_HTML = "text/html"
_NOT_KEPT = {"cache-control": "no-store"}
_FORMS: dict[int | str, dict[str, Any]] = {200: {"content": {_HTML: {"schema": {"type": "string"}}}}}
_SHOWN_ALBUMS = 60
_SHOWN_JOBS = 8
_FIELDS = {
    "genres": "genres",
    "moods": "moods",
    "audio_features": "audio features",
    "popularity": "popularity",
    "duration_ms": "duration",
    "release_date": "release date",
    "aoty_score": "AOTY user score",
    "aoty_critic_score": "AOTY critic score",
    "explicit": "explicit",
    "isrc": "ISRC",
}


@router.get("/", response_model=Health, responses=_FORMS, summary="Health and a summary of the data")
async def overview(request: Request, with_: With) -> Response:
    """JSON for programs; a page for browsers (`Accept: text/html`)."""
    if preferred(request.headers.get("accept", "*/*"), (JSON, _HTML)) == _HTML:
        page = _template("overview.html").render(await _shown(with_), address=str(request.base_url).rstrip("/"))
        return HTMLResponse(page, headers={"vary": "accept"})
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
    return HTMLResponse(_template("docs.html").render())


async def _shown(with_: Services) -> dict[str, Any]:
    """What the page shows; without a database only that it is away."""
    health = await with_.system.health()
    if health["status"] != "ok":
        return {"health": health, "jobs": [], "albums": None, "coverage": None}
    return {
        "health": health,
        "jobs": await with_.ingestion.jobs(limit=_SHOWN_JOBS),
        "albums": await with_.albums.page(AlbumFilter(), limit=_SHOWN_ALBUMS),
        "coverage": _coverage(await with_.analytics.coverage()),
    }


def _coverage(found: dict[str, Any]) -> list[tuple[str, float]]:
    """The fields people look for, best known first."""
    fields = [(_FIELDS[name], known["share"]) for name, known in found["fields"].items() if name in _FIELDS]
    return sorted(fields, key=lambda field: -field[1])


@cache
def _template(name: str) -> Template:
    # Imported here: programs that never look at a page start faster without it.
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["thousands"] = lambda number: f"{number:,}"
    environment.filters["percent"] = lambda share: f"{100 * share:.0f} %"
    return environment.get_template(name)
