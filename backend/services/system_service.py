"""How the server stands: health in short, diagnosis in full."""

from __future__ import annotations

import asyncio
import importlib.metadata
import platform
import shutil
import sys
import time
from dataclasses import asdict
from typing import Any, Final

import structlog

from backend import __version__
from backend.cache import Cache
from backend.config.settings import Settings
from backend.repositories.aggregates import Aggregates
from backend.repositories.database import Database
from backend.services.analytics_service import AnalyticsService
from backend.services.ingestion_service import IngestionService
from backend.services.upkeep_service import UpkeepService
from backend.services.work_service import WorkService
from backend.utils.errors import DatabaseError
from backend.utils.redaction import redact, redact_value

log = structlog.get_logger(__name__)

_PACKAGES: Final = ("fastapi", "sqlalchemy", "asyncpg", "pyarrow", "polars", "pandas", "scikit-learn", "uvicorn")
_PATIENCE: Final = 2.0  # seconds for the database to say that it lives


class SystemService:
    """Asks every part how it is; a part that does not answer is reported, never raised.

    Args:
        settings: shown with secrets masked.
        database: PostgreSQL.
        cache: in memory or Redis.
        ingestion: knows the sources and jobs.
        analytics: knows how much there is.
        aggregates: knows sizes.
        upkeep: knows how much is kept of each source's.
        work: knows how the work of all workers stands.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        database: Database,
        cache: Cache,
        ingestion: IngestionService,
        analytics: AnalyticsService,
        aggregates: Aggregates,
        upkeep: UpkeepService,
        work: WorkService,
    ) -> None:
        self._work = work
        self._settings = settings
        self._upkeep = upkeep
        self._database = database
        self._cache = cache
        self._ingestion = ingestion
        self._analytics = analytics
        self._aggregates = aggregates
        self._started = time.monotonic()

    async def health(self) -> dict[str, Any]:
        """Whether the server can do its work, and how much data it has."""
        database = await self._database_state()
        usable = bool(database["reachable"])
        return {
            "name": "Tensoe",
            "version": __version__,
            "status": "ok" if usable else "degraded",
            "environment": self._settings.app.environment.value,
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "database": {"reachable": usable, "embedded": self._database.embedded},
            "data": await self._analytics.summary() if usable else None,
            "sources": [self._source(s) for s in self._ingestion.sources()],
            "links": {"docs": "/docs", "system": "/system", "metrics": "/metrics", "albums": "/albums"},
        }

    async def ready(self) -> None:
        """Nothing, while the database answers.

        Raises:
            DatabaseError: it does not.
        """
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._database.ping()
        except TimeoutError:
            raise DatabaseError(f"The database has not answered for {_PATIENCE:g} seconds") from None

    async def system(self) -> dict[str, Any]:
        """Versions, settings with secrets masked, the state of database, cache and each source, sizes."""
        database, cache = await asyncio.gather(self._database_state(), self._cache.state())
        sizes = await self._aggregates.sizes() if database["reachable"] else {}
        storage = await self._upkeep.storage() if database["reachable"] else []
        work = await self._work.latest() if database["reachable"] else None
        settings = {**self._settings.shown(), **self._ingestion.source_settings()}
        home = self._settings.app.tensoe_home
        return {
            "version": __version__,
            "uptime_seconds": round(time.monotonic() - self._started, 1),
            "versions": await asyncio.to_thread(_versions),
            "database": database,
            "cache": cache,
            "sources": [self._source(s) for s in self._ingestion.sources()],
            # Masked twice: here what only looks like a secret, such as the password in an address.
            "settings": {group: redact_value(dict(values)) for group, values in settings.items()},
            "sizes": sizes,
            "storage": [asdict(use) for use in storage],
            "work": None if work is None else asdict(work),
            "disk_free_bytes": shutil.disk_usage(home if home.exists() else home.anchor).free,
        }

    async def _database_state(self) -> dict[str, Any]:
        state: dict[str, Any] = {"reachable": False, "embedded": self._database.embedded}
        try:
            async with asyncio.timeout(_PATIENCE):
                seconds = await self._database.ping()
                version = await self._database.version()
        except (DatabaseError, OSError) as problem:
            log.warning("the database does not answer", error=type(problem).__name__, detail=str(problem))
            return {**state, "detail": redact(str(problem)) or f"no answer within {_PATIENCE:g} seconds"}
        return {**state, "reachable": True, "version": version, "ping_seconds": round(seconds, 6)}

    def _source(self, state: Any) -> dict[str, Any]:
        return asdict(state)


def _versions() -> dict[str, str]:
    found = {"python": sys.version.split()[0], "system": f"{platform.system()} {platform.release()}"}
    return found | {name: importlib.metadata.version(name) for name in _PACKAGES}
