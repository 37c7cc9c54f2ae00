"""The queue of steps: what is done is gone from it, and a worker gives back the connection that it keeps."""

from __future__ import annotations

import asyncio

from backend.repositories.database import Database
from backend.repositories.jobs import JobRepository
from backend.repositories.step_queue import QUEUE, Message, StepQueue, put
from tests.integration.working import albums


async def test_what_was_done_before_a_stop_is_gone_and_nothing_is_kept(database: Database) -> None:
    job_id = await JobRepository(database).create(albums(1))
    queue, taken = StepQueue(database), asyncio.Event()

    async def done(_: Message) -> None:
        taken.set()

    for place in (1, 2, 3):
        taken.clear()
        task = asyncio.create_task(queue.run(done, sources=["one"], at_once=2))
        async with database.transaction() as connection:
            await put(connection, [Message(job_id, 1, "one", place)])
        async with asyncio.timeout(30):
            await taken.wait()
            queue.stop()
            await task
        async with database.connection() as connection:
            assert await connection.fetchval(f"SELECT count(*) FROM {QUEUE}") == 0
            assert await connection.fetchval("SHOW plan_cache_mode") == "auto"
            # Of this database alone: other tests' workers may stand on the same server.
            left = (
                "SELECT count(*) FROM pg_stat_activity"
                " WHERE application_name = 'tensoe worker' AND datname = current_database()"
            )
            async with asyncio.timeout(30):  # PostgreSQL takes a moment to let a connection go
                while await connection.fetchval(left):
                    await asyncio.sleep(0.05)


async def test_messages_of_a_batch_and_more_are_all_taken(database: Database) -> None:
    job_id = await JobRepository(database).create(albums(1))
    queue, seen, all_seen = StepQueue(database), set[int](), asyncio.Event()

    async def done(message: Message) -> None:
        seen.add(message.position)
        if len(seen) == 90:
            all_seen.set()

    task = asyncio.create_task(queue.run(done, sources=["one"], at_once=2))
    try:
        for first in range(1, 91, 30):
            async with database.transaction() as connection:
                await put(connection, [Message(job_id, n, "one", 0) for n in range(first, first + 30)])
        async with asyncio.timeout(60):
            await all_seen.wait()
    finally:
        queue.stop()
        await task
