"""From an album's name to a stored album: ask every source, isolate what fails, merge, store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import structlog

from backend.ingestion.insert_to_supabase import Merging, insert_album
from backend.ingestion.judge import verify
from backend.ingestion.known import lay_together
from backend.ingestion.source import STAGES, Source, Stage
from backend.ingestion.store import AlbumStore
from backend.ingestion.transport import Transport
from backend.models.ingestion_models import AlbumQuery, Outcome, SourceOutcome, SourceRecord
from backend.models.results import IngestReport, IngestResult
from backend.utils.errors import (
    AmbiguousError,
    BlockedError,
    HintError,
    InvalidInputError,
    RateLimitedError,
    RecordNotFoundError,
    SourceError,
    ThrottledError,
    UnconfiguredError,
)

log = structlog.get_logger(__name__)

_OUTCOMES: Mapping[type[SourceError], Outcome] = {
    RecordNotFoundError: Outcome.NOT_FOUND,
    AmbiguousError: Outcome.AMBIGUOUS,
    BlockedError: Outcome.BLOCKED,
    ThrottledError: Outcome.THROTTLED,
    RateLimitedError: Outcome.THROTTLED,
    UnconfiguredError: Outcome.UNCONFIGURED,
}
# Outcomes after which a later try may know more: they make an album partial.
_UNFINISHED = frozenset({Outcome.BLOCKED, Outcome.THROTTLED, Outcome.FAILED, Outcome.AMBIGUOUS})


SOURCES_HINT: Final = "sources"
"""The key of `AlbumQuery.hints` that names the sources to ask, joined by commas."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A source together with the transport it is asked through.

    `full` says why nothing more of a source's may be stored, by its name, or None while it may.
    """

    source: Source
    transport: Transport
    full: Callable[[str], Awaitable[str | None]] | None = None


class IngestRunner:
    """Runs one album at a time through all sources; safe to call many times at once.

    Two calls for the same album at the same time share one run.

    Args:
        asked: the sources in use, each with its transport.
        store: where albums are kept.
        merging: how records become rows.
        stored: awaited after an album was stored, to empty caches.
    """

    def __init__(
        self,
        asked: Sequence[Asked],
        store: AlbumStore,
        *,
        merging: Merging,
        stored: Callable[[], Awaitable[None]],
    ) -> None:
        self._asked = asked
        self._store = store
        self._merging = merging
        self._stored = stored
        self._under_way: dict[tuple[object, ...], asyncio.Task[IngestReport]] = {}

    async def run(self, query: AlbumQuery) -> IngestReport:
        """Ingest an album; never raises for what a source does, only for what the store does.

        Raises:
            InvalidInputError: a page or an address given for a source cannot be used; nothing was stored.
            DatabaseError: the album could not be stored; nothing of it was.
        """
        # Not folded: an artist may have two albums whose names differ by a bracket or a capital only. Other spellings of
        # one album run side by side and meet in the store.
        key = (query.artist, query.album, tuple(sorted(query.hints.items())))
        task = self._under_way.get(key)
        if task is None:
            task = asyncio.create_task(self._run(query), name=f"ingest {query.artist} - {query.album}")
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        # One caller going away must not end the work that another waits for.
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End what is under way; an album that is being stored is stored wholly or not at all."""
        tasks = list(self._under_way.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _run(self, query: AlbumQuery) -> IngestReport:
        records: list[SourceRecord] = []
        outcomes: list[SourceOutcome] = []
        for stage in STAGES:
            known = lay_together(records, self._merging.profiles, policy=self._merging.policy)
            for found in await self._ask(stage, replace(query, known=known)):
                if isinstance(found, HintError):
                    raise InvalidInputError(str(found)) from found
                outcome, record = found
                outcomes.append(outcome)
                if record is not None:
                    records.append(record)
        if not records:
            return _nothing(query, outcomes)
        album = await insert_album(self._store, records, merging=self._merging)
        try:
            await self._stored()
        except Exception:
            # The album is stored; caches forget it by themselves a little later.
            log.exception("caches could not be emptied", album=query.album, artist=query.artist)
        unfinished = [o for o in outcomes if o.outcome in _UNFINISHED]
        return IngestReport(
            album=query.album,
            artist=query.artist,
            result=IngestResult.PARTIAL if unfinished else IngestResult.COMPLETE,
            detail="; ".join(f"{o.source}: {o.outcome}" for o in unfinished),
            album_id=album.id,
            sources=tuple(outcomes),
        )

    async def _ask(self, stage: Stage, query: AlbumQuery) -> list[_Answer | HintError]:
        asked = [a for a in self._asked if a.source.profile.stage == stage and _is_wanted(a.source.profile.name, query)]
        return await asyncio.gather(*(_ask_one(a, query) for a in asked))


def _is_wanted(source: str, query: AlbumQuery) -> bool:
    """Whether a source is asked: all are, unless the hint `sources` names those that are."""
    only = query.hints.get(SOURCES_HINT)
    return only is None or source in only.split(",")


_Answer: TypeAlias = tuple[SourceOutcome, SourceRecord | None]


async def _ask_one(asked: Asked, query: AlbumQuery) -> _Answer | HintError:
    """Ask one source; whatever breaks in it stays in it. What the caller did wrong is handed on when all have answered."""
    source, profile = asked.source, asked.source.profile
    started = time.perf_counter()
    reason = source.unconfigured()
    if reason is not None:
        return SourceOutcome(source=profile.name, outcome=Outcome.UNCONFIGURED, detail=reason), None
    if asked.full is not None and (reason := await asked.full(profile.name)) is not None:
        return SourceOutcome(source=profile.name, outcome=Outcome.BLOCKED, detail=reason), None
    try:
        album = source.normalise(await source.fetch(query, asked.transport))
        if query.known is not None and not profile.stand_in:
            album = verify(query.known, album, source=profile.name, hint=profile.hint)
    except HintError as problem:
        return problem
    except SourceError as problem:
        outcome = _outcome(profile.name, problem)
    except Exception as problem:
        log.exception("source broke", source=profile.name, album=query.album, artist=query.artist)
        detail = f"internal error ({type(problem).__name__}); the log has the details"
        outcome = SourceOutcome(source=profile.name, outcome=Outcome.FAILED, detail=detail)
    else:
        record = SourceRecord(source=profile.name, rights=profile.rights, fetched_at=datetime.now(UTC), album=album)
        outcome = SourceOutcome(source=profile.name, outcome=Outcome.OK, tracks=len(album.tracks))
        return replace(outcome, seconds=time.perf_counter() - started), record
    # What was never configured would be said once per album.
    say = log.debug if outcome.outcome is Outcome.UNCONFIGURED else log.info
    say(
        "source gave nothing",
        source=profile.name, outcome=outcome.outcome, detail=outcome.detail, album=query.album, artist=query.artist,
    )  # fmt: skip
    return replace(outcome, seconds=time.perf_counter() - started), None


def _outcome(source: str, problem: SourceError) -> SourceOutcome:
    outcome = next((_OUTCOMES[c] for c in type(problem).__mro__ if c in _OUTCOMES), Outcome.FAILED)
    retry_at = None
    if isinstance(problem, ThrottledError):
        retry_at = problem.until
    elif isinstance(problem, RateLimitedError) and problem.retry_after is not None:
        retry_at = datetime.now(UTC) + timedelta(seconds=problem.retry_after)
    candidates = tuple(problem.candidates) if isinstance(problem, RecordNotFoundError | AmbiguousError) else ()
    return SourceOutcome(source=source, outcome=outcome, detail=str(problem), retry_at=retry_at, candidates=candidates)


def _nothing(query: AlbumQuery, outcomes: Sequence[SourceOutcome]) -> IngestReport:
    """The report of an album of which nothing was found out: because it is not there, or because nobody could say."""
    said = {o.outcome for o in outcomes}
    answered = said - {Outcome.UNCONFIGURED}
    if Outcome.AMBIGUOUS in said:
        result = IngestResult.AMBIGUOUS
    elif answered == {Outcome.NOT_FOUND}:
        result = IngestResult.NOT_FOUND
    else:
        result = IngestResult.FAILED
    detail = "; ".join(f"{o.source}: {o.detail or o.outcome}" for o in outcomes if o.outcome != Outcome.UNCONFIGURED)
    return IngestReport(
        album=query.album,
        artist=query.artist,
        result=result,
        detail=detail or "no source is configured; set a provider's key or TENSOE_DEMO=on",
        sources=tuple(outcomes),
    )
