"""How far a job is, source by source, and what asking has cost so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class StepCounts:
    """A source's steps of a job.

    Attributes:
        done: by outcome.
        parked: to be asked again later.
        queued: begun and due.
        next_at: from when on the first parked one may be asked again (UTC); None where none is, or its job rests.
    """

    done: Mapping[str, int] = field(default_factory=dict)
    parked: int = 0
    queued: int = 0
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFigures:
    """A job's counts as read.

    Attributes:
        id: its id.
        kind: ingest | retry | refresh.
        state: open | paused | cancelled | finished.
        created_at: when it was asked for (UTC).
        finished_at: when it ended (UTC).
        total: albums.
        counts: albums by state and, for those done, by result.
        steps: by source.
    """

    id: str
    kind: str
    state: str
    created_at: datetime
    finished_at: datetime | None
    total: int
    counts: Mapping[str, int]
    steps: Mapping[str, StepCounts]


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceProgress:
    """How far a source is with a job.

    Attributes:
        source: its name.
        total: albums that it is to be asked for.
        queued: of these, not asked yet.
        parked: to be asked again later.
        done: those that ended, by outcome.
        rate: requests a second over the last minute, of all jobs; None when nobody looked long enough.
        allowed: requests a second that it may be asked now.
        expected_end: when it is through with this job at the allowed rate, if no other job asks it (UTC).
        parked_until: before then nothing may be asked of it (UTC).
        reason: why; what the source said.
    """

    source: str
    total: int
    queued: int
    parked: int
    done: Mapping[str, int]
    rate: float | None = None
    allowed: float | None = None
    expected_end: datetime | None = None
    parked_until: datetime | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobProgress:
    """How far a job is.

    Attributes:
        id: its id.
        kind: ingest | retry | refresh.
        state: open | paused | cancelled | finished.
        total: albums.
        counts: albums by state and, for those done, by result.
        sources: those that can be asked and have to do with it.
        expected_end: when it is done at the allowed rates, if no other job is in its way (UTC).
        waits_until: everything that is left is parked, and until then nothing happens (UTC).
    """

    id: str
    kind: str
    state: str
    total: int
    counts: Mapping[str, int]
    sources: tuple[SourceProgress, ...]
    expected_end: datetime | None = None
    waits_until: datetime | None = None

    @property
    def ended(self) -> bool:
        """Whether nothing more becomes of it."""
        return self.state in {"finished", "cancelled"}


@dataclass(frozen=True, slots=True, kw_only=True)
class CallFigures:
    """What asking a source has cost lately.

    Attributes:
        calls: requests.
        steps: albums that it was asked for with them.
    """

    calls: int
    steps: int
