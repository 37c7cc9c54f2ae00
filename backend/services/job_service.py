"""What people do with jobs: hold them, call them off, take up again what did not end well."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from backend.ingestion.asking import SOURCES_HINT
from backend.ingestion.results import UNFINISHED
from backend.models.results import DeadLetter, IngestResult, JobStatus
from backend.repositories import cursor as cursors
from backend.repositories.job_control import JobControl
from backend.repositories.jobs import JobRepository
from backend.repositories.retries import RetryRepository
from backend.utils.errors import ConflictError, InvalidInputError

USUAL_RETRY: Final = (
    IngestResult.PARTIAL, IngestResult.BLOCKED, IngestResult.THROTTLED, IngestResult.FAILED, IngestResult.CANCELLED,
)  # fmt: skip
"""What a later try may mend. Ambiguous albums and those nobody knows need a person first; they are retried when named."""
RETRIABLE: Final = tuple(r for r in IngestResult if r is not IngestResult.COMPLETE)
MOST_PRIORITY: Final = 100

_LISTING: Final = "dead letters"


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """A job of albums that were taken up again."""

    job_id: str
    total: int


class JobService:
    """Jobs as a whole.

    Args:
        control: changes them.
        jobs: reads them.
        retries: makes new ones of old ones.
        hints: by source, the key of hints by which it takes exactly the album that it calls so.
        nudge: called when there may be something to begin.
    """

    def __init__(
        self,
        control: JobControl,
        jobs: JobRepository,
        *,
        retries: RetryRepository,
        hints: Mapping[str, str],
        nudge: Callable[[], None],
    ) -> None:
        self._control = control
        self._jobs = jobs
        self._retries = retries
        self._hints = hints
        self._nudge = nudge

    async def pause(self, job_id: str) -> JobStatus:
        """Let a job rest until it is resumed; requests that are under way end first.

        Raises:
            NotFoundError: no job has this id.
            ConflictError: it has ended.
        """
        await self._control.pause(job_id)
        return await self._jobs.status(job_id, limit=0)

    async def resume(self, job_id: str) -> JobStatus:
        """Go on with a job that rests.

        Raises:
            NotFoundError: no job has this id.
            ConflictError: it has ended.
        """
        await self._control.resume(job_id)
        self._nudge()
        return await self._jobs.status(job_id, limit=0)

    async def cancel(self, job_id: str) -> JobStatus:
        """Call a job off: what is not done ends as cancelled, what is stored stays.

        Raises:
            NotFoundError: no job has this id.
            ConflictError: it has ended.
        """
        await self._control.cancel(job_id)
        return await self._jobs.status(job_id, limit=0)

    async def prioritise(self, job_id: str, priority: int) -> JobStatus:
        """Say how much a job matters.

        Raises:
            InvalidInputError: the priority is not within -100..100.
            NotFoundError: no job has this id.
            ConflictError: it has ended.
        """
        await self._control.prioritise(job_id, check_priority(priority))
        return await self._jobs.status(job_id, limit=0)

    async def retry(self, job_id: str, *, only: Sequence[IngestResult] = (), priority: int = 0) -> Retry:
        """Take up again the albums of a job that did not end well, as a new job; each once.

        Of an album that is stored in part, only the sources that did not answer are asked.

        Args:
            job_id: which job.
            only: albums that ended so; `USUAL_RETRY` when empty.
            priority: of the new job.

        Raises:
            InvalidInputError: complete albums are asked for, or the priority is out of bounds.
            NotFoundError: no job has this id.
            ConflictError: there is nothing to retry; the message says why.
        """
        wanted = _checked(only)
        status = await self._jobs.status(job_id, limit=0)
        made = await self._take_up(job_id, wanted, priority)
        if made is None:
            raise ConflictError(await self._why_nothing(status, wanted))
        return made

    async def retry_dead(self, *, priority: int = 0) -> Retry:
        """Take up all albums that failed, of all jobs, as one new job.

        Raises:
            InvalidInputError: the priority is out of bounds.
            ConflictError: there is none.
        """
        made = await self._take_up(None, (IngestResult.FAILED,), priority)
        if made is None:
            raise ConflictError("Nothing to retry: no album failed that was not taken up already")
        return made

    async def dead_letters(self, *, cursor: str | None = None, limit: int = 100) -> tuple[list[DeadLetter], str | None]:
        """Albums that failed and that nobody has taken up, over all jobs, the latest first; and the next page's cursor.

        Raises:
            InvalidInputError: the cursor is none of ours.
        """
        after = None if cursor is None else _place(cursor)
        found = await self._retries.dead(after=after, limit=limit + 1)
        if len(found) <= limit:
            return found, None
        last = found[limit - 1]
        place = [last.finished_at.isoformat(), last.job_id, str(last.position)]
        return found[:limit], cursors.encode(place, of=_LISTING)

    async def _take_up(self, job_id: str | None, results: Sequence[IngestResult], priority: int) -> Retry | None:
        made, number = await self._retries.take_up(
            job_id,
            results,
            unfinished=tuple(UNFINISHED),
            sources_hint=SOURCES_HINT,
            hints=self._hints,
            priority=check_priority(priority),
        )
        if not number:
            return None
        self._nudge()
        return Retry(job_id=made, total=number)

    async def _why_nothing(self, status: JobStatus, wanted: Sequence[IngestResult]) -> str:
        named = ", ".join(wanted)
        taken = await self._retries.retried(status.id, wanted)
        if taken:
            said = "; ".join(f"{n} by job {job}" for job, n in taken.items())
            return f"Nothing to retry in job {status.id}: its albums that ended {named} were taken up already ({said})"
        if status.finished_at is None:
            return (
                f"Nothing to retry in job {status.id} yet: none of its albums has ended {named}; "
                "those that wait for a source are asked again by themselves"
            )
        return f"Nothing to retry in job {status.id}: none of its albums ended {named}"


def check_priority(priority: int) -> int:
    """The priority, when it is allowed.

    Raises:
        InvalidInputError: it is not.
    """
    if not -MOST_PRIORITY <= priority <= MOST_PRIORITY:
        raise InvalidInputError(f"priority={priority} is not allowed; give -{MOST_PRIORITY} to {MOST_PRIORITY}")
    return priority


def _checked(only: Sequence[IngestResult]) -> tuple[IngestResult, ...]:
    if IngestResult.COMPLETE in only:
        raise InvalidInputError("complete albums need no retry; `tensoe refresh` asks again for what has grown old")
    return tuple(dict.fromkeys(only)) or USUAL_RETRY


def _place(cursor: str) -> tuple[datetime, str, int]:
    at, job_id, position = cursors.decode(cursor, of=_LISTING, parts=3)
    return datetime.fromisoformat(at), job_id, int(position)
