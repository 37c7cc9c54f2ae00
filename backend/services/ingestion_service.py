"""Ingestion as the API and the command line see it: one album now, or a list as a job that outlives the process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from backend.config.settings import IngestionSettings
from backend.ingestion.asking import SOURCES_HINT
from backend.ingestion.ingest_runner import IngestRunner
from backend.ingestion.source import Source
from backend.metrics import Metrics
from backend.models.ingestion_models import AlbumQuery
from backend.models.results import IngestReport, IngestResult, JobStatus
from backend.repositories.jobs import JobRepository
from backend.repositories.unmatched import UnmatchedRepository
from backend.services.album_names import check_numbered, check_query
from backend.services.ingest_worker import IngestWorker
from backend.utils.errors import BusyError, InvalidInputError

DEMO_JOB = "demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceState:
    """A source as it stands, for people."""

    name: str
    rights: str
    stage: str
    in_use: bool
    unconfigured: str | None  # which setting is missing; None when it can be asked
    stand_in: bool
    terms: str


class IngestionService:
    """Ingests albums; with `start` it also works through jobs in the background.

    Args:
        runner: what ingests one album at once.
        jobs: where lists wait and their progress stands.
        worker: what works through them.
        unmatched: where what a person must decide is kept.
        sources: every registered source, for `sources()`.
        used: the names of those in use.
        settings: concurrency and batch size.
        metrics: where results are counted.
        max_batch: the most albums of one request.
    """

    def __init__(
        self,
        runner: IngestRunner,
        jobs: JobRepository,
        *,
        worker: IngestWorker,
        unmatched: UnmatchedRepository,
        sources: Sequence[Source],
        used: frozenset[str],
        settings: IngestionSettings,
        metrics: Metrics,
        max_batch: int = 10_000,
    ) -> None:
        self._runner = runner
        self._jobs = jobs
        self._unmatched = unmatched
        self._sources = sources
        self._used = used
        self._settings = settings
        self._metrics = metrics
        self._max_batch = max_batch
        self._worker = worker
        # An album asked for by hand goes ahead of jobs but not without bound.
        self._direct = asyncio.Semaphore(settings.ingestion_max_concurrent)
        self._direct_waiting = 0

    async def ingest(self, query: AlbumQuery) -> IngestReport:
        """Ingest one album now.

        Raises:
            InvalidInputError: a name cannot be used; nothing was asked or stored.
            BusyError: too many albums wait already.
        """
        query = check_query(query)
        if self._direct_waiting >= 10 * self._settings.ingestion_max_concurrent:
            raise BusyError("Too many albums are being ingested at this moment; send a batch instead", retry_after=10)
        self._direct_waiting += 1
        try:
            async with self._direct:
                report = await self._runner.run(query)
        finally:
            self._direct_waiting -= 1
        await self._unmatched.keep(query, report)
        await self._jobs.record(query, report)
        self._metrics.ingested(report.result)
        return report

    async def accept(self, albums: Sequence[AlbumQuery], *, priority: int = 0) -> str:
        """`submit` for a list that came in one request: a server that many ask holds none of any length in memory.

        Raises:
            InvalidInputError: the list is empty or too long, or a name cannot be used; nothing was stored.
        """
        if len(albums) > self._max_batch:
            raise InvalidInputError(
                f"{len(albums):,} albums in one request; {self._max_batch:,} are the most (MAX_BATCH_ALBUMS). Send several, or "
                "give the whole list to `tensoe ingest --file`, which takes any length"
            )
        return await self.submit(albums, priority=priority)

    async def submit(self, albums: Sequence[AlbumQuery], *, job_id: str | None = None, priority: int = 0) -> str:
        """Store a list of any length as a job and answer its id; the work begins in the background of any server or worker.

        Args:
            albums: what to ask for.
            job_id: an id that is always the same, where one list must not be taken twice.
            priority: -100..100; jobs of a higher one go first, those of the same take turns.

        Raises:
            InvalidInputError: the list is empty, or a name cannot be used; nothing was stored.
        """
        if not albums:
            raise InvalidInputError("The list of albums is empty; give at least one [album, artist]")
        checked = [check_numbered(position, query) for position, query in enumerate(albums, 1)]
        found = await self._jobs.create(checked, job_id=job_id, priority=priority)
        self._worker.nudge()
        return found

    async def load_demo(self, *, once: bool = False) -> str | None:
        """Submit the shipped demo catalogue as a job; None while the demo is off.

        Args:
            once: under an id that is always the same, so that servers which start together, or again, add nothing.
        """
        stand_ins = [s.profile.name for s in self._sources if s.profile.stand_in and s.profile.name in self._used]
        if not stand_ins:
            return None
        from backend.demo.catalogue import albums  # late: only a first start needs the catalogue

        return await self.submit(
            # The demo works without a network, and asks nobody for what the user did not ask for.
            [AlbumQuery(album=a.title, artist=a.artist, hints={SOURCES_HINT: ",".join(stand_ins)}) for a in albums()],
            job_id=DEMO_JOB if once else None,
        )

    async def status(
        self, job_id: str, *, offset: int = 0, limit: int = 100, results: Sequence[IngestResult] | None = None
    ) -> JobStatus:
        """A job as it stands, with a page of its albums; with `results` of those that ended so.

        Raises:
            NotFoundError: no job has this id.
        """
        return await self._jobs.status(job_id, offset=offset, limit=limit, results=results)

    async def jobs(self, *, limit: int = 20) -> list[JobStatus]:
        """The latest jobs, newest first, without their albums."""
        return await self._jobs.list(limit=limit)

    def sources(self) -> list[SourceState]:
        """Every registered source as it stands."""
        return [
            SourceState(
                name=s.profile.name,
                rights=s.profile.rights,
                stage=s.profile.stage,
                in_use=s.profile.name in self._used,
                unconfigured=s.unconfigured(),
                stand_in=s.profile.stand_in,
                terms=s.profile.terms,
            )
            for s in self._sources
        ]

    def hints_of(self, ids: Mapping[str, str]) -> dict[str, str]:
        """The hints by which sources take exactly the album that they call by these ids."""
        return {
            s.profile.hint: ids[s.profile.name]
            for s in self._sources
            if s.profile.hint and s.profile.defines and s.profile.name in ids and s.profile.name in self._used
        }

    def fresh_days(self) -> dict[str, float]:
        """By source in use that can be asked, for how many days what it says is good; without those that change no more."""
        return {
            s.profile.name: s.profile.fresh_days
            for s in self._sources
            if s.profile.fresh_days is not None and s.profile.name in self._used and s.unconfigured() is None
        }

    def nudge(self) -> None:
        """Say that there may be something to begin."""
        self._worker.nudge()

    def source_settings(self) -> Mapping[str, Mapping[str, object]]:
        """Every source's settings for people, secrets masked."""
        return {s.profile.name: s.settings.shown() for s in self._sources}

    def start(self) -> None:
        """Begin to work through jobs, this process's and others'."""
        self._worker.start()

    async def stop(self) -> None:
        """Stop taking albums and give back those in work; they are taken up again by whoever runs next."""
        await self._worker.stop()
        await self._runner.close()
