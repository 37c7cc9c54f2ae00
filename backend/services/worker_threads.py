"""Blocking work beside the event loop: a few threads, and bytes that they produce as an async stream."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeVar

from backend.utils.errors import BusyError

if TYPE_CHECKING:
    from typing_extensions import Buffer

T = TypeVar("T")
Produce: TypeAlias = Callable[["ChunkWriter"], None]

_CHUNK: Final = 256 * 1024  # bytes handed over at once
_AHEAD: Final = 4  # chunks waiting for a slow reader: with _CHUNK, what a stream holds in memory
_PATIENCE: Final = 10.0  # seconds to wait for a free thread
_STALLED: Final = 120.0  # seconds after which a reader that takes nothing counts as gone


class ReaderGoneError(ConnectionError):
    """Nobody reads the stream any more; ends the producer."""


class ChunkWriter(io.RawIOBase):
    """A file that can only be written, and hands what is written on in chunks.

    Args:
        send: takes a chunk; blocks while the reader is slow, raises `ReaderGoneError` when it is gone.
    """

    def __init__(self, send: Callable[[bytes], None]) -> None:
        super().__init__()
        self._send = send
        self._kept = bytearray()

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, data: Buffer, /) -> int:
        """Keep the data, and hand on what fills a chunk."""
        self._kept += data
        if len(self._kept) >= _CHUNK:
            self.hand_on()
        return memoryview(data).nbytes

    def hand_on(self) -> None:
        """Hand on what is kept."""
        if self._kept:
            self._send(bytes(self._kept))
            self._kept.clear()


class WorkerThreads:
    """At most `most` pieces of blocking work at a time; one whose reader takes nothing for `stalled` seconds is ended.

    A thread counts as taken until it has ended, also when nobody waits for it any more.
    """

    def __init__(self, most: int = 4, *, stalled: float = _STALLED) -> None:
        self._stalled = stalled
        self._pool = ThreadPoolExecutor(most, thread_name_prefix="tensoe-work")
        self._free = asyncio.Semaphore(most)

    async def run(self, work: Callable[[], T]) -> T:
        """What the work returns.

        Raises:
            BusyError: no thread became free in time.
        """
        await self._acquire()
        return await asyncio.shield(self._start(work))

    async def stream(self, produce: Produce) -> AsyncGenerator[bytes, None]:
        """What the work writes, in chunks; the work waits while they are not taken, and ends when the reader goes.

        Raises:
            BusyError: no thread became free in time.
        """
        await self._acquire()
        loop, gone = asyncio.get_running_loop(), threading.Event()
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(_AHEAD)

        def send(chunk: bytes | None) -> None:
            if gone.is_set():
                raise ReaderGoneError
            put = asyncio.run_coroutine_threadsafe(queue.put(chunk), loop)
            try:
                put.result(self._stalled)
            except TimeoutError:
                put.cancel()
                gone.set()
                raise ReaderGoneError from None

        def work() -> None:
            writer = ChunkWriter(send)
            try:
                produce(writer)
                writer.hand_on()
            finally:
                send(None)

        working = self._start(work)
        try:
            while (chunk := await _next(queue, working)) is not None:
                yield chunk
            await working
        finally:
            gone.set()
            while not queue.empty():  # a producer that waits for room goes on, and learns that nobody reads
                queue.get_nowait()

    async def close(self) -> None:
        """Start nothing more; what runs ends by itself."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    async def _acquire(self) -> None:
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._free.acquire()
        except TimeoutError:
            raise BusyError("Too many large answers are being made at once; try again soon", retry_after=5) from None

    def _start(self, work: Callable[[], T]) -> asyncio.Future[T]:
        started = asyncio.get_running_loop().run_in_executor(self._pool, work)
        started.add_done_callback(self._ended)
        return started

    def _ended(self, work: asyncio.Future[Any]) -> None:
        self._free.release()
        if not work.cancelled():
            work.exception()  # seen: whoever still waits gets it, and nobody else has to be told


async def begun(stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    """The stream once its first chunk is there, so that what fails at the start fails before an answer has begun."""
    try:
        first = await anext(stream)
    except StopAsyncIteration:
        first = b""
    return _continued(first, stream)


async def _continued(first: bytes, stream: AsyncIterator[bytes]) -> AsyncGenerator[bytes, None]:
    try:
        if first:
            yield first
        async for chunk in stream:
            yield chunk
    finally:
        if isinstance(stream, AsyncGenerator):
            await stream.aclose()


async def _next(queue: asyncio.Queue[bytes | None], working: asyncio.Future[None]) -> bytes | None:
    """The next chunk; None at the end, also when the work ended without saying so because nobody took its chunks."""
    waiting = asyncio.ensure_future(queue.get())
    try:
        both: set[asyncio.Future[Any]] = {waiting, working}
        await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        if waiting.done():
            return waiting.result()
        return None if queue.empty() else queue.get_nowait()
    finally:
        waiting.cancel()
