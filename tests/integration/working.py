"""Small sources of our own, and workers that ask them on a real PostgreSQL."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, cast

import msgspec

from backend.config.settings import IngestionSettings, SettingsGroup
from backend.ingestion.asking import Asked
from backend.ingestion.ingest_runner import IngestRunner
from backend.ingestion.insert_to_supabase import Merging
from backend.ingestion.policy import MergePolicy
from backend.ingestion.source import Payload, SourceProfile, Stage
from backend.ingestion.transport import Transport
from backend.metrics import Metrics
from backend.models.ingestion_models import AlbumQuery, AlbumRecord, Rights, TrackRecord
from backend.models.results import JobStatus
from backend.repositories.album_store import AlbumRepository
from backend.repositories.budget_states import Budgets
from backend.repositories.database import Database
from backend.repositories.jobs import JobRepository
from backend.repositories.step_queue import StepQueue
from backend.repositories.steps import StepRepository
from backend.repositories.unmatched import UnmatchedRepository
from backend.services.ingest_worker import IngestWorker
from backend.services.ingestion_service import IngestionService

Say = Callable[[AlbumQuery], Awaitable[AlbumRecord]]
GIVES = {"title": 1.0, "artist": 1.0, "tracks": 1.0, "duration_ms": 0.5, "popularity": 0.5, "label": 0.5}


def record_of(query: AlbumQuery, **more: Any) -> AlbumRecord:
    """An album of one track by the names asked for."""
    tracks = (TrackRecord(title=f"Song of {query.album}", track_number=1, popularity=50),)
    return AlbumRecord(title=query.album, artist=query.artist, tracks=tracks, **more)


async def says_so(query: AlbumQuery) -> AlbumRecord:
    """The album, as asked for."""
    return record_of(query)


class Told:
    """A source that says what a test has it say, and counts how often it is asked and how many at once."""

    def __init__(
        self,
        name: str,
        say: Say = says_so,
        *,
        stage: Stage = "identity",
        unconfigured: str | None = None,
        fresh_days: float | None = None,
    ) -> None:
        self.name, self._say, self._stage, self._unconfigured = name, say, stage, unconfigured
        self._fresh_days = fresh_days
        self.asked: list[AlbumQuery] = []
        self.now = self.most = 0

    @property
    def profile(self) -> SourceProfile:
        return SourceProfile(
            name=self.name,
            rights=Rights.OPEN,
            gives=GIVES,
            stage=self._stage,
            fresh_days=self._fresh_days,
            terms="None.",
        )

    @property
    def settings(self) -> SettingsGroup:
        return SettingsGroup()

    def unconfigured(self) -> str | None:
        return self._unconfigured

    async def fetch(self, query: AlbumQuery, transport: Transport) -> Payload:
        self.asked.append(query)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            found = await self._say(query)
        finally:
            self.now -= 1
        return cast(Payload, msgspec.to_builtins(found))

    def normalise(self, payload: Payload) -> AlbumRecord:
        return msgspec.convert(payload, AlbumRecord)


def ingesting(
    database: Database, sources: Sequence[Told], *, lost_after: float = 12.0, max_batch: int = 2000, **settings: Any
) -> IngestionService:
    """The service over these sources, not started."""
    defaults: dict[str, Any] = {"ingestion_max_concurrent": 3, "ingestion_retry_seconds": (0.1, 0.1)}
    chosen = IngestionSettings.model_validate(defaults | settings)
    profiles = {s.name: s.profile for s in sources}
    merging = Merging(profiles=profiles, policy=MergePolicy.of(chosen, profiles))
    asked = [Asked(s, cast(Transport, None)) for s in sources]
    store, unmatched, metrics = AlbumRepository(database), UnmatchedRepository(database), Metrics()

    async def stored() -> None:
        """No caches here."""

    worker = IngestWorker(
        StepRepository(database),
        StepQueue(database, lost_after=lost_after),
        Budgets(database),
        asked=asked,
        store=store,
        merging=merging,
        stored=stored,
        unmatched=unmatched,
        settings=chosen,
        metrics=metrics,
    )
    return IngestionService(
        IngestRunner(asked, store, merging=merging, stored=stored),
        JobRepository(database),
        worker=worker,
        unmatched=unmatched,
        sources=list(sources),
        used=frozenset(profiles),
        settings=chosen,
        metrics=metrics,
        max_batch=max_batch,
    )


def albums(number: int, *, artist: str = "Artist") -> list[AlbumQuery]:
    """Albums to ask for."""
    return [AlbumQuery(album=f"Album {n}", artist=artist) for n in range(number)]


async def until(service: IngestionService, job_id: str, **counts: int) -> JobStatus:
    """The job once it has finished, or so many albums stand so."""
    async with asyncio.timeout(60):
        while True:
            status = await service.status(job_id)
            if (
                all(status.counts[name] >= n for name, n in counts.items())
                if counts
                else status.finished_at is not None
            ):
                return status
            await asyncio.sleep(0.05)
