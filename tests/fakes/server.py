"""What every fake has: it notes what it is asked, and breaks answers that a test wants broken."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field

from aiohttp import web

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass
class Asked:
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    at: float


@dataclass
class Fake:
    """A server on loopback.

    Attributes:
        answer: what it answers when nothing else is planned.
        planned: answers to the next requests, each used once.
        asked: the requests so far.
        most_at_once: requests that were under way together.
        usual: what it answered at first.
    """

    answer: Answer
    planned: deque[Answer] = field(default_factory=deque)
    asked: list[Asked] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0

    def __post_init__(self) -> None:
        self.usual = self.answer

    def environment(self, base: str) -> dict[str, str]:
        """The settings that point its source at it."""
        raise NotImplementedError

    def plan(self, *answers: Answer) -> None:
        self.planned.extend(answers)

    def paths(self, prefix: str = "") -> list[str]:
        return [a.path for a in self.asked if a.path.startswith(prefix)]

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        headers = {k.lower(): v for k, v in request.headers.items()}
        self.asked.append(Asked(request.method, request.path, dict(request.query), headers, time.monotonic()))
        self._now += 1
        self.most_at_once = max(self.most_at_once, self._now)
        try:
            return await (self.planned.popleft() if self.planned else self.answer)(request)
        finally:
            self._now -= 1

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve; yields the address."""
        runner = web.ServerRunner(web.Server(self._handle), shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        try:
            yield f"http://127.0.0.1:{runner.addresses[0][1]}"
        finally:
            await runner.cleanup()


def says(body: str | bytes, status: int = 200, *, content_type: str = "application/json", **headers: str) -> Answer:
    """Always this; headers with underscores for dashes."""

    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        shown = {k.replace("_", "-"): v for k, v in headers.items()}
        data = body.encode() if isinstance(body, str) else body
        return web.Response(body=data, status=status, headers={"content-type": content_type, **shown})

    return answer


def fault(status: int = 500) -> Answer:
    return says("<html><body><h1>Server error</h1></body></html>", status, content_type="text/html")


def too_many(retry_after: str | None = None) -> Answer:
    headers = {} if retry_after is None else {"Retry_After": retry_after}
    return says('{"error": {"status": 429, "message": "Too many requests"}}', 429, **headers)


OOPS: Answer = says("<!DOCTYPE html><title>Oops</title>", content_type="text/html")


async def reset(request: web.BaseRequest) -> web.StreamResponse:
    """The connection ends before a byte of the answer."""
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def truncated(request: web.BaseRequest) -> web.StreamResponse:
    """The connection ends in the middle of the body."""
    response = web.StreamResponse(headers={"content-length": "1000", "content-type": "application/json"})
    await response.prepare(request)
    await response.write(b'{"albums": {"items": [{"id": "unfin')
    assert request.transport is not None
    request.transport.abort()
    return response


async def silent(_: web.BaseRequest) -> web.StreamResponse:
    """No answer for as long as anybody waits."""
    await asyncio.sleep(3600)
    raise AssertionError("nobody waits so long")


@contextlib.contextmanager
def in_a_thread(fake: Fake) -> Iterator[str]:
    """Run a fake beside a test that is not asynchronous; its address."""
    loop, leave, found = asyncio.new_event_loop(), asyncio.Event(), queue.Queue[str]()

    async def serve() -> None:
        async with fake.running() as base:
            found.put(base)
            await leave.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(serve(),))
    thread.start()
    try:
        yield found.get(timeout=30)
    finally:
        loop.call_soon_threadsafe(leave.set)
        thread.join(30)
        loop.close()
