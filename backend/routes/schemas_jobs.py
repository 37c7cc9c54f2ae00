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
