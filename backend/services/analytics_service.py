"""Insights into what is stored: distributions, trends, coverage; statistics of ingestion. Ready JSON, cached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from backend.cache import Cache, digest, remember
from backend.repositories.aggregates import Aggregates
from backend.repositories.jobs import JobRepository


class AnalyticsService:
    """Computes what many ask for once, until an ingestion changes it.

    Args:
        aggregates: the figures.
        jobs: how ingestion went.
        cache: where answers are kept.
        ttl: seconds they are kept at the most.
    """

    def __init__(self, aggregates: Aggregates, jobs: JobRepository, *, cache: Cache, ttl: float) -> None:
        self._aggregates = aggregates
        self._jobs = jobs
        self._cache = cache
        self._ttl = ttl

    async def summary(self) -> dict[str, Any]:
        """How much there is: tracks, albums, artists and what is known of them."""
        found: dict[str, Any] = orjson.loads(await self._kept("summary", self._aggregates.summary))
        return found

    async def coverage(self) -> dict[str, Any]:
        """Which share of tracks knows each field, and how much each source gives."""
        found: dict[str, Any] = orjson.loads(await self._kept("coverage", self._aggregates.coverage))
        return found

    async def genres(self, *, limit: int) -> bytes:
        """The most frequent genres with their number of tracks, as JSON."""
        return await self._kept("genres", lambda: self._aggregates.genre_distribution(limit), limit=limit)

    async def moods(self, *, limit: int) -> bytes:
        """The most frequent moods with their number of tracks, as JSON."""
        return await self._kept("moods", lambda: self._aggregates.mood_distribution(limit), limit=limit)

    async def statistics(self) -> dict[str, Any]:
        """How ingestion went, per source and over all; never cached, since it changes while one looks."""
        return await self._jobs.statistics()

    async def _kept(self, name: str, ask: Callable[[], Awaitable[Any]], **parameters: object) -> bytes:
        async def compute() -> bytes:
            return orjson.dumps(await ask())

        return await remember(
            self._cache, "catalogue", digest(f"analytics.{name}", parameters), ttl=self._ttl, compute=compute
        )
