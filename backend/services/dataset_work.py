"""Building and exporting data sets in the background of the server: long, one at a time, each watched by its id."""

from __future__ import annotations

import asyncio
import secrets
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final, Literal

import structlog

from backend.models.datasets import Recipe
from backend.services.dataset_service import STEPS, DataSetService
from backend.utils.errors import BusyError, NotFoundError, TensoeError

log = structlog.get_logger(__name__)

State = Literal["waiting", "running", "done", "failed"]
_MOST_WAITING: Final = 20
_MOST_KEPT: Final = 200  # ended ones that can still be asked after
_RETRY_SECONDS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class DataSetTask:
    """A build or an export on its way.

    Attributes:
        id: names it, as long as this server runs.
        kind: "build" or "export".
        name: of the recipe, or of the data set.
        state: where it is.
        step: what a build is at; "" of others, and before it begins.
        done: rows written so far, of an export; steps that are done, of a build.
        total: rows or steps in all; None before it is known.
        detail: why it failed.
        result: the fingerprint that was built, or the name of the exported file.
        is_new: of a build: whether there was none of the same content.
        asked_at: when it was asked for (UTC).
        ended_at: when it ended (UTC).
    """

    id: str
    kind: Literal["build", "export"]
    name: str
    state: State = "waiting"
    step: str = ""
    done: int = 0
    total: int | None = None
    detail: str = ""
    result: str | None = None
    is_new: bool | None = None
    asked_at: datetime
    ended_at: datetime | None = None


class DataSetWork:
    """Runs builds and exports.

    Args:
        datasets: does the work.
    """

    def __init__(self, datasets: DataSetService) -> None:
        self._datasets = datasets
        self._known: OrderedDict[str, DataSetTask] = OrderedDict()
        self._running: set[asyncio.Task[None]] = set()
        self._turn = asyncio.Semaphore(1)

    def build(self, asked: Recipe) -> DataSetTask:
        """Begin to build; what the recipe says was checked before.

        Raises:
            BusyError: too many wait already.
        """

        async def work(task_id: str) -> None:
            loop = asyncio.get_running_loop()

            def tell(step: str) -> None:
                done = STEPS.index(step)
                loop.call_soon_threadsafe(lambda: self._change(task_id, step=step, done=done, total=len(STEPS)))

            built = await self._datasets.build(asked, step=tell)
            self._change(
                task_id,
                step="",
                done=len(STEPS),
                total=len(STEPS),
                result=built.manifest.fingerprint,
                is_new=built.is_new,
            )

        return self._begin("build", asked.name, work)

    def export(self, fingerprint: str, *, name: str, form: str) -> DataSetTask:
        """Begin to export.

        Raises:
            BusyError: too many wait already.
        """

        async def work(task_id: str) -> None:
            loop = asyncio.get_running_loop()

            def tell(done: int, total: int) -> None:
                loop.call_soon_threadsafe(lambda: self._change(task_id, done=done, total=total))

            path = await self._datasets.export(fingerprint, form=form, progress=tell)
            self._change(task_id, result=path.name)

        return self._begin("export", name, work)

    def find(self, task_id: str) -> DataSetTask:
        """How far one is.

        Raises:
            NotFoundError: none has this id, or it ended long ago, or before the server started again.
        """
        found = self._known.get(task_id)
        if found is None:
            raise NotFoundError(
                f"No build or export has the id {task_id[:100]!r} since this server started; /ml/datasets lists what is built"
            )
        return found

    async def stop(self) -> None:
        """Wait for nothing: what is half written is removed, and nothing of it is seen."""
        for task in self._running:
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)

    def _begin(
        self, kind: Literal["build", "export"], name: str, work: Callable[[str], Awaitable[None]]
    ) -> DataSetTask:
        if len(self._running) >= _MOST_WAITING:
            raise BusyError("Too many data sets are being built or exported", retry_after=_RETRY_SECONDS)
        made = DataSetTask(id=secrets.token_hex(12), kind=kind, name=name, asked_at=datetime.now(UTC))
        self._known[made.id] = made
        ended = [key for key, task in self._known.items() if task.ended_at is not None]
        for key in ended[: max(0, len(ended) - _MOST_KEPT)]:
            del self._known[key]
        task = asyncio.create_task(self._run(made.id, work), name=f"data set {kind}")
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return made

    async def _run(self, task_id: str, work: Callable[[str], Awaitable[None]]) -> None:
        async with self._turn:
            self._change(task_id, state="running")
            try:
                await work(task_id)
            except TensoeError as problem:
                self._change(task_id, state="failed", detail=str(problem), ended_at=datetime.now(UTC))
            except Exception:
                log.exception("a data set could not be made", task=task_id)
                self._change(
                    task_id, state="failed", ended_at=datetime.now(UTC),
                    detail=f"Something broke that should not; the server's log has it under task {task_id}.",
                )  # fmt: skip
            else:
                self._change(task_id, state="done", ended_at=datetime.now(UTC))

    def _change(self, task_id: str, **changed: object) -> None:
        if task_id in self._known:
            self._known[task_id] = replace(self._known[task_id], **changed)  # type: ignore[arg-type]  # our own fields
