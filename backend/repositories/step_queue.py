"""The queue of steps: pgqueuer behind what we need of it. Who has a step gives signs of life; without them it is handed on.

A message says only which step is due. What a step is, whether it still is to be done and what came of it stand in
`ingest_steps` and `ingest_items`: a message that is delivered twice or too late does nothing, one that is lost is put again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import structlog
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.core.executors import EntrypointExecutor, EntrypointExecutorParameters
from pgqueuer.core.qm import QueueManager
from pgqueuer.domain.errors import FailingListenerError, RetryRequested
from pgqueuer.domain.models import Job
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel
from pgqueuer.ports.repository import EntrypointExecutionParameter

from backend.repositories.database import Connection, Database
from backend.repositories.queue_drivers import Held, InTransaction
from backend.utils.errors import BusyError, DatabaseError, DatabaseUnreachableError

log = structlog.get_logger(__name__)
# It repeats with a traceback each what we say in a line: what was given back, and that the database is away.
logging.getLogger("pgqueuer").setLevel(logging.CRITICAL)

STORE: Final = ""
"""The source of a message that says: store what was gathered."""

# Said here and not read from PGQUEUER_*: they name what the migrations have made.
_NAMES: Final = DBSettings(
    prefix="tensoe_",
    db_schema=None,
    channel=Channel("tensoe_ch_pgqueuer"),
    function="tensoe_fn_pgqueuer_changed",
    statistics_table="tensoe_pgqueuer_statistics",
    queue_status_type="tensoe_pgqueuer_status",
    queue_table="tensoe_pgqueuer",
    queue_table_log="tensoe_pgqueuer_log",
    trigger="tensoe_tg_pgqueuer_changed",
    schedules_table="tensoe_pgqueuer_schedules",
    durability=Durability.balanced,
)
QUEUE: Final = _NAMES.queue_table
"""The table of messages, for those who look how the work stands."""

_BATCH: Final = 25  # messages taken at once
_PRIORITY_SPAN: Final = 10_000_000  # places in the order of all jobs between one priority and the next
_LOOK_SECONDS: Final = 5.0  # between looks when nobody said that something is due
_AGAIN_SECONDS: Final = 2.0  # before a step is due again that broke for reasons of ours, such as the database
_LOG_MINUTES: Final = 10  # for which the queue's own log is kept


@dataclass(frozen=True, slots=True)
class Message:
    """That a step is due.

    Attributes:
        job_id: its job.
        position: its album's place in the job's list.
        source: who is to be asked; `STORE` when what was gathered is to be stored.
        round: which try it is.
        priority: of its job, -100..100; the highest first.
        place: its album's place in the order of all jobs; the smallest first.
    """

    job_id: str
    position: int
    source: str
    round: int
    priority: int = 0
    place: int = 0

    @property
    def key(self) -> str:
        """What tells it from all others."""
        return f"{self.job_id}:{self.position}:{self.source}:{self.round}"

    @property
    def rank(self) -> int:
        """In the queue; the highest first."""
        return max(self.priority * _PRIORITY_SPAN - self.place, -(2**31))

    @classmethod
    def of(cls, key: str) -> Message:
        """The message of a key."""
        job_id, position, source, number = key.split(":")
        return cls(job_id, int(position), source, int(number))


Handle = Callable[[Message], Awaitable[None]]


async def put(connection: Connection, messages: Iterable[Message]) -> None:
    """Put messages; they are due when the connection's transaction is committed. One that waits already is left out."""
    given = list(messages)
    if given:
        await _queries(InTransaction(connection)).enqueue(
            [_entrypoint(m.source) for m in given],
            [m.key.encode() for m in given],
            [m.rank for m in given],
            dedupe_key=[m.key for m in given],
            on_conflict="skip",
        )


class StepQueue:
    """Takes messages, some of each source at a time, for as long as it runs.

    Args:
        database: where the queue is kept.
        lost_after: seconds without a sign of life after which a step is handed on.
    """

    def __init__(self, database: Database, *, lost_after: float = 8.0) -> None:
        self._database = database
        self._lost_after = timedelta(seconds=lost_after)
        self._manager: QueueManager | None = None
        self._at_work: set[asyncio.Task[None]] = set()
        self._stopping = False

    async def run(self, handle: Handle, *, sources: Sequence[str], at_once: int) -> None:
        """Hand messages over until `stop`.

        Args:
            handle: what is done with each; when it raises, its message is due again a little later.
            sources: whose messages are taken, besides those to store.
            at_once: of each source, of this worker.

        Raises:
            DatabaseError: the database cannot be used.
        """
        self._stopping = False

        lanes = {_entrypoint(source): _Lane(at_once) for source in (STORE, *sources)}

        async def work(job: Job) -> None:
            task = asyncio.ensure_future(lanes[job.entrypoint].run(handle, Message.of((job.payload or b"").decode())))
            self._at_work.add(task)
            try:
                await asyncio.wait({task})
            finally:
                self._at_work.discard(task)
            if task.cancelled():
                raise RetryRequested(timedelta(0), "given back: its worker stops")
            if (problem := task.exception()) is not None:
                known = isinstance(problem, DatabaseError | BusyError)
                log.warning(
                    "a step could not be taken; it is due again soon",
                    step=job.payload, error=type(problem).__name__, exc_info=None if known else problem,
                )  # fmt: skip
                raise RetryRequested(timedelta(seconds=_AGAIN_SECONDS), type(problem).__name__)

        driver = Held(self._database)
        manager = _Manager(driver)
        for name, lane in lanes.items():
            lane.parameters = EntrypointExecutorParameters(func=work, concurrency_limit=_Lane.OPEN)
            manager.register_executor(name, EntrypointExecutor(lane.parameters))
        self._manager = manager
        try:
            await manager.run(
                dequeue_timeout=timedelta(seconds=_LOOK_SECONDS),
                batch_size=min(_BATCH, 2 * at_once),
                max_concurrent_tasks=(at_once + _BATCH) * len(lanes) + _BATCH,
                shutdown_on_listener_failure=True,
                heartbeat_timeout=self._lost_after,
                log_aggregation_interval=timedelta(0),
            )
        except FailingListenerError as problem:
            raise DatabaseUnreachableError("the queue's messages are not heard any more; listening anew") from problem
        finally:
            await driver.close()

    def stop(self) -> None:
        """Take nothing more and give back what is in work; `run` ends soon."""
        self._stopping = True
        if self._manager is not None:
            self._manager.shutdown.set()
        for task in self._at_work:
            task.cancel()

    async def tidy(self) -> None:
        """Forget the queue's log, which nobody reads for long."""
        async with self._database.connection() as connection:
            await connection.execute(
                f"DELETE FROM {_NAMES.queue_table_log} WHERE created < now() - make_interval(mins => $1)", _LOG_MINUTES
            )


class _Manager(QueueManager):
    """pgqueuer's manager, which does not look again after a look that left room, unless something was said meanwhile."""

    def __init__(self, driver: Held) -> None:
        super().__init__(_queries(driver), _NAMES.channel)
        self._driver = driver

    async def fetch_jobs(
        self, batch_size: int, global_concurrency_limit: int | None, heartbeat_timeout: timedelta
    ) -> AsyncGenerator[Job, None]:
        """The messages that are due."""
        while not self.shutdown.is_set():
            heard = self._driver.heard
            jobs = await self.queries.dequeue(
                batch_size=batch_size,
                entrypoints={
                    name: EntrypointExecutionParameter(
                        concurrency_limit=self.entrypoint_registry[name].parameters.concurrency_limit
                    )
                    for name in self.entrypoints_below_capacity_limits()
                },
                queue_manager_id=self.queue_manager_id,
                global_concurrency_limit=global_concurrency_limit,
                heartbeat_timeout=heartbeat_timeout,
            )
            for job in jobs:
                yield job
            # What was said while it looked may be of a message that it did not see, and is not said again.
            if len(jobs) < batch_size and heard == self._driver.heard:
                return


class _Lane:
    """How much of one source this worker has at work.

    pgqueuer counts an entrypoint's limit over all workers, so that the first to come would have all of it. Its limit is read
    before each look: it is closed while this worker has enough, and open otherwise.
    """

    OPEN: Final = 100_000
    CLOSED: Final = 1  # one at work is enough to be full, and there is one

    def __init__(self, most: int) -> None:
        self._most, self._taken = most, 0
        self._slots = asyncio.Semaphore(most)  # a batch may bring more than there is room for
        self.parameters: EntrypointExecutorParameters | None = None

    async def run(self, handle: Handle, message: Message) -> None:
        """Handle a message when there is room."""
        self._count(1)
        try:
            async with self._slots:
                await handle(message)
        finally:
            self._count(-1)

    def _count(self, change: int) -> None:
        self._taken += change
        if self.parameters is not None:
            self.parameters.concurrency_limit = self.CLOSED if self._taken >= self._most else self.OPEN


def _entrypoint(source: str) -> str:
    return f"source:{source}" if source else "store"


def _queries(driver: Any) -> Queries:
    return Queries(
        driver,
        qbe=QueryBuilderEnvironment(_NAMES),
        qbq=QueryQueueBuilder(_NAMES),
        qbs=QuerySchedulerBuilder(_NAMES),
    )
