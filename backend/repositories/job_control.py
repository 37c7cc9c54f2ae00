"""Holding a job, going on with it, calling it off, and how much it matters: one transaction each.

Locks are taken in the order in which workers take them: parked steps, albums, other steps, the job.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import asyncpg

from backend.models.results import IngestResult
from backend.repositories.database import Connection, Database
from backend.repositories.step_queue import QUEUE, Message
from backend.utils.errors import BusyError, ConflictError, NotFoundError

_TRIES: Final = 3  # of a transaction that was in the way of a worker's, and gave way
_JOB: Final = "SELECT state, priority, finished_at FROM ingest_jobs WHERE id = $1"
_CALLED_OFF: Final = "called off while it waited to be asked again"

_PARKED: Final = "SELECT FROM ingest_steps WHERE job_id = $1 AND state = 'parked' ORDER BY position, source FOR UPDATE"
# What is stored keeps its result: it is as true as before.
_CANCEL_ITEMS: Final = """
UPDATE ingest_items SET state = 'done', finished_at = now(), changed_at = now(),
    result = CASE WHEN result IS NOT NULL AND album_id IS NOT NULL THEN result ELSE $2 END,
    detail = CASE WHEN result IS NOT NULL AND album_id IS NOT NULL THEN detail ELSE NULL END
WHERE job_id = $1 AND state <> 'done'
"""
_DROP_OPEN: Final = "DELETE FROM ingest_steps WHERE job_id = $1 AND state <> 'done' AND outcome IS NULL"
_END_PARKED: Final = """
UPDATE ingest_steps SET state = 'done', round = round + 1, not_before = NULL, at = now(),
    detail = $2 || CASE WHEN detail = '' THEN '' ELSE ': ' || detail END
WHERE job_id = $1 AND state <> 'done'
"""
_FORGET: Final = "UPDATE ingest_steps SET record = NULL WHERE job_id = $1 AND record IS NOT NULL"


class JobControl:
    """Changes jobs as a whole.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def pause(self, job_id: str) -> None:
        """Let a job rest: workers put its steps aside instead of asking. One that rests already goes on resting.

        Raises:
            NotFoundError: no job has this id.
            ConflictError: it has ended.
        """

        async def change(connection: Connection) -> None:
            await _open_job(connection, job_id)
            await connection.execute("UPDATE ingest_jobs SET state = 'paused' WHERE id = $1", job_id)

        await self._orderly(change)

    async def resume(self, job_id: str) -> None:
        """Go on with a job that rests; on one that does not nothing changes.

        Raises:
            NotFoundError: no job has this id.
            ConflictError: it has ended.
        """

        async def change(connection: Connection) -> None:
            await _open_job(connection, job_id)
            await connection.execute("UPDATE ingest_jobs SET state = 'open' WHERE id = $1", job_id)
            # A statement of its own: it sees the steps of workers who were putting them aside a moment ago.
            await connection.execute(
                "UPDATE ingest_steps SET not_before = now() WHERE job_id = $1 AND state = 'parked' AND not_before IS NULL",
                job_id,
            )

        await self._orderly(change)

    async def cancel(self, job_id: str) -> None:
        """Call a job off. What is stored stays; what is being stored at this moment may still be.

        Raises:
            NotFoundError: no job has this id.
            ConflictError: it has ended.
        """

        async def change(connection: Connection) -> None:
            _check(await connection.fetchrow(_JOB, job_id), job_id)
            await connection.execute(_PARKED, job_id)
            await connection.execute(_CANCEL_ITEMS, job_id, IngestResult.CANCELLED.value)
            await connection.execute(_DROP_OPEN, job_id)
            await connection.execute(_END_PARKED, job_id, _CALLED_OFF)
            await connection.execute(_FORGET, job_id)
            await _open_job(connection, job_id)  # its last album may have ended meanwhile
            await connection.execute(
                "UPDATE ingest_jobs SET state = 'cancelled', finished_at = now() WHERE id = $1", job_id
            )

        await self._orderly(change)

    async def prioritise(self, job_id: str, priority: int) -> None:
        """Say how much a job matters; what of it is due already moves, too.

        Args:
            job_id: its id.
            priority: -100..100; the highest goes first.

        Raises:
            NotFoundError: no job has this id.
            ConflictError: it has ended.
        """

        async def change(connection: Connection) -> None:
            before = (await _open_job(connection, job_id))["priority"]
            await connection.execute("UPDATE ingest_jobs SET priority = $2 WHERE id = $1", job_id, priority)
            await connection.execute(
                f"UPDATE {QUEUE} SET priority = greatest(priority::bigint + $2, -(2::bigint ^ 31)::bigint)::int "
                "WHERE starts_with(dedupe_key, $1 || ':') AND status = 'queued'",
                job_id,
                _rank(priority) - _rank(before),
            )

        await self._orderly(change)

    async def _orderly(self, change: Callable[[Connection], Awaitable[None]]) -> None:
        for _ in range(_TRIES):
            try:
                async with self._database.transaction() as connection:
                    await change(connection)
            except asyncpg.DeadlockDetectedError:
                continue
            return
        raise BusyError("Workers are changing this job at this moment; try again", retry_after=1)


async def _open_job(connection: Connection, job_id: str) -> Any:
    """The job's row, locked."""
    return _check(await connection.fetchrow(_JOB + " FOR UPDATE", job_id), job_id)


def _check(row: Any, job_id: str) -> Any:
    if row is None:
        raise NotFoundError(f"No job has the id {job_id[:100]!r}; /ml/jobs lists the latest")
    if row["state"] == "cancelled":
        raise ConflictError(f"Job {job_id} was cancelled; a retry makes a new job of its albums")
    if row["finished_at"] is not None:
        raise ConflictError(f"Job {job_id} is finished; a retry makes a new job of the albums that did not end well")
    return row


def _rank(priority: int) -> int:
    """Of the first album of a job in the queue."""
    return Message("", 0, "", 0, priority).rank
