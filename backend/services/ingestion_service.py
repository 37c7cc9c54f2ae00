"""Ingestion as the API and the command line see it: one album now, or a list as a job that outlives the process."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import structlog

from backend.config.settings import IngestionSettings
from backend.ingestion.ingest_runner import SOURCES_HINT, IngestRunner
from backend.ingestion.source import Source
from backend.metrics import Metrics
from backend.models.ingestion_models import AlbumQuery
from backend.models.results import IngestReport, IngestResult, JobStatus
from backend.repositories.jobs import ClaimedItem, JobRepository
from backend.repositories.unmatched import UnmatchedRepository
from backend.utils.errors import BusyError, InvalidInputError
from backend.utils.text import squeeze

log = structlog.get_logger(__name__)

LEASE_SECONDS = 60.0
"""How long a claimed album stays ours without a sign of life; a dead process's albums are taken over after it."""
DEMO_JOB = "demo"
_IDLE_SECONDS = 2.0  # between looks for other processes' jobs
_MAX_ATTEMPTS = 3  # of an album whose storing failed, before it is reported as failed
_MOST_ATTEMPTS = 10  # of an album in all, those included whose process died or was stopped
_MAX_NAME = 500


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


def check_query(query: AlbumQuery) -> AlbumQuery:
    """The query with its names tidied.

    Raises:
        InvalidInputError: a name is empty, too long or not text; the message says which.
    """
    album, artist = _check_name("album_name", query.album), _check_name("artist_name", query.artist)
    hints = {name: _check_text(name, text).replace("\0", "") for name, text in query.hints.items()}
    return AlbumQuery(album=album, artist=artist, hints=hints)


def _check_text(field: str, text: str) -> str:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidInputError(f"{field} holds half a character (a lone surrogate); send valid Unicode") from None
    return text


def _check_name(field: str, name: str) -> str:
    _check_text(field, name)
    tidy = squeeze(name)
    if not tidy:
        raise InvalidInputError(f"{field} is empty; give the name as it stands on the cover")
    if len(tidy) > _MAX_NAME:
        raise InvalidInputError(f"{field} has {len(tidy):,} characters; {_MAX_NAME} are the most")
    return tidy


class IngestionService:
    """Ingests albums; with `start` it also works through jobs in the background.

    Args:
        runner: what ingests one album.
        jobs: where lists wait and their progress stands.
        unmatched: where what a person must decide is kept.
        sources: every registered source, for `sources()`.
        used: the names of those in use.
        settings: concurrency and batch size.
        metrics: where results are counted.
        max_batch: the most albums of one job.
    """

    def __init__(
        self,
        runner: IngestRunner,
        jobs: JobRepository,
        *,
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
        self._wake = asyncio.Event()
        self._loop: asyncio.Task[None] | None = None
        self._working: set[asyncio.Task[None]] = set()
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

    async def submit(self, albums: Sequence[AlbumQuery], *, job_id: str | None = None) -> str:
        """Store a list as a job and answer its id; the work begins in the background of any server or worker.

        Raises:
            InvalidInputError: the list is empty or too long, or a name cannot be used; nothing was stored.
        """
        if not albums:
            raise InvalidInputError("The list of albums is empty; give at least one [album, artist]")
        if len(albums) > self._max_batch:
            raise InvalidInputError(
                f"{len(albums):,} albums in one list; {self._max_batch:,} are the most, send several lists"
            )
        checked = [_numbered(position, query) for position, query in enumerate(albums, 1)]
        found = await self._jobs.create(checked, job_id=job_id)
        self._wake.set()
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

    async def status(self, job_id: str, *, offset: int = 0, limit: int = 100) -> JobStatus:
        """A job as it stands, with a page of its albums.

        Raises:
            NotFoundError: no job has this id.
        """
        return await self._jobs.status(job_id, offset=offset, limit=limit)

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

    def source_settings(self) -> Mapping[str, Mapping[str, object]]:
        """Every source's settings for people, secrets masked."""
        return {s.profile.name: s.settings.shown() for s in self._sources}

    def start(self) -> None:
        """Begin to work through jobs, this process's and others'."""
        if self._loop is None:
            self._loop = asyncio.create_task(self._work(), name="ingestion jobs")

    async def stop(self) -> None:
        """Stop taking albums and give back those in work; they are taken up again by whoever runs next."""
        loop, self._loop = self._loop, None
        if loop is not None:
            for task in (loop, *self._working):
                task.cancel()
            await asyncio.gather(loop, *self._working, return_exceptions=True)
        await self._runner.close()

    async def _work(self) -> None:
        while True:
            self._wake.clear()
            try:
                claimed = await self._claim()
            except Exception:
                log.exception("cannot look for jobs; trying again", seconds=_IDLE_SECONDS)
                claimed = []
            for item in claimed:
                task = asyncio.create_task(self._work_on(item), name=f"job {item.job_id} #{item.position}")
                self._working.add(task)
                task.add_done_callback(self._done)
            if not claimed:
                await self._sleep()

    async def _claim(self) -> Sequence[ClaimedItem]:
        free = self._settings.ingestion_max_concurrent - len(self._working)
        if free <= 0:
            return []
        return await self._jobs.claim(min(free, self._settings.ingestion_batch_size), lease_seconds=LEASE_SECONDS)

    async def _sleep(self) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), _IDLE_SECONDS)
        except TimeoutError:
            return

    def _done(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self._wake.set()
        if not task.cancelled() and (problem := task.exception()) is not None:
            log.error("an album's result could not be written; its lease will run out", exc_info=problem)

    async def _work_on(self, item: ClaimedItem) -> None:
        if item.attempts > _MOST_ATTEMPTS:
            # Whoever worked on it died each time, perhaps of it: it must not be handed on for ever.
            await self._jobs.finish(item, _abandoned(item))
            return
        query = AlbumQuery(album=item.album, artist=item.artist, hints=item.hints)
        alive = asyncio.create_task(self._keep_lease(item))
        try:
            report = await self._runner.run(query)
        except asyncio.CancelledError:
            # The runner's own task may go on; storing is idempotent, so giving the album back is safe.
            await asyncio.shield(self._jobs.release(item))
            raise
        except InvalidInputError as problem:
            report = IngestReport(album=item.album, artist=item.artist, result=IngestResult.FAILED, detail=str(problem))
        except Exception as problem:
            log.exception("album could not be stored", job=item.job_id, album=item.album, artist=item.artist)
            if item.attempts < _MAX_ATTEMPTS:
                await self._jobs.release(item)
                return
            report = _broken(item, problem)
        finally:
            alive.cancel()
        await self._unmatched.keep(query, report)
        await self._jobs.finish(item, report)
        self._metrics.ingested(report.result)

    async def _keep_lease(self, item: ClaimedItem) -> None:
        while True:
            await asyncio.sleep(LEASE_SECONDS / 3)
            try:
                await self._jobs.renew(item, lease_seconds=LEASE_SECONDS)
            except Exception as problem:
                # The lease outlives a short absence of the database; the next turn tries again.
                log.warning(
                    "a lease could not be renewed", job=item.job_id, error=type(problem).__name__, exc_info=True
                )


def _numbered(position: int, query: AlbumQuery) -> AlbumQuery:
    try:
        return check_query(query)
    except InvalidInputError as problem:
        raise InvalidInputError(f"album {position} of the list: {problem}") from problem


def _broken(item: ClaimedItem, problem: Exception) -> IngestReport:
    detail = f"could not be stored after {item.attempts} tries ({type(problem).__name__}); the log has the details"
    return IngestReport(album=item.album, artist=item.artist, result=IngestResult.FAILED, detail=detail)


def _abandoned(item: ClaimedItem) -> IngestReport:
    detail = f"given up after {item.attempts - 1} tries that ended with their process; ask for it again by itself"
    return IngestReport(album=item.album, artist=item.artist, result=IngestResult.FAILED, detail=detail)
