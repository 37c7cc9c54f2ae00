"""The composition root: builds what lives long and passes it on. `python -m backend.startup` migrates, then serves."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Coroutine
from dataclasses import dataclass

import structlog

from backend.cache import Cache
from backend.composition import build_cache, build_pace, build_services
from backend.config.settings import Environment, Settings
from backend.ingestion.registry import build_sources, demo_is_on
from backend.ingestion.transport import open_session
from backend.ingestion.vocabulary.words import read_ahead
from backend.metrics import Metrics
from backend.repositories.catalogue_signal import CatalogueSignal
from backend.repositories.database import Database
from backend.repositories.faults import told_once
from backend.routes.application import build_app
from backend.routes.dependencies import Services
from backend.services.album_service import AlbumService
from backend.services.ingestion_service import IngestionService
from backend.services.worker_threads import WorkerThreads
from backend.serving import address_of, answer, listen, loop_factory
from backend.utils import tracing
from backend.utils.collector import look_less_often
from backend.utils.errors import TensoeError
from backend.utils.logging import configure_logging
from backend.utils.redaction import redact

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class Container:
    """What lives as long as the process; built by `open_container`."""

    settings: Settings
    database: Database
    cache: Cache
    metrics: Metrics
    services: Services

    @property
    def ingestion(self) -> IngestionService:
        """Ingestion, for those who need no more."""
        return self.services.ingestion

    @property
    def albums(self) -> AlbumService:
        """Albums, for those who need no more."""
        return self.services.albums


@contextlib.asynccontextmanager
async def open_container(settings: Settings, *, worker: bool = True, server: bool = False) -> AsyncIterator[Container]:
    """Open database, cache, sources and services; close them in the opposite order.

    Args:
        settings: all groups.
        worker: also work through ingestion jobs in the background.
        server: this process answers for long: it hears when others change the catalogue, and loads the demo catalogue when
            the demo is on and nothing is stored.

    Raises:
        ConfigurationError: a setting does not fit.
        DatabaseError: PostgreSQL cannot be used.
    """
    async with contextlib.AsyncExitStack() as stack:
        stack.push_async_callback(asyncio.to_thread, tracing.flush)
        stack.enter_context(told_once())
        # Who works for long may be started together with the database, or before it; a command says at once that it is away.
        wait = settings.database.db_start_timeout if worker or server else 0.0
        database = await Database.open(settings.database, home=settings.app.tensoe_home, wait=wait)
        stack.push_async_callback(database.close)
        await database.migrate()
        metrics = Metrics()
        cache = build_cache(settings, metrics)
        stack.push_async_callback(cache.close)
        pace = build_pace(settings)
        if pace is not None:
            stack.push_async_callback(pace.close)
        session = await stack.enter_async_context(open_session())
        changes = CatalogueSignal(database)
        threads = WorkerThreads()
        stack.push_async_callback(threads.close)
        services = build_services(
            settings,
            database=database,
            cache=cache,
            metrics=metrics,
            pace=pace,
            session=session,
            threads=threads,
            changes=changes,
        )
        container = Container(settings=settings, database=database, cache=cache, metrics=metrics, services=services)
        stack.push_async_callback(services.work.close)
        stack.push_async_callback(services.dataset_work.stop)
        stack.push_async_callback(services.discovery.close)
        stack.push_async_callback(services.map.close)
        if await services.upkeep.is_stale():
            log.warning("rows were merged under another policy or other terms; `tensoe rebuild` makes them anew")
        if server:
            services.deeds.start()
            stack.push_async_callback(services.deeds.stop)

            async def changed() -> None:
                services.discovery.moved()
                await cache.clear("catalogue")

            _beside(stack, changes.listen(changed), name="changes of the catalogue")
        stack.push_async_callback(services.ingestion.stop)
        if worker:
            # Not by the first album that is merged: whoever asks the server something at that moment would wait.
            _beside(stack, asyncio.to_thread(read_ahead), name="vocabulary")
            services.ingestion.start()
            stack.push_async_callback(services.refreshing.stop)
            services.refreshing.start()
        if server and demo_is_on(build_sources(), settings.ingestion):
            _beside(stack, _load_demo(services), name="demo catalogue")
        yield container


def configure(settings: Settings, *, level: str | None = None) -> None:
    """Set logging up: for people, or as JSON in production; every secret of the settings is masked in it.

    Args:
        settings: all groups.
        level: another than LOG_LEVEL, for commands whose output is read by people.
    """
    sources = [source.settings for source in build_sources()]
    groups = (settings.app, settings.api, settings.database, settings.cache, settings.ingestion, settings.ml, *sources)
    configure_logging(
        level=level or settings.app.log_level,
        machine_readable=settings.app.environment is Environment.PRODUCTION,
        secrets=[secret for group in groups for secret in group.secrets()],
    )
    if wrong := tracing.start():
        log.warning("nothing is traced", reason=wrong)


async def _load_demo(services: Services) -> None:
    """Have the shipped catalogue ingested as a job, once: several servers that start together share its id."""
    try:
        if (await services.analytics.summary())["albums"]:
            return
        await services.ingestion.load_demo(once=True)
        log.info("no provider's key is set: the demo catalogue is being loaded")
    except TensoeError as problem:
        log.warning("the demo catalogue could not be loaded", error=type(problem).__name__, detail=str(problem))


def _beside(stack: contextlib.AsyncExitStack, work: Coroutine[None, None, None], *, name: str) -> None:
    """Do something in the background until the stack is left."""
    task = asyncio.create_task(work, name=name)

    async def end() -> None:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    stack.push_async_callback(end)


async def serve(settings: Settings) -> None:
    """Create or migrate the tables, then serve until told to stop (SIGINT, SIGTERM).

    Raises:
        ConfigurationError: a setting does not fit, or the port is taken.
        DatabaseError: PostgreSQL cannot be used.
    """
    with listen(settings.api.api_host, settings.api.api_port) as listener:
        async with open_container(settings, server=True) as container:
            address = address_of(listener)
            sys.stdout.write(f"Data: {container.database.place}\n")
            sys.stdout.write(f"Tensoe is at {address} (API: {address}/docs); Ctrl-C stops it.\n")
            sys.stdout.flush()
            look_less_often()
            await answer(build_app(settings, services=container.services), listener)


def main() -> int:
    """Run the server.

    Returns:
        The exit code: 0 after a stop that was asked for, 1 when the server cannot run; a sentence says why.
    """
    try:
        settings = Settings()
        configure(settings)
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            runner.run(serve(settings))
    except TensoeError as problem:
        sys.stderr.write(f"tensoe: {redact(str(problem))}\n")
        return 1
    except KeyboardInterrupt:  # while starting; afterwards uvicorn takes it
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
