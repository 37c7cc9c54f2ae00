"""Calls that come in while others of their kind are at work are done together: one round trip instead of many."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

Work = Callable[[Sequence[T]], Awaitable[Sequence[R]]]
"""Does several at once; answers as many results, in their order."""


class Together(Generic[T, R]):
    """Collects calls.

    One that comes in while nothing is at work is done at once. After that a round begins every `pause` seconds at the most often,
    with all that wait: the busier it is, the more there are in one.

    Args:
        work: does a round.
        most: in a round.
        pause: seconds from the beginning of one round to that of the next.
        shared: what breaks a round for all of its calls alike, such as a database that is away. After any other problem each
            is tried by itself, so that one that is broken does not take others with it.
    """

    def __init__(
        self,
        work: Work[T, R],
        *,
        most: int = 200,
        pause: float = 0.0,
        shared: tuple[type[Exception], ...] = (),
    ) -> None:
        self._work = work
        self._most = most
        self._pause = pause
        self._shared = shared
        self._waiting: list[tuple[T, asyncio.Future[R], contextvars.Context]] = []
        self._collecting: asyncio.Task[None] | None = None
        self._at_work: asyncio.Task[None] | None = None
        self._began = float("-inf")

    async def __call__(self, item: T) -> R:
        """Have it done with others.

        Who is cancelled while it is being done waits for the round's end first: what is half done is nobody's.
        """
        future: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((item, future, contextvars.copy_context()))
        if self._collecting is None or self._collecting.done():
            self._collecting = asyncio.create_task(self._collect(), context=contextvars.Context())
        try:
            return await future
        except asyncio.CancelledError:
            waits = any(f is future for _, f, _ in self._waiting)
            self._waiting = [entry for entry in self._waiting if entry[1] is not future]
            if not waits and self._at_work is not None and not self._at_work.done():
                await asyncio.wait({self._at_work})
            elif not self._waiting and self._at_work is None:
                self._collecting.cancel()  # it waits for a round that nobody needs any more
                self._collecting = None
            raise

    async def _collect(self) -> None:
        loop = asyncio.get_running_loop()
        while self._waiting:
            if (left := self._began + self._pause - loop.time()) > 0:
                await asyncio.sleep(left)
            self._began = loop.time()
            now, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
            if now:
                # Seen by traces as a part of what the first of them belongs to.
                self._at_work = asyncio.create_task(self._round(now), context=now[0][2])
                await asyncio.wait({self._at_work})
                self._at_work = None

    async def _round(self, entries: list[tuple[T, asyncio.Future[R], contextvars.Context]]) -> None:
        try:
            results = await self._work([item for item, _, _ in entries])
        except Exception as problem:  # noqa: BLE001 - it is its callers' to handle, who get it
            if len(entries) == 1 or isinstance(problem, self._shared):
                for _, future, _ in entries:
                    if not future.done():
                        future.set_exception(problem)
                return
            # Side by side: one may wait for what somebody else holds.
            await asyncio.gather(*(self._round([entry]) for entry in entries))
            return
        for (_, future, _), result in zip(entries, results, strict=True):
            if not future.done():
                future.set_result(result)
