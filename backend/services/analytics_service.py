"""Insights into what is stored: distributions, trends, coverage; statistics of ingestion. Ready JSON, cached."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import orjson

from backend.cache import Cache, digest, remember
from backend.models.ingestion_models import RightsLevel
from backend.models.results import TrackFilter
from backend.repositories.aggregates import Aggregates
from backend.repositories.facets import Facets
from backend.repositories.ingest_statistics import IngestStatistics

_TOP: Final = 20  # genres and moods in the overview; /ml/genres and /ml/moods have more
_TAGS: Final = 24  # of a selection
_SOUNDS: Final = 12  # genres of a selection whose sound is told


class AnalyticsService:
    """Computes what many ask for once, until an ingestion changes it.

    Args:
        aggregates: the figures.
        ingestion: how it went.
        facets: the figures of a selection.
        cache: where answers are kept.
        ttl: seconds they are kept at the most.
    """

    def __init__(
        self, aggregates: Aggregates, ingestion: IngestStatistics, facets: Facets, *, cache: Cache, ttl: float
    ) -> None:
        self._aggregates = aggregates
        self._ingestion = ingestion
        self._facets = facets
        self._cache = cache
        self._ttl = ttl

    async def summary(self, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        """How much there is: tracks, albums, artists, genres, moods, years, made-up values."""
        found: dict[str, Any] = orjson.loads(
            await self._kept("summary", self._aggregates.at(rights).summary, rights=rights)
        )
        return found

    async def coverage(self, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        """Which share of tracks knows each field, and how much each source gives."""
        found: dict[str, Any] = orjson.loads(
            await self._kept("coverage", self._aggregates.at(rights).coverage, rights=rights)
        )
        return found

    async def overview(self, rights: RightsLevel = RightsLevel.ANY) -> bytes:
        """All insights together, as JSON."""
        figures = self._aggregates.at(rights)
        return await self._kept("overview", lambda: _overview(figures), rights=rights)

    async def genres(self, *, limit: int, rights: RightsLevel = RightsLevel.ANY) -> bytes:
        """The most frequent genres with their number of tracks, as JSON."""
        figures = self._aggregates.at(rights)
        return await self._kept("genres", lambda: figures.genre_distribution(limit), limit=limit, rights=rights)

    async def moods(self, *, limit: int, rights: RightsLevel = RightsLevel.ANY) -> bytes:
        """The most frequent moods with their number of tracks, as JSON."""
        figures = self._aggregates.at(rights)
        return await self._kept("moods", lambda: figures.mood_distribution(limit), limit=limit, rights=rights)

    async def genre(self, name: str, *, rights: RightsLevel = RightsLevel.ANY) -> bytes:
        """What a genre sounds like on the whole, as JSON."""
        figures = self._aggregates.at(rights)
        return await self._kept("genre", lambda: figures.genre(name), genre=name, rights=rights)

    async def facets(self, wanted: TrackFilter, *, feature: str) -> bytes:
        """The figures of what fits a filter, each picture without its own conditions, as JSON.

        Raises:
            InvalidInputError: a text of the filter holds what PostgreSQL cannot.
        """

        async def ask() -> dict[str, Any]:
            return await self._facets.of(wanted, feature=feature, tags=_TAGS, genres=_SOUNDS)

        if wanted.seen_by is not None:  # what somebody heard changes without the catalogue
            return orjson.dumps(await ask())
        return await self._kept("facets", ask, wanted=wanted, feature=feature)

    async def statistics(self) -> dict[str, Any]:
        """How ingestion went, per source and over all; never cached, since it changes while one looks."""
        return await self._ingestion.statistics()

    def forgotten(self) -> int:
        """A number that grows whenever kept figures are forgotten, as the catalogue has changed."""
        return self._cache.cleared("catalogue")

    async def _kept(self, name: str, ask: Callable[[], Awaitable[Any]], **parameters: object) -> bytes:
        async def compute() -> bytes:
            return orjson.dumps(await ask())

        key = digest(f"analytics.{name}", parameters)
        return await remember(self._cache, "catalogue", key, ttl=self._ttl, compute=compute)


async def _overview(a: Aggregates) -> dict[str, Any]:
    # One after the other: insights must not take every pooled connection from requests that are short.
    return {
        "summary": await a.summary(),
        "genres": await a.genre_distribution(_TOP),
        "moods": await a.mood_distribution(_TOP),
        "popularity": await a.histogram("popularity"),
        "aoty_score": await a.histogram("aoty_score"),
        "aoty_critic_score": await a.histogram("aoty_critic_score"),
        "years": await a.years(),
        "audio_features": await a.audio_features(),
        "coverage": await a.coverage(),
    }
