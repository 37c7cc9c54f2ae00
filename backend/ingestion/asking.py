"""Asking one source for one album: whatever breaks in it stays in it, and comes out as an outcome."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import structlog

from backend.ingestion.judge import verify
from backend.ingestion.source import STAGES, Source, SourceProfile
from backend.ingestion.tally import counted
from backend.ingestion.told import told
from backend.ingestion.transport import Transport
from backend.models.ingestion_models import AlbumQuery, Outcome, SourceOutcome, SourceRecord
from backend.utils.errors import (
    AmbiguousError,
    BlockedError,
    BusyError,
    DatabaseError,
    HintError,
    RateLimitedError,
    RecordNotFoundError,
    SourceError,
    ThrottledError,
    TransientError,
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

SOURCES_HINT: Final = "sources"
"""The key of `AlbumQuery.hints` that names the sources to ask, joined by commas."""


@dataclass(frozen=True, slots=True)
class Asked:
    """A source together with the transport it is asked through.

    `full` says why nothing more of a source's may be stored, by its name, or None while it may. `profile` is the source's, which
    it makes anew each time it is asked for it; the order of an album's steps asks hundreds of times.
    """

    source: Source
    transport: Transport
    full: Callable[[str], Awaitable[str | None]] | None = None
    profile: SourceProfile = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "profile", self.source.profile)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came of asking a source.

    Attributes:
        outcome: for people and for the album's result.
        record: what it said; None where it gave nothing.
        passing: it failed of something that may pass by itself, such as a fault of the service.
        hint: what is wrong with a page or an address that the caller gave for it.
        calls: requests that were sent for it.
    """

    outcome: SourceOutcome
    record: SourceRecord | None = None
    passing: bool = False
    hint: HintError | None = None
    calls: int = 0


Stages: TypeAlias = tuple[tuple[str, ...], ...]


def stages_of(asked: Sequence[Asked], query: AlbumQuery) -> Stages:
    """The names of the sources to ask, stage by stage: all, unless the hint `sources` names those that are."""
    only = query.hints.get(SOURCES_HINT)
    named = None if only is None else only.split(",")
    return tuple(
        tuple(name for a in asked if a.profile.stage == stage and ((name := a.profile.name) in (named or (name,))))
        for stage in STAGES
    )


async def ask(asked: Asked, query: AlbumQuery) -> Answer:
    """Ask one source.

    Raises:
        DatabaseError, BusyError: what is shared of its budget or memory cannot be reached; it says nothing of the source.
    """
    source, profile = asked.source, asked.profile
    started = time.perf_counter()
    reason = source.unconfigured()
    if reason is not None:
        return _without(profile.name, Outcome.UNCONFIGURED, reason)
    if asked.full is not None and (reason := await asked.full(profile.name)) is not None:
        return _without(profile.name, Outcome.BLOCKED, reason)
    passing, hint = False, None
    try:
        with counted() as tally:
            album = await told(source, query, asked.transport)
        if query.known is not None and not profile.stand_in:
            album = verify(query.known, album, source=profile.name, hint=profile.hint)
    except (DatabaseError, BusyError):
        raise
    except SourceError as problem:
        outcome = _outcome(profile.name, problem)
        passing = isinstance(problem, TransientError)
        hint = problem if isinstance(problem, HintError) else None
    except Exception as problem:
        log.exception("source broke", source=profile.name, album=query.album, artist=query.artist)
        detail = f"internal error ({type(problem).__name__}); the log has the details"
        outcome = SourceOutcome(source=profile.name, outcome=Outcome.FAILED, detail=detail)
    else:
        record = SourceRecord(source=profile.name, rights=profile.rights, fetched_at=datetime.now(UTC), album=album)
        outcome = SourceOutcome(source=profile.name, outcome=Outcome.OK, tracks=len(album.tracks))
        outcome = replace(outcome, seconds=time.perf_counter() - started)
        return Answer(outcome=outcome, record=record, calls=tally.calls)
    # What was never configured would be said once per album.
    say = log.debug if outcome.outcome is Outcome.UNCONFIGURED else log.info
    say(
        "source gave nothing",
        source=profile.name, outcome=outcome.outcome, detail=outcome.detail, album=query.album, artist=query.artist,
    )  # fmt: skip
    outcome = replace(outcome, seconds=time.perf_counter() - started)
    return Answer(outcome=outcome, passing=passing, hint=hint, calls=tally.calls)


def _without(source: str, outcome: Outcome, reason: str) -> Answer:
    return Answer(outcome=SourceOutcome(source=source, outcome=outcome, detail=reason))


def _outcome(source: str, problem: SourceError) -> SourceOutcome:
    outcome = next((_OUTCOMES[c] for c in type(problem).__mro__ if c in _OUTCOMES), Outcome.FAILED)
    retry_at = None
    if isinstance(problem, ThrottledError):
        retry_at = problem.until
    elif isinstance(problem, RateLimitedError) and problem.retry_after is not None:
        retry_at = datetime.now(UTC) + timedelta(seconds=problem.retry_after)
    candidates = tuple(problem.candidates) if isinstance(problem, RecordNotFoundError | AmbiguousError) else ()
    return SourceOutcome(source=source, outcome=outcome, detail=str(problem), retry_at=retry_at, candidates=candidates)
