"""What bounds a request's body. Pure ASGI."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.routes.errors import problem
from backend.routes.permissions import SAFE

log = structlog.get_logger(__name__)

_BODY_SECONDS: Final = 15.0  # for a whole body; 2 MB in it need 1.1 Mbit/s


class BodyLimit:
    """Reads a request's body whole before the app runs: never more than the bound, never for longer than the time.

    So a body that is too large (413) or sent only by half (408) leaves no trace.

    Args:
        app: what is wrapped.
        max_bytes: the bound.
        seconds: the time for a whole body.
        streamed: paths whose routes bound what they read by themselves, because it is too large to be held.
    """

    def __init__(
        self, app: ASGIApp, *, max_bytes: int, seconds: float = _BODY_SECONDS, streamed: frozenset[str] = frozenset()
    ) -> None:
        self._app = app
        self._streamed = streamed
        self._max = max_bytes
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or not _has_body(scope) or scope["path"] in self._streamed:
            await self._app(scope, receive, send)
            return
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared) > self._max:
            await self._too_large(scope, receive, send)
            return
        try:
            async with asyncio.timeout(self._seconds):
                body = await self._read(receive)
        except TimeoutError:
            detail = f"The body did not arrive within {self._seconds:g} seconds; send it whole."
            answer = problem(408, detail=detail, instance=scope["path"], headers={"connection": "close"})
            await answer(scope, receive, send)
            return
        if body is None:  # the client went away; nobody waits for an answer
            log.info("client went away while sending", path=scope["path"])
            return
        if len(body) > self._max:
            await self._too_large(scope, receive, send)
            return
        await self._app(scope, _replay(body, receive), send)

    async def _read(self, receive: Receive) -> bytes | None:
        """The body, or its first part beyond the bound; None when the client went away."""
        body = bytearray()
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message.get("body", b"")
            if not message.get("more_body", False) or len(body) > self._max:
                return bytes(body)

    async def _too_large(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"The body is larger than {self._max:,} bytes (MAX_BODY_BYTES); send a long list in several parts."
        # Closing spares the server reading the rest.
        headers = {"connection": "close"}
        await problem(413, detail=detail, instance=scope["path"], headers=headers)(scope, receive, send)


def _has_body(scope: Scope) -> bool:
    headers = Headers(scope=scope)
    return scope["method"] not in SAFE or "content-length" in headers or "transfer-encoding" in headers


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def replayed() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replayed
