"""What /docs says besides the endpoints: the introduction, problems, and the bounds that settings give."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from fastapi import FastAPI

from backend.config.settings import Settings
from backend.models.access import Access
from backend.routes.permissions import needed
from backend.routes.schemas import Problem

DESCRIPTION: Final = """
Music data for machine learning: from a list of albums to a training matrix whose every value has an origin.

**Start here:** ingest an album with `POST /ml/ingest/album`, look at it under `/albums`, then take
`/ml/training-data` or `/ml/feature-matrix` in the format you work with (`?format=` json, ndjson, csv, arrow, parquet).

* Filters: `genre` and `mood` (repeatable), `artist`, `year_from`, `year_to`, `min_popularity`, `max_popularity`, `tempo_from`,
  `tempo_to`, `min_user_score`, `max_user_score`, `min_critic_score`, `max_critic_score`, `explicit`, `seen`, `seen_by`, `q`.
* Pages: follow `next_cursor` or the `Link` header; the order stays the same while rows are added.
* Errors are `application/problem+json` with a sentence that says what to do.
* Writing needs an API key once `API_KEYS` is set: `X-API-Key` or `Authorization: Bearer`.
* `synthetic: true` marks rows with made-up values (demo); `provenance` names the source of each field.
"""

TAGS: Final[list[dict[str, Any]]] = [
    {"name": "ingestion", "description": "Collect albums from every source that is set up."},
    {"name": "training", "description": "Rows and matrices for machine learning."},
    {
        "name": "data sets",
        "description": "Rows, parts that don't leak, features: built from a recipe, kept by content.",
    },
    {"name": "analytics", "description": "What is stored, in figures."},
    {"name": "exports", "description": "Files of training data to download."},
    {"name": "recommendations", "description": "Tracks like a track."},
    {"name": "map", "description": "All tracks in the plane, neighbours sounding alike."},
    {"name": "search", "description": "Everything that has a name, as it is typed."},
    {"name": "albums", "description": "List, search, detail."},
    {
        "name": "users",
        "description": "Listeners, by their name on Last.fm or ListenBrainz: charts, taste, recommendations.",
    },
    {
        "name": "listeners",
        "description": "Listening histories from the listeners' own exports, and their tastes; personal.",
    },
    {"name": "system", "description": "Health, diagnosis, metrics."},
]

_PROBLEMS: Final = {
    "400": "The body is no UTF-8 text",
    "401": "No API key that this server knows",
    "403": "The key does not allow this",
    "404": "Not there",
    "413": "The body is too large",
    "422": "The input cannot be used",
    "429": "Too many requests from this address",
    "503": "Something this needs is away or not set up; the detail names it",
}


def documented(app: FastAPI, settings: Settings) -> None:
    """Let the app's OpenAPI document say what really happens: problems, and the bounds of this server's settings."""
    original = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _amend(original(), settings)
        assert app.openapi_schema is not None
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to change the document


def _amend(document: dict[str, Any], settings: Settings) -> None:
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas |= problem.pop("$defs", {})
    schemas["Problem"] = problem
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    answer = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    bounds = _bounds(settings)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            responses = operation["responses"]
            wanted = needed(method.upper(), path)
            reads = wanted is Access.READ and settings.api.anonymous_reading and not _is_personal(operation)
            keyed = wanted is not None and not reads
            for status, description in _PROBLEMS.items():
                if status == "404" and "{" not in path and path != "/ml/ingest/album":
                    continue
                if (method == "get" and status == "413") or (status in {"401", "403"} and not keyed):
                    continue
                if status == "400" and "requestBody" not in operation:
                    continue
                responses[status] = {"description": description, "content": answer}
            for status, response in responses.items():
                if status >= "400":  # those that a route describes itself
                    response.setdefault("content", answer)
            operation["responses"] = dict(sorted(responses.items()))
            for parameter in operation.get("parameters", ()):
                parameter["schema"] = _without_null(parameter["schema"])
                if parameter["name"] == "limit" and path in bounds:
                    _bound(parameter["schema"], bounds[path])
    batch = schemas.get("BatchRequest")
    if batch is not None:
        batch["properties"]["albums"]["maxItems"] = settings.api.max_batch_albums


def _is_personal(operation: Mapping[str, Any]) -> bool:
    """Whether somebody's history may be meant: then a key is needed for reading, too."""
    return any(parameter["name"] == "seen_by" for parameter in operation.get("parameters", ()))


def _bounds(settings: Settings) -> dict[str, int]:
    rows, matrix = settings.ml.ml_training_data_limit, settings.ml.ml_feature_matrix_limit
    return {
        "/ml/training-data": rows,
        "/ml/export/training-data": rows,
        "/ml/feature-matrix": matrix,
        "/ml/export/feature-matrix": matrix,
    }


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query has no null: an optional parameter is left out."""
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    return {**kinds[0], **{k: v for k, v in schema.items() if k != "anyOf"}} if len(kinds) == 1 else schema


def _bound(schema: dict[str, Any], most: int) -> None:
    schema["maximum"] = most
