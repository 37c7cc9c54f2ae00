"""Albums of jobs on their way: asked source by source, stored, and each step committed, with others that end at the same time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backend.models.results import IngestReport, IngestResult
from backend.models.steps import Gathered, Step, StepEnd
from backend.repositories.database import Database
from backend.repositories.records_in_mind import RecordsInMind
from backend.repositories.step_begin import begin_all
from backend.repositories.step_ends import end_all
from backend.repositories.step_feed import Next, StepFeed
from backend.repositories.step_queue import Message
from backend.repositories.step_storing import close_all, finish, gather_all
from backend.utils.errors import BusyError, DatabaseError
from backend.utils.together import Together

__all__ = ["Next", "StepRepository"]

_PAUSE: Final = 0.05  # seconds from one transaction of a kind to the next: the more is under way, the more is in one
_SHARED: Final = (DatabaseError, BusyError)

# Whoever resumes the job at this moment waits for it or is seen: no step stays behind.
_REST: Final = """
WITH job AS (SELECT state FROM ingest_jobs WHERE id = $1 FOR SHARE)
UPDATE ingest_steps s SET state = 'parked', round = s.round + 1, at = now(),
    not_before = CASE WHEN job.state = 'paused' THEN NULL ELSE now() END
FROM job WHERE s.job_id = $1 AND s.position = $2 AND s.source = $3 AND s.round = $4 AND s.state = 'queued'
"""


class StepRepository(StepFeed):
    """Reads and writes albums on their way.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        super().__init__(database)
        self._mind = RecordsInMind()
        self._begin = Together(self._begin_all, pause=_PAUSE, shared=_SHARED)
        self._end = Together(self._end_all, pause=_PAUSE, shared=_SHARED)
        self._gather = Together(self._gather_all, pause=_PAUSE, shared=_SHARED)
        self._close = Together(self._close_all, pause=_PAUSE, shared=_SHARED)

    # -- asking --------------------------------------------------------------------------------------

    async def begin(self, message: Message) -> Step | None:
        """The step of a message; None when it is no longer to be done."""
        return await self._begin(message)

    async def rest(self, step: Step) -> None:
        """Put a step aside until its job is resumed; nothing else becomes of its album meanwhile."""
        async with self._database.connection() as connection:
            await connection.execute(_REST, step.job_id, step.position, step.source, step.round)

    async def refuse(self, step: Step, problem: str) -> None:
        """Close an album that cannot be asked for as it was: of what its caller gave, something is wrong; nothing is stored."""
        where = (step.job_id, step.position)
        async with self._database.transaction() as connection:
            done = await connection.fetchval(
                "UPDATE ingest_items SET state = 'done', result = $3, detail = $4, finished_at = now(), changed_at = now() "
                "WHERE job_id = $1 AND position = $2 AND state <> 'done' RETURNING true",
                *where,
                IngestResult.FAILED.value,
                problem,
            )
            if done:
                await connection.execute("DELETE FROM ingest_steps WHERE job_id = $1 AND position = $2", *where)
                await finish(connection, [step.job_id])

    async def end(self, step: Step, end: StepEnd, following: Next) -> bool:
        """Write how a step ended, and what is to be done next, in one.

        Returns:
            False when it had ended already: that counts, and nothing is written.
        """
        counts = await self._end((step, end, following))
        if counts:
            self._mind.keep(step, end.record)
        return counts

    # -- storing -------------------------------------------------------------------------------------

    async def gather(self, message: Message) -> Gathered | None:
        """What is to be stored by a message; None when that is done, or is another's by now."""
        return await self._gather(message)

    async def close(self, gathered: Gathered, report: IngestReport) -> bool:
        """Write an album's report, and the end of its job with the last one.

        Returns:
            False when something came in meanwhile, or another has done it: then this report does not count.
        """
        return await self._close((gathered, report))

    # -- together ------------------------------------------------------------------------------------

    async def _begin_all(self, messages: Sequence[Message]) -> list[Step | None]:
        async with self._database.connection() as connection:
            return await begin_all(connection, messages, self._mind)

    async def _end_all(self, ends: Sequence[tuple[Step, StepEnd, Next]]) -> list[bool]:
        async with self._database.transaction() as connection:
            return await end_all(connection, ends)

    async def _gather_all(self, messages: Sequence[Message]) -> list[Gathered | None]:
        async with self._database.connection() as connection:
            return await gather_all(connection, messages, self._mind)

    async def _close_all(self, closed: Sequence[tuple[Gathered, IngestReport]]) -> list[bool]:
        async with self._database.transaction() as connection:
            return await close_all(connection, closed)
