"""Works through jobs: begins albums, asks their sources step by step, stores what was gathered. Any number may run, anywhere."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from backend.config.settings import IngestionSettings
from backend.ingestion.asking import Answer, Asked, ask, stages_of
from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.itinerary import Itinerary
from backend.ingestion.known import lay_together
from backend.ingestion.store import AlbumStore
from backend.metrics import Metrics
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Outcome, SourceOutcome
from backend.models.steps import Move, Step, StepEnd, StepView
from backend.repositories.budget_states import Budgets
from backend.repositories.step_queue import STORE, Message, StepQueue
from backend.repositories.steps import StepRepository
from backend.repositories.unmatched import UnmatchedRepository
from backend.services.album_storing import AlbumStoring
from backend.utils.errors import BusyError, DatabaseError
from backend.utils.tracing import note

log = structlog.get_logger(__name__)

_MOST_ATTEMPTS: Final = 10  # of a step in all, those included whose process died or was stopped
_LOOK_SECONDS: Final = 0.5  # between looks for albums to begin and steps whose time has come
_MEND_SECONDS: Final = 30.0
_TIDY_SECONDS: Final = 300.0
_AGAIN_SECONDS: Final = 1.0  # after the database could not be used
_WOKEN: Final = 200  # parked steps at once
_MOST_LAID: Final = 300  # albums of which is kept in mind what is known
_STOP_SECONDS: Final = 10.0  # for what is being stored to end


class IngestWorker:
    """Takes steps of all jobs until it is stopped.

    Args:
        steps: albums on their way.
        queue: which step is due.
        budgets: tidied now and then.
        asked: the sources in use, each with its transport.
        store: where albums are kept.
        merging: how records become rows.
        stored: awaited after an album was stored, to empty caches.
        unmatched: where what a person must decide is kept.
        settings: how many at once, and when to try again.
        metrics: where results are counted.
    """

    def __init__(
        self,
        steps: StepRepository,
        queue: StepQueue,
        budgets: Budgets,
        *,
        asked: Sequence[Asked],
        store: AlbumStore,
        merging: Merging,
        stored: Callable[[], Awaitable[None]],
        unmatched: UnmatchedRepository,
        settings: IngestionSettings,
        metrics: Metrics,
    ) -> None:
        self._steps = steps
        self._queue = queue
        self._budgets = budgets
        self._asked = asked
        self._by_name: Mapping[str, Asked] = {a.profile.name: a for a in asked}
        self._merging = merging
        self._unmatched = unmatched
        self._settings = settings
        self._metrics = metrics
        self._storing = AlbumStoring(store, merging, stored=stored)
        self._nudged = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        self._laid: dict[tuple[str, int], tuple[tuple[str, ...], AlbumRecord | None]] = {}
        self._unconfigured: Mapping[str, str] = {
            a.profile.name: reason for a in asked if (reason := a.source.unconfigured()) is not None
        }

    def nudge(self) -> None:
        """Say that there may be something to begin."""
        self._nudged.set()

    def start(self) -> None:
        """Begin to work, in the background."""
        if not self._tasks:
            self._stopping = False
            self._tasks = [
                asyncio.create_task(self._take(), name="ingestion steps"),
                asyncio.create_task(self._begin_albums(), name="ingestion albums"),
                asyncio.create_task(self._mend(), name="ingestion upkeep"),
            ]

    async def stop(self) -> None:
        """Take nothing more and give back what is in work: whoever runs next goes on with it."""
        tasks, self._tasks = self._tasks, []
        if not tasks:
            return
        self._stopping = True
        self._queue.stop()
        taking, *others = tasks
        for task in others:
            task.cancel()
        _, late = await asyncio.wait({taking}, timeout=_STOP_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # -- the three loops -------------------------------------------------------------------------------

    async def _take(self) -> None:
        names = [name for name in self._by_name if name not in self._unconfigured]
        while not self._stopping:
            try:
                await self._queue.run(self._handle, sources=names, at_once=self._settings.ingestion_max_concurrent)
            except (DatabaseError, BusyError) as problem:
                log.warning("no steps can be taken; trying again", error=type(problem).__name__, detail=str(problem))
                await asyncio.sleep(_AGAIN_SECONDS)
            except Exception:
                log.exception("no steps can be taken; trying again")
                await asyncio.sleep(_AGAIN_SECONDS)

    async def _begin_albums(self) -> None:
        woken = 0.0
        loop = asyncio.get_running_loop()
        while not self._stopping:
            self._nudged.clear()
            try:
                begun = await self._steps.feed(
                    self._following, window=self._settings.ingestion_window, most=self._settings.ingestion_batch_size
                )
                if loop.time() - woken >= _LOOK_SECONDS:
                    woken = loop.time()
                    begun += await self._steps.wake(_WOKEN)
            except (DatabaseError, BusyError) as problem:
                log.warning("no albums can be begun; trying again", error=type(problem).__name__, detail=str(problem))
                begun = 0
                await asyncio.sleep(_AGAIN_SECONDS)
            except Exception:
                log.exception("no albums can be begun; trying again")
                begun = 0
                await asyncio.sleep(_AGAIN_SECONDS)
            if not begun:
                # (Python 3.11's wait_for may lose a cancellation that comes together with what it waits for.)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(_LOOK_SECONDS):
                        await self._nudged.wait()

    async def _mend(self) -> None:
        tidied = 0.0
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(_MEND_SECONDS)
            try:
                await self._steps.mend(older_than=_MEND_SECONDS)
                if loop.time() - tidied > _TIDY_SECONDS:
                    tidied = loop.time()
                    await self._queue.tidy()
                    await self._budgets.tidy()
            except (DatabaseError, BusyError) as problem:
                log.warning("upkeep of jobs failed; trying again", error=type(problem).__name__)
            except Exception:
                log.exception("upkeep of jobs failed; trying again")

    # -- one step --------------------------------------------------------------------------------------

    async def _handle(self, message: Message) -> None:
        if message.source == STORE:
            await self._keep(message)
            self._nudged.set()
            return
        step = await self._steps.begin(message)
        if step is None:
            return
        if step.paused:
            await self._steps.rest(step)
            return
        answer = await self._ask(step)
        if answer.hint is not None:
            await self._steps.refuse(step, str(answer.hint))
            return
        end = self._end(step, answer)
        await self._steps.end(step, end, self._following)
        note(outcome=end.outcome.outcome.value, album=step.query.album, artist=step.query.artist)
        log.info(
            "step",
            job=step.job_id, position=step.position, album=step.query.album, artist=step.query.artist, source=step.source,
            outcome=end.outcome.outcome, seconds=round(end.outcome.seconds, 3), calls=end.calls, parked_until=end.park_until,
        )  # fmt: skip

    async def _ask(self, step: Step) -> Answer:
        if step.attempts > _MOST_ATTEMPTS:
            # Whoever worked on it died each time, perhaps of it: it must not be handed on for ever.
            detail = f"given up after {step.attempts - 1} tries that ended with their process"
            return Answer(outcome=SourceOutcome(source=step.source, outcome=Outcome.FAILED, detail=detail))
        return await ask(self._by_name[step.source], replace(step.query, known=self._known(step)))

    def _known(self, step: Step) -> AlbumRecord | None:
        """What the other sources said, laid together; the steps of a stage have it from one another."""
        key, said = (step.job_id, step.position), tuple(r.source for r in step.records)
        found = self._laid.get(key)
        if found is None or found[0] != said:
            known = lay_together(step.records, self._merging.profiles, policy=self._merging.policy)
            self._laid[key] = found = said, known
            while len(self._laid) > _MOST_LAID:
                del self._laid[next(iter(self._laid))]
        return found[1]

    def _end(self, step: Step, answer: Answer) -> StepEnd:
        outcome = answer.outcome
        if outcome.outcome is Outcome.THROTTLED and outcome.retry_at is not None:
            return StepEnd(outcome=outcome, park_until=outcome.retry_at, calls=answer.calls)
        waits = self._settings.ingestion_retry_seconds
        if answer.passing and step.failures < len(waits):
            until = datetime.now(UTC) + timedelta(seconds=waits[step.failures])
            return StepEnd(outcome=replace(outcome, retry_at=until), park_until=until, failed=True, calls=answer.calls)
        return StepEnd(outcome=outcome, record=answer.record, calls=answer.calls)

    def _following(self, query: AlbumQuery, steps: Mapping[str, StepView], ended: str | None) -> Move:
        return Itinerary(stages_of(self._asked, query), self._unconfigured).after(steps, ended=ended)

    # -- storing ---------------------------------------------------------------------------------------

    async def _keep(self, message: Message) -> None:
        gathered = await self._steps.gather(message)
        if gathered is None:
            return
        report = await self._storing.report(gathered)
        if await self._steps.close(gathered, report):
            await self._unmatched.keep(gathered.query, report)
            self._metrics.ingested(report.result)
            log.info(
                "album",
                job=gathered.job_id, position=gathered.position, album=report.album, artist=report.artist,
                result=report.result,
            )  # fmt: skip
