"""What HTTP answers of a job that is followed, of its report, and of a plan."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from backend.models.ingestion_models import Outcome
from backend.models.results import IngestResult
from backend.routes.schemas import Schema


class SourceProgress(Schema):
    """How far a source is with a job."""

    source: str
    total: int
    """Albums that it is to be asked for."""
    queued: int
    parked: int
    """To be asked again later."""
    done: dict[Outcome, int]
    rate: float | None = None
    """Requests a second over the last minute, of all jobs."""
    allowed: float | None = None
    """Requests a second that it may be asked now."""
    expected_end: datetime | None = None
    parked_until: datetime | None = None
    reason: str = ""


class ProgressEvent(Schema):
    """How far a job is."""

    id: str
    kind: str
    state: str = Field(examples=["open", "paused", "cancelled", "finished"])
    total: int
    counts: dict[str, int]
    sources: list[SourceProgress]
    expected_end: datetime | None = None
    waits_until: datetime | None = None
    """Everything that is left is parked until then."""


class ReportSource(Schema):
    """How a source answered for an album."""

    source: str
    outcome: Outcome
    detail: str = ""
    retry_at: datetime | None = None
    missing: list[str] = Field(default_factory=list)
    """Fields that it might have given and that nobody gave."""


class ReportAlbum(Schema):
    """What became of an album."""

    position: int
    album: str
    artist: str
    state: str
    result: IngestResult | None
    detail: str
    album_id: str | None
    parked_until: datetime | None
    retried_by: str | None
    """The job that took it up again."""
    sources: list[ReportSource]


class Report(Schema):
    """A job's albums, each with what became of it and why."""

    id: str
    kind: str
    state: str
    created_at: datetime
    finished_at: datetime | None
    total: int
    counts: dict[str, int]
    albums: list[ReportAlbum]


class SourcePlan(Schema):
    """What a list takes of one source."""

    source: str
    unconfigured: str | None
    """Why it is not asked; null when it is."""
    albums: int
    calls_per_album: float
    measured: bool
    """Whether that was counted here in the last day, or is what it usually takes."""
    calls: int
    rate: float
    """Requests a second that it may be asked."""
    quota: int | None
    """Requests in 24 hours, where a refusal taught it."""
    left_today: int | None
    seconds: float
    """Until it is through, if nobody else asks it; what it is parked for included."""
    expected_end: datetime | None
    parked_until: datetime | None
    reason: str


class Plan(Schema):
    """What a list would take; nothing was asked or stored."""

    total: int
    duplicates: int
    """Of the list, albums that stand in it before, in another spelling perhaps."""
    new: int
    fresh: int
    stale: int
    """Stored, and what a source said is older than it is good for."""
    sources: list[SourcePlan]
    seconds: float
    expected_end: datetime
    slowest: str | None
