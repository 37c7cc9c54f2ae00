"""The queue of steps, watched: log lines and spans of a step say of which job it is, and its trace is the job's."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from cachetools import LRUCache
from structlog.contextvars import bound_contextvars

from backend.repositories.database import Database
from backend.repositories.step_queue import STORE, Handle, Message, StepQueue
from backend.utils import tracing
from backend.utils.tracing import span

_JOBS_KEPT: Final = 1_000  # whose trace is remembered

TraceOf = Callable[[str], Awaitable[str | None]]
"""The traceparent that a job was asked for with, by its id; None where there is none."""


class WatchedQueue(StepQueue):
    """A queue whose steps are logged and traced as what they are.

    Args:
        database: where the queue is kept.
        trace_of: asked once a job, and only while something is traced.
        lost_after: see `StepQueue`.
    """

    def __init__(self, database: Database, trace_of: TraceOf, *, lost_after: float = 12.0) -> None:
        super().__init__(database, lost_after=lost_after)
        self._trace_of = trace_of
        self._traces: LRUCache[str, str | None] = LRUCache(_JOBS_KEPT)

    async def run(self, handle: Handle, *, sources: Sequence[str], at_once: int) -> None:
        """See `StepQueue`."""

        async def watched(message: Message) -> None:
            about = {"job": message.job_id, "position": message.position, "source": message.source or "store"}
            # A message has a task of its own, so what is bound ends with it.
            with bound_contextvars(**about):
                name = "store" if message.source == STORE else "step"
                parent = await self._parent(message.job_id)
                with span(name, kind="consumer", parent=parent, round=message.round, **about):
                    await handle(message)

        await super().run(watched, sources=sources, at_once=at_once)

    async def _parent(self, job_id: str) -> str | None:
        if not tracing.is_on():
            return None
        if job_id not in self._traces:
            self._traces[job_id] = await self._trace_of(job_id)
        return self._traces[job_id]
