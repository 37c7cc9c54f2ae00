"""Small answers that many ask for, given again without being made again. Pure ASGI; inside of what lets a request in."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT: Final = frozenset({"/ml/genres", "/ml/genres/tree", "/ml/moods", "/ml/analytics"})
"""Paths whose answers depend on the catalogue and their query alone: not on who asks, nor on any header."""

_SECONDS: Final = 2.0  # at the most: how long another server's change may stay unseen when its word is late
_MOST: Final = 256
_LARGEST: Final = 65_536  # bytes of a body


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    headers: list[tuple[bytes, bytes]]
    body: bytes
    route: Any  # what metrics call it by
    cleared: int
    until: float


class KeptAnswers:
    """Gives an answer again for two seconds, unless the catalogue changed.

    Args:
        app: what is wrapped.
        cleared: a number that grows whenever the catalogue has changed (see `AnalyticsService.forgotten`); None while that
            cannot be known.
        timer: seconds, monotonic.
    """

    def __init__(
        self, app: ASGIApp, *, cleared: Callable[[], int | None], timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._app = app
        self._cleared = cleared
        self._timer = timer
        self._kept: dict[tuple[str, bytes], _Answer] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["path"] not in KEPT or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        cleared, now = self._cleared(), self._timer()
        key = scope["path"], scope["query_string"]
        found = self._kept.get(key)
        if found is not None and found.cleared == cleared and now < found.until:
            scope["route"] = found.route
            # A list of its own: those further out add to it.
            await send({"type": "http.response.start", "status": 200, "headers": list(found.headers)})
            await send({"type": "http.response.body", "body": found.body})
            return
        answer = _Recorder(send)
        await self._app(scope, receive, answer)
        # What a change overtook while it was made is not kept.
        if answer.is_whole and cleared is not None and self._cleared() == cleared:
            self._keep(
                key,
                _Answer(
                    headers=answer.headers,
                    body=answer.body,
                    route=scope.get("route"),
                    cleared=cleared,
                    until=now + _SECONDS,
                ),
            )

    def _keep(self, key: tuple[str, bytes], answer: _Answer) -> None:
        self._kept.pop(key, None)
        if len(self._kept) >= _MOST:
            del self._kept[next(iter(self._kept))]  # the one that was made first
        self._kept[key] = answer


class _Recorder:
    """Passes an answer on, and holds it when it is 200, small and in one piece."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._is_good = False
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.is_whole = False

    async def __call__(self, message: Message) -> None:
        """Send one message."""
        if message["type"] == "http.response.start":
            self._is_good = message["status"] == 200
            self.headers = list(message["headers"])
        elif message["type"] == "http.response.body":
            body = message.get("body", b"")
            self.is_whole = self._is_good and not message.get("more_body", False) and len(body) <= _LARGEST
            self.body = body
            self._is_good = False  # a second piece makes it no whole
        await self._send(message)
