"""The composition root: builds what lives long and passes it on. `python -m backend.startup` migrates, then serves."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import FrameType
from urllib.parse import urlsplit

import structlog
import uvicorn
from aiohttp import ClientSession
from pydantic import SecretStr

from backend.cache import Cache, MemoryCache
from backend.config.settings import Environment, Settings, SettingsGroup
from backend.ingestion.ingest_runner import Asked, IngestRunner
from backend.ingestion.registry import build_listener, build_sources, demo_is_on, in_use
from backend.ingestion.source import Source
from backend.ingestion.transport import Transport, open_session
from backend.metrics import Metrics
from backend.models.ingestion_models import AlbumQuery
from backend.repositories.aggregates import Aggregates
from backend.repositories.album_reader import AlbumReader
from backend.repositories.album_store import AlbumRepository
from backend.repositories.database import Database
from backend.repositories.jobs import JobRepository
from backend.repositories.tastes import Tastes
from backend.repositories.track_pages import TrackPages
from backend.repositories.track_reader import TrackReader
from backend.routes.application import build_app
from backend.routes.dependencies import Services
from backend.routes.rate_limit import Pace
from backend.services.album_service import AlbumService
from backend.services.analytics_service import AnalyticsService
from backend.services.export_service import ExportService
from backend.services.ingestion_service import IngestionService
from backend.services.ml_service import MlService
from backend.services.system_service import SystemService
from backend.services.training_service import TrainingService
from backend.services.user_service import UserService
from backend.services.worker_threads import WorkerThreads
from backend.utils.errors import ConfigurationError, TensoeError
from backend.utils.identifiers import derive
from backend.utils.logging import configure_logging
from backend.utils.redaction import redact

log = structlog.get_logger(__name__)

_LEAVE_SECONDS = 10  # that running answers get when the server stops


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
async def open_container(settings: Settings, *, worker: bool = True, demo: bool = False) -> AsyncIterator[Container]:
    """Open database, cache, sources and services; close them in the opposite order.

    Args:
        settings: all groups.
        worker: also work through ingestion jobs in the background.
        demo: also load the demo catalogue in the background, when the demo is on and nothing is stored.

    Raises:
        ConfigurationError: a setting does not fit.
        DatabaseError: PostgreSQL cannot be used.
    """
    async with contextlib.AsyncExitStack() as stack:
        database = await Database.open(settings.database, home=settings.app.tensoe_home)
        stack.push_async_callback(database.close)
        await database.migrate()
        metrics = Metrics()
        cache = _cache(settings, metrics)
        stack.push_async_callback(cache.close)
        pace = _pace(settings)
        if pace is not None:
            stack.push_async_callback(pace.close)
        session = await stack.enter_async_context(open_session())
        threads = WorkerThreads()
        stack.push_async_callback(threads.close)
        services = _services(
            settings, database=database, cache=cache, metrics=metrics, pace=pace, session=session, threads=threads
        )
        container = Container(settings=settings, database=database, cache=cache, metrics=metrics, services=services)
        if worker:
            services.ingestion.start()
            stack.push_async_callback(services.ingestion.stop)
        if demo and demo_is_on(build_sources(), settings.ingestion):
            loading = asyncio.create_task(_load_demo(services), name="demo catalogue")
            stack.push_async_callback(_end, loading)
        yield container


def _cache(settings: Settings, metrics: Metrics) -> Cache:
    url = settings.cache.redis_url
    if url is None:
        return MemoryCache(metrics.cache)
    from backend.cache.redis_cache import RedisCache  # late: only who has a server needs its library

    return RedisCache(url.get_secret_value(), metrics.cache)


def _pace(settings: Settings) -> Pace | None:
    url = settings.cache.redis_url
    policy = settings.api.rate_limit.strip()
    return Pace(policy, redis_url=None if url is None else url.get_secret_value()) if policy else None


def _services(
    settings: Settings,
    *,
    database: Database,
    cache: Cache,
    metrics: Metrics,
    pace: Pace | None,
    session: ClientSession,
    threads: WorkerThreads,
) -> Services:
    sources = build_sources()
    used = in_use(sources, settings.ingestion)
    transports = {s.profile.name: _transport(s, session=session, metrics=metrics) for s in sources}
    jobs, aggregates = JobRepository(database), Aggregates(database)
    runner = IngestRunner(
        [Asked(s, transports[s.profile.name]) for s in used],
        AlbumRepository(database),
        profiles={s.profile.name: s.profile for s in sources},
        settings=settings.ingestion,
        stored=lambda: cache.clear("catalogue"),
    )
    ingestion = IngestionService(
        runner,
        jobs,
        sources=sources,
        used=frozenset(s.profile.name for s in used),
        settings=settings.ingestion,
        metrics=metrics,
        max_batch=settings.api.max_batch_albums,
    )
    ml = MlService(TrackReader(database), settings.ml, threads=threads)
    analytics = AnalyticsService(aggregates, jobs, cache=cache, ttl=settings.cache.cache_default_ttl)
    return Services(
        settings=settings,
        metrics=metrics,
        pace=pace,
        ingestion=ingestion,
        albums=AlbumService(AlbumReader(database), cache=cache, ttl=settings.cache.cache_album_ttl),
        analytics=analytics,
        users=UserService(
            build_listener(sources, transports), Tastes(database), cache=cache, ttl=settings.cache.cache_user_ttl
        ),
        system=SystemService(
            settings, database=database, cache=cache, ingestion=ingestion, analytics=analytics, aggregates=aggregates
        ),
        ml=ml,
        training=TrainingService(ml, TrackPages(database)),
        exports=ExportService(ml, settings.app.tensoe_home / "exports"),
    )


def _transport(source: Source, *, session: ClientSession, metrics: Metrics) -> Transport:
    profile = source.profile
    return Transport(profile.name, limits=profile.limits, session=session, observe=metrics.source_request)


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
        secrets=[secret for group in groups for secret in _secrets(group)],
    )


def _secrets(group: SettingsGroup) -> list[str]:
    found = [value.get_secret_value() for _, value in group if isinstance(value, SecretStr)]
    # API_KEYS is a list in one text, and an address holds its password.
    parts = [part.strip() for text in found if "://" not in text for part in text.split(",")]
    return [*parts, *(password for text in found if "://" in text and (password := urlsplit(text).password))]


async def _load_demo(services: Services) -> None:
    """Have the shipped catalogue ingested as a job, once: several servers that start together share its id."""
    try:
        if (await services.analytics.summary())["albums"]:
            return
        from backend.demo.catalogue import albums  # late: most starts find a filled database

        queries = [AlbumQuery(album=album.title, artist=album.artist) for album in albums()]
        await services.ingestion.submit(queries, job_id=derive("job", "demo"))
    except TensoeError as problem:
        log.warning("the demo catalogue could not be loaded", error=type(problem).__name__, detail=str(problem))


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def serve(settings: Settings) -> None:
    """Create or migrate the tables, then serve until told to stop (SIGINT, SIGTERM).

    Raises:
        ConfigurationError: a setting does not fit, or the port is taken.
        DatabaseError: PostgreSQL cannot be used.
    """
    with _listen(settings) as listener:
        async with open_container(settings, demo=True) as container:
            app = build_app(settings, services=container.services)
            config = uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=_LEAVE_SECONDS,
            )
            host, port = listener.getsockname()[:2]
            _say_where(host, port)
            for number in (signal.SIGINT, signal.SIGTERM):
                signal.signal(number, _leave_quietly)
            await uvicorn.Server(config).serve(sockets=[listener])


def _listen(settings: Settings) -> socket.socket:
    host, port = settings.api.api_host, settings.api.api_port
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as problem:
        raise ConfigurationError(
            f"Cannot listen on {host}:{port} ({problem.strerror}); set API_PORT to a free port, or stop what uses it"
        ) from problem


def _say_where(host: str, port: int) -> None:
    shown = "localhost" if host in {"0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    address = f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"
    sys.stdout.write(f"Tensoe is at {address} (API: {address}/docs); Ctrl-C stops it.\n")
    sys.stdout.flush()


def _leave_quietly(_signal: int, _frame: FrameType | None) -> None:
    """Do nothing: uvicorn stops by itself, then raises the signal again, which must not end us before closing."""


def main() -> int:
    """Run the server.

    Returns:
        The exit code: 0 after a stop that was asked for, 1 when the server cannot run; a sentence says why.
    """
    try:
        settings = Settings()
        configure(settings)
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(serve(settings))
    except TensoeError as problem:
        sys.stderr.write(f"tensoe: {redact(str(problem))}\n")
        return 1
    except KeyboardInterrupt:  # while starting; afterwards uvicorn takes it
        return 130
    return 0


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # Windows
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    sys.exit(main())
