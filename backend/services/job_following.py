"""Following a job while it is worked on, wherever that is: counts, rates, and when it will end."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from cachetools import LRUCache

from backend.ingestion.asking import SOURCES_HINT
from backend.ingestion.source import SourceProfile
from backend.models.job_progress import JobFigures, JobProgress, SourceProgress, StepCounts
from backend.repositories.budget_states import Budgets, BudgetState
from backend.repositories.job_progress import JobProgressRepository
from backend.services.source_pace import Pace, paces

_LOOK_SECONDS: Final = 0.5  # between looks at the least …
_SHARE: Final = 10  # … and so many times as long as a look takes, so that looking costs the database little
_RATE_SECONDS: Final = 60.0  # over which requests are counted
_RATE_LEAST: Final = 2.0
_COSTS_SECONDS: Final = 60.0  # for which what a source costs is believed
_JOBS_KEPT: Final = 100  # that are looked at in turn
_LONG: Final = timedelta(minutes=1)


class JobFollowing:
    """Looks at jobs; however many follow one, it is looked at once.

    Args:
        progress: counts.
        budgets: how fast sources may be asked.
        profiles: of the sources that are asked and can be.
    """

    def __init__(self, progress: JobProgressRepository, budgets: Budgets, profiles: Sequence[SourceProfile]) -> None:
        self._progress = progress
        self._budgets = budgets
        self._profiles = {p.name: p for p in profiles}
        self._watches: LRUCache[str, _Watch] = LRUCache(_JOBS_KEPT)
        self._granted: dict[str, deque[tuple[float, int]]] = {}
        self._paces: tuple[float, Mapping[str, Pace]] | None = None

    async def progress(self, job_id: str) -> JobProgress:
        """How far a job is; at most as old as looking again would be too dear.

        Raises:
            NotFoundError: no job has this id.
        """
        watch = self._watches.get(job_id)
        if watch is None:
            watch = self._watches[job_id] = _Watch()
        async with watch.lock:
            if watch.found is None or time.monotonic() >= watch.stale_at:
                started = time.monotonic()
                watch.found = await self._look(job_id, watch)
                now = time.monotonic()
                watch.stale_at = now + max(_LOOK_SECONDS, _SHARE * (now - started))
            return watch.found

    async def follow(self, job_id: str) -> AsyncIterator[JobProgress]:
        """How far a job is, again whenever a look is worth its cost, until it has ended; no connection is held in between.

        Raises:
            NotFoundError: no job has this id.
        """
        while True:
            found = await self.progress(job_id)
            yield found
            if found.ended:
                return
            await asyncio.sleep(self.pause(job_id))

    def pause(self, job_id: str) -> float:
        """Seconds until looking at a job again is worth its cost."""
        watch = self._watches.get(job_id)
        return _LOOK_SECONDS if watch is None else max(_LOOK_SECONDS / 10, watch.stale_at - time.monotonic())

    async def _look(self, job_id: str, watch: _Watch) -> JobProgress:
        figures = await self._progress.figures(job_id)
        if watch.asked is None:
            watch.asked = await self._progress.asked(job_id, hint=SOURCES_HINT)
        states = await self._budgets.states()
        self._count(states)
        pace = await self._pace(states)
        now = datetime.now(UTC)
        sources = tuple(
            self._source(name, figures, total=total, pace=pace.get(name), now=now)
            for name in self._profiles
            if (total := _asked_for(name, figures, watch.asked))
        )
        ended = figures.finished_at is not None
        ends = [s.expected_end for s in sources if s.expected_end is not None]
        return JobProgress(
            id=figures.id,
            kind=figures.kind,
            state=figures.state,
            total=figures.total,
            counts=figures.counts,
            sources=sources,
            expected_end=max(ends, default=None) if not ended and figures.state == "open" else None,
            waits_until=_waits_until(figures, now),
        )

    def _source(
        self, name: str, figures: JobFigures, *, total: int, pace: Pace | None, now: datetime
    ) -> SourceProgress:
        steps = figures.steps.get(name, StepCounts())
        left = total - sum(steps.done.values())
        found = SourceProgress(
            source=name, total=total, queued=max(0, left - steps.parked), parked=steps.parked, done=steps.done
        )
        if pace is None:
            return found
        ended = figures.finished_at is not None
        begins = now if found.queued or steps.next_at is None else max(now, steps.next_at)
        return replace(
            found,
            rate=self._rate(name),
            allowed=pace.rate,
            expected_end=pace.end(left, begins=begins) if left > 0 and pace.calls and not ended else None,
            parked_until=pace.parked_until,
            reason=pace.reason,
        )

    async def _pace(self, states: Sequence[BudgetState]) -> Mapping[str, Pace]:
        known = self._paces
        if known is None or time.monotonic() - known[0] > _COSTS_SECONDS:
            costs = await self._progress.costs()
            fresh = paces(self._profiles.values(), states, costs)
            self._paces = time.monotonic(), fresh
            return fresh
        return {name: pace.at(states) for name, pace in known[1].items()}

    def _count(self, states: Sequence[BudgetState]) -> None:
        now = time.monotonic()
        for state in states:
            samples = self._granted.setdefault(state.key, deque())
            if not samples or now - samples[-1][0] >= _LOOK_SECONDS / 2:
                samples.append((now, state.granted))
            while now - samples[0][0] > _RATE_SECONDS:
                samples.popleft()

    def _rate(self, name: str) -> float | None:
        samples = self._granted.get(name)
        if not samples or samples[-1][0] - samples[0][0] < _RATE_LEAST:
            return None
        return (samples[-1][1] - samples[0][1]) / (samples[-1][0] - samples[0][0])


class _Watch:
    """What is kept of a job that somebody follows."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.found: JobProgress | None = None
        self.stale_at = 0.0
        self.asked: Mapping[str | None, int] | None = None


def waits_long(progress: JobProgress) -> bool:
    """Whether nothing happens in a job for longer than it is worth standing by: all is parked, or the job rests."""
    if progress.state == "paused":
        return True
    return progress.waits_until is not None and progress.waits_until - datetime.now(UTC) > _LONG


def _asked_for(name: str, figures: JobFigures, asked: Mapping[str | None, int]) -> int:
    """How many of a job's albums a source is to be asked for."""
    begun = figures.steps.get(name)
    if figures.finished_at is not None:
        return sum(begun.done.values()) if begun else 0
    return sum(n for named, n in asked.items() if named is None or name in named.split(","))


def _waits_until(figures: JobFigures, now: datetime) -> datetime | None:
    if figures.finished_at is not None or figures.counts.get("queued") or figures.counts.get("running"):
        return None
    due = [s.next_at for s in figures.steps.values() if s.next_at is not None]
    return max(now, min(due)) if due else None
