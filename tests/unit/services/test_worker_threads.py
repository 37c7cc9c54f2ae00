from __future__ import annotations

import asyncio
import threading

import pytest

from backend.services.worker_threads import ChunkWriter, ReaderGoneError, WorkerThreads, begun
from backend.utils.errors import InvalidInputError


async def test_a_stream_gives_all_that_was_written_in_order() -> None:
    data = bytes(range(256)) * 10_000

    def produce(sink: ChunkWriter) -> None:
        for start in range(0, len(data), 1_000):
            assert sink.write(data[start : start + 1_000]) == 1_000

    chunks = [chunk async for chunk in WorkerThreads().stream(produce)]
    assert b"".join(chunks) == data
    assert len(chunks) < 20


async def test_the_producer_waits_for_a_slow_reader() -> None:
    written = 0

    def produce(sink: ChunkWriter) -> None:
        nonlocal written
        for _ in range(100):
            sink.write(bytes(300_000))
            written += 1

    stream = WorkerThreads().stream(produce)
    await anext(stream)
    for _ in range(50):
        await asyncio.sleep(0.002)
    assert written < 10  # a few chunks ahead, not all
    await stream.aclose()


async def test_the_producer_ends_when_the_reader_goes_and_its_thread_is_free_again() -> None:
    ended = threading.Event()

    def produce(sink: ChunkWriter) -> None:
        try:
            while True:
                sink.write(bytes(300_000))
        except ReaderGoneError:
            ended.set()
            raise

    threads = WorkerThreads(1)
    stream = threads.stream(produce)
    await anext(stream)
    await stream.aclose()
    assert await asyncio.to_thread(ended.wait, 10)
    assert await threads.run(lambda: "next") == "next"


async def test_what_fails_before_the_first_chunk_fails_before_the_answer_begins() -> None:
    def produce(sink: ChunkWriter) -> None:
        raise InvalidInputError("no such target")

    with pytest.raises(InvalidInputError, match="no such target"):
        await begun(WorkerThreads().stream(produce))


async def test_what_fails_later_is_raised_after_what_was_written() -> None:
    def produce(sink: ChunkWriter) -> None:
        sink.write(bytes(300_000))
        raise OSError("the wire broke")

    stream = await begun(WorkerThreads().stream(produce))
    assert len(await anext(stream)) == 300_000
    with pytest.raises(OSError, match="the wire broke"):
        await anext(stream)


async def test_an_empty_stream_is_an_empty_answer() -> None:
    assert [chunk async for chunk in await begun(WorkerThreads().stream(lambda sink: None))] == []


async def test_work_beyond_the_threads_waits_for_one() -> None:
    threads, running, most = WorkerThreads(2), 0, 0
    lock = threading.Lock()

    def work() -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        threading.Event().wait(0.01)
        with lock:
            running -= 1

    await asyncio.gather(*(threads.run(work) for _ in range(8)))
    assert most == 2


async def test_a_reader_that_comes_back_too_late_is_told_and_does_not_wait_for_ever() -> None:
    def produce(writer: ChunkWriter) -> None:
        for _ in range(200):
            writer.write(bytes(500_000))

    threads = WorkerThreads(1, stalled=0.2)
    chunks = threads.stream(produce)
    await anext(chunks)
    await asyncio.sleep(0.6)
    async with asyncio.timeout(20):
        with pytest.raises(ReaderGoneError):
            async for _ in chunks:
                pass
    await threads.close()
