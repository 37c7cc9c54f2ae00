"""Errors as answers: one table from class to status, one form (RFC 9457, `application/problem+json`)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from backend.utils.errors import (
    AmbiguousError,
    BlockedError,
    BusyError,
    ConfigurationError,
    ConflictError,
    DatabaseError,
    DatabaseFullError,
    DatabaseReadOnlyError,
    DatabaseUnreachableError,
    ForbiddenError,
    InvalidInputError,
    NotFoundError,
    RateLimitedError,
    RecordNotFoundError,
    SourceError,
    TensoeError,
    ThrottledError,
    UnauthorizedError,
    UnconfiguredError,
)
from backend.utils.redaction import redact

log = structlog.get_logger(__name__)

MEDIA_TYPE: Final = "application/problem+json"

# The nearest class up the error's own line counts.
_STATUS: Final[Mapping[type[Exception], tuple[HTTPStatus, str]]] = {
    InvalidInputError: (HTTPStatus.UNPROCESSABLE_ENTITY, "The input cannot be used"),
    UnauthorizedError: (HTTPStatus.UNAUTHORIZED, "An API key is needed"),
    ForbiddenError: (HTTPStatus.FORBIDDEN, "The key does not allow this"),
    NotFoundError: (HTTPStatus.NOT_FOUND, "Not found"),
    ConflictError: (HTTPStatus.CONFLICT, "In conflict with what is there"),
    BusyError: (HTTPStatus.SERVICE_UNAVAILABLE, "Too much at once"),
    ConfigurationError: (HTTPStatus.SERVICE_UNAVAILABLE, "Not set up"),
    DatabaseError: (HTTPStatus.SERVICE_UNAVAILABLE, "The database cannot be used"),
    RecordNotFoundError: (HTTPStatus.NOT_FOUND, "The provider knows no such name"),
    AmbiguousError: (HTTPStatus.CONFLICT, "Several fit"),
    UnconfiguredError: (HTTPStatus.SERVICE_UNAVAILABLE, "The provider is not set up"),
    ThrottledError: (HTTPStatus.SERVICE_UNAVAILABLE, "The provider asks to wait"),
    RateLimitedError: (HTTPStatus.SERVICE_UNAVAILABLE, "The provider asks to wait"),
    BlockedError: (HTTPStatus.BAD_GATEWAY, "The provider keeps us out"),
    SourceError: (HTTPStatus.BAD_GATEWAY, "The provider did not answer"),
    TensoeError: (HTTPStatus.INTERNAL_SERVER_ERROR, "An error in Tensoe"),
}
# Seconds after which it is worth asking again; of what does not pass by itself nothing is said.
_WAITS: Final[Mapping[type[Exception], int]] = {
    DatabaseUnreachableError: 5,
    DatabaseReadOnlyError: 30,
    DatabaseFullError: 60,
}
_HINTS: Final[Mapping[int, str]] = {
    404: "Nothing is served at this path; /docs lists what is.",
    405: "This path does not take this method; the Allow header names those it takes.",
}


class ProblemError(Exception):
    """An answer that is a problem with more to say than a sentence; raised by routes only."""

    def __init__(self, status: int, *, title: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.title = title
        self.more = more


def problem(
    status: int,
    *,
    detail: str,
    instance: str,
    title: str | None = None,
    headers: Mapping[str, str] | None = None,
    **more: Any,
) -> Response:
    """A problem as an answer; the detail is redacted, whatever it came from."""
    name = title or HTTPStatus(status).phrase
    body = {
        "type": f"urn:tensoe:problem:{status}",
        "title": name,
        "status": status,
        "detail": redact(detail),
        "instance": instance,
        **more,
    }
    return Response(
        orjson.dumps(body, default=str), status_code=status, media_type=MEDIA_TYPE, headers=dict(headers or {})
    )


def answer_for(error: TensoeError, *, instance: str) -> Response:
    """The answer an error of ours becomes."""
    status, title = next(_STATUS[c] for c in type(error).__mro__ if c in _STATUS)
    headers = {}
    wait = _seconds_to_wait(error)
    if wait is not None:
        headers["retry-after"] = str(wait)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["www-authenticate"] = 'Bearer realm="tensoe"'
    return problem(status, title=title, detail=_text(error), instance=instance, headers=headers)


def install(app: FastAPI) -> None:
    """Make every error of the app leave as a problem."""
    app.add_exception_handler(TensoeError, _ours)
    app.add_exception_handler(ProblemError, _own_words)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_exception_handler(HTTPException, _http)


async def _ours(request: Request, error: Exception) -> Response:
    assert isinstance(error, TensoeError)
    answer = answer_for(error, instance=request.url.path)
    if answer.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:
        log.warning("answered with an error", error=type(error).__name__, detail=str(error), path=request.url.path)
    return answer


async def _own_words(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem(error.status, title=error.title, detail=str(error), instance=request.url.path, **error.more)


async def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    # Without the input: it may be a secret, be huge, or hold what JSON cannot (NaN, infinity).
    errors = [
        {"where": [str(part)[:200] for part in e["loc"]], "message": _clean(str(e["msg"])), "kind": e["type"]}
        for e in error.errors()[:50]
    ]
    first = errors[0] if errors else {"where": [], "message": "the request does not fit"}
    where = ".".join(w for w in first["where"] if w not in {"body", "query", "path", "header"}) or "the body"
    detail = f"{where}: {first['message']}" + (f" (and {len(errors) - 1} more)" if len(errors) > 1 else "")
    return problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        title="The input cannot be used",
        detail=_clean(detail),
        instance=request.url.path,
        errors=errors,
    )


async def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    hint = _HINTS.get(error.status_code, str(error.detail))
    return problem(error.status_code, detail=hint, instance=request.url.path, headers=error.headers)


def _seconds_to_wait(error: TensoeError) -> int | None:
    if isinstance(error, BusyError | RateLimitedError):
        return None if error.retry_after is None else max(1, math.ceil(error.retry_after))
    if isinstance(error, ThrottledError):
        return max(1, math.ceil((error.until - datetime.now(UTC)).total_seconds()))
    return next((_WAITS[kind] for kind in type(error).__mro__ if kind in _WAITS), None)


def _text(error: TensoeError) -> str:
    return _clean(str(error)) or (type(error).__doc__ or "").splitlines()[0]


def _clean(text: str) -> str:
    # A lone surrogate from the input would break the encoding of the answer.
    return text.encode("utf-8", "replace").decode()[:2000]
