"""What became of a job's albums, and why."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from backend.models.ingestion_models import Outcome
from backend.models.results import IngestResult


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportSource:
    """How a source answered for an album.

    Attributes:
        source: its name.
        outcome: how asking it ended, or ended last.
        detail: why.
        retry_at: it is asked again from then on (UTC); None when it is not.
        missing: fields that it might have given and that nobody gave.
    """

    source: str
    outcome: Outcome
    detail: str = ""
    retry_at: datetime | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportAlbum:
    """What became of an album.

    Attributes:
        position: its place in the job's list.
        album: as asked for.
        artist: as asked for.
        state: queued | running | storing | waiting | done.
        result: None while it has none.
        detail: why.
        album_id: as stored.
        parked_until: the next source is asked again from then on (UTC).
        retried_by: the job that took it up again.
        sources: those that answered.
    """

    position: int
    album: str
    artist: str
    state: str
    result: IngestResult | None
    detail: str
    album_id: str | None
    parked_until: datetime | None
    retried_by: str | None
    sources: tuple[ReportSource, ...] = ()
