"""What services take and answer: filters, pages, reports. Plain frozen dataclasses; HTTP schemas stand in `routes`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from backend.models.ingestion_models import MatchCandidate, Outcome, RightsLevel, SourceOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackFilter:
    """Which tracks: every condition that is set must hold; several genres or moods: any of them.

    Genres, moods and artist are compared in their folded spelling; `q` is looked for in title, artist and album. A track of which
    a field is unknown fits no condition on it.
    """

    genres: tuple[str, ...] = ()
    moods: tuple[str, ...] = ()
    artist: str | None = None
    album_id: str | None = None
    year_from: int | None = None
    year_to: int | None = None
    min_popularity: int | None = None
    max_popularity: int | None = None
    tempo_from: float | None = None  # BPM
    tempo_to: float | None = None
    min_user_score: float | None = None  # 0..100, of Album of the Year
    max_user_score: float | None = None
    min_critic_score: float | None = None
    max_critic_score: float | None = None
    explicit: bool | None = None
    seen: tuple[str, ...] = ()  # ids that are left out, with all other appearances of their recordings
    seen_by: str | None = None  # a listener whose whole history is left out likewise
    q: str | None = None
    synthetic: bool | None = None
    rights: RightsLevel = RightsLevel.ANY  # from which sources; see docs/rights.md
    estimates: bool = True  # whether estimated audio features count as known
    one_per_recording: bool = False  # of a recording on several albums only the earliest appearance
    after: str | None = None  # only ids behind this one: a listing that goes on
    until: str | None = None  # only ids up to this one, all of them: a page whose end was told before


@dataclass(frozen=True, slots=True, kw_only=True)
class AlbumFilter:
    """Which albums: every condition that is set must hold. Names are compared in their folded spelling.

    `q` is looked for in titles and artists and forgives misspelling.
    """

    q: str | None = None
    artist: str | None = None
    artist_id: str | None = None
    genre: str | None = None
    mood: str | None = None
    label: str | None = None  # a part of it
    year_from: int | None = None
    year_to: int | None = None
    min_user_score: float | None = None  # 0..100
    min_critic_score: float | None = None  # 0..100
    synthetic: bool | None = None
    rights: RightsLevel = RightsLevel.ANY


class IngestResult(StrEnum):
    """How an album's ingestion ended as a whole."""

    COMPLETE = "complete"  # every source that could be asked gave what it has
    PARTIAL = "partial"  # stored, but a source was blocked, throttled or failed
    AMBIGUOUS = "ambiguous"  # nothing stored: several albums fit, none clearly
    NOT_FOUND = "not_found"  # every source that could be asked knows no such album
    BLOCKED = "blocked"  # nothing stored: those who might know it keep us out
    THROTTLED = "throttled"  # nothing stored yet: those who might know it have a limit that holds for longer
    FAILED = "failed"  # nothing stored, and not because it is not there
    CANCELLED = "cancelled"  # its job was called off before it was done


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """One album's ingestion: what was asked for, what became of it, and how each source answered."""

    album: str
    artist: str
    result: IngestResult
    detail: str = ""
    album_id: str | None = None
    sources: tuple[SourceOutcome, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Unmatched:
    """An album asked for that a source offers several of, or none near enough: a person decides."""

    id: int
    album: str
    artist: str
    source: str
    outcome: Outcome  # ambiguous | not_found
    detail: str
    candidates: tuple[MatchCandidate, ...]  # nearest first
    album_id: str | None  # the album as stored from other sources
    asked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class JobItem:
    """One album of a job as it stands."""

    position: int
    album: str
    artist: str
    state: str  # queued | running | storing | waiting (a source is asked again later) | done
    result: IngestResult | None
    detail: str | None
    album_id: str | None
    sources: tuple[SourceOutcome, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class JobStatus:
    """A job as it stands; counts by state and, for what is done, by result."""

    id: str
    created_at: datetime
    finished_at: datetime | None
    total: int
    counts: dict[str, int]
    kind: str = "ingest"  # ingest | retry | refresh
    state: str = "open"  # open | paused | cancelled | finished
    priority: int = 0  # -100..100, the highest first
    items: tuple[JobItem, ...] = ()  # the page asked for


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFailure:
    """Why a source gave nothing for an album that failed, and how often it was tried."""

    source: str
    outcome: Outcome
    detail: str
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadLetter:
    """An album that failed and that nobody has taken up again."""

    job_id: str
    position: int
    album: str
    artist: str
    detail: str
    finished_at: datetime
    sources: tuple[SourceFailure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A page of rows in a stable order, and the cursor of the next one (None at the end)."""

    items: list[dict[str, Any]]
    next_cursor: str | None
    total: int | None = None
