"""What every request gets: an id, a log line, a place in the metrics, security headers, and no bare traceback."""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.routes.errors import problem
from backend.utils.tracing import Span, span

log = structlog.get_logger(__name__)

_REQUEST_ID: Final = re.compile(r"[\w.-]{1,64}", re.ASCII)
_POLICY: Final = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_SECURITY: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"content-security-policy", _POLICY.encode()),
)

Counted = Callable[..., None]
"""`Metrics.http_request`."""


class RequestContext:
    """The outermost layer.

    Args:
        app: what is wrapped.
        count: told of every answered request.
    """

    def __init__(self, app: ASGIApp, *, count: Counted) -> None:
        self._app = app
        self._count = count

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        with span(
            "request", kind="server", parent=headers.get("traceparent"), http__request__method=scope["method"]
        ) as it:
            await self._answer(scope, receive, send, headers=headers, it=it)

    async def _answer(self, scope: Scope, receive: Receive, send: Send, *, headers: Headers, it: Span) -> None:
        given = headers.get("x-request-id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else secrets.token_hex(16)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request=request_id)
        started = time.perf_counter()
        status = 0

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                told = message["headers"] = list(message["headers"])
                names = {name for name, _ in told}  # in small letters, as ASGI has them
                told += [header for header in _SECURITY if header[0] not in names]
                told.append((b"x-request-id", request_id.encode()))
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except ClientDisconnect:
            log.info("client went away", method=scope["method"], path=scope["path"])
        except Exception:
            log.exception("unexpected error", method=scope["method"], path=scope["path"])
            if status:
                raise  # half of an answer is out: only breaking the connection tells the client
            answer = problem(
                500,
                title="An error in Tensoe",
                detail=f"Something broke that should not; the server's log has it under request {request_id}.",
                instance=scope["path"],
            )
            await answer(scope, receive, send_with_headers)
        finally:
            self._record(scope, status, time.perf_counter() - started, it=it)

    def _record(self, scope: Scope, status: int, seconds: float, *, it: Span) -> None:
        # The template, not the path: paths are without number.
        route = getattr(scope.get("route"), "path", "(none)")
        method = scope["method"] if scope["method"] in _METHODS else "(other)"
        it.rename(f"{method} {route}")
        it.set(http__route=route, http__response__status_code=int(status), url__path=scope["path"])
        self._count(method=method, route=route, status=status, seconds=seconds)
        log.info("request", method=scope["method"], path=scope["path"], status=int(status), seconds=round(seconds, 4))


_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
