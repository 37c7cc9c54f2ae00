"""How long a reading request may wait for its answer to begin: a database that says nothing must keep nobody for ever."""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.routes.errors import answer_for
from backend.utils.errors import BusyError

_READING: Final = frozenset({"GET", "HEAD"})
_GRACE: Final = 5.0  # seconds to give back what is held; then that is given up, too
_RETRY_SECONDS: Final = 30


class AnswerTime:
    """Answers 503 where nothing came in time. An answer that has begun may take as long as it likes, so do writing requests.

    Args:
        app: what is wrapped.
        seconds: until an answer must have begun.
    """

    def __init__(self, app: ASGIApp, *, seconds: float) -> None:
        self._app = app
        self._seconds = seconds

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http" or scope["method"] not in _READING:
            await self._app(scope, receive, send)
            return
        begun = False

        async def begin(message: Message) -> None:
            nonlocal begun
            if not begun and not limit.expired():
                begun = True
                limit.reschedule(None)
                last.reschedule(None)
            await send(message)

        try:
            # Two: what is cancelled may ask the database once more, to leave a transaction, and be kept waiting by that.
            async with (
                asyncio.timeout(self._seconds + min(_GRACE, self._seconds)) as last,
                asyncio.timeout(self._seconds) as limit,
            ):
                await self._app(scope, receive, begin)
        except TimeoutError:
            if begun or not (limit.expired() or last.expired()):
                raise
            error = BusyError(
                f"No answer within {self._seconds:g} seconds: the database is slow, or too much is asked at once",
                retry_after=_RETRY_SECONDS,
            )
            await answer_for(error, instance=scope["path"])(scope, receive, send)
