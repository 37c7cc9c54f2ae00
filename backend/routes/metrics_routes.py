"""Usage metrics: JSON for people, Prometheus text for Prometheus."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import Response

from backend.routes.answers import JSON, json_answer, preferred
from backend.routes.dependencies import With
from backend.routes.schemas_system import MetricsAnswer

router = APIRouter(tags=["system"])

_TEXT = "text/plain"
# What Prometheus asks with; it takes the text form whenever the answer says so.
_OPEN_METRICS = "application/openmetrics-text"
_FORMS: dict[int | str, dict[str, Any]] = {200: {"content": {_TEXT: {"schema": {"type": "string"}}}}}


@router.get("/metrics", response_model=MetricsAnswer, responses=_FORMS, summary="Usage metrics")
async def metrics(request: Request, with_: With) -> Response:
    """Counters and times since the start, of this process, and how the work of all workers stands.

    JSON, or Prometheus text when `Accept` prefers it.
    """
    await with_.work.latest()
    form = preferred(request.headers.get("accept", "*/*"), (JSON, _TEXT, _OPEN_METRICS)) or JSON
    if form == JSON:
        return json_answer({"metrics": with_.metrics.as_dict()}, headers={"vary": "accept"})
    text = with_.metrics.render_text()
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8", headers={"vary": "accept"})
