"""What HTTP takes and answers of albums that a person must decide on."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import Field

from backend.models.ingestion_models import Outcome
from backend.models.results import IngestResult
from backend.routes.schemas import Schema
from backend.routes.schemas_ingestion import SourceOutcome

Text = Annotated[str, Field(min_length=1, max_length=2_000, pattern=r"^[^\x00]+$")]


class Candidate(Schema):
    """An album that a source offers."""

    source: str = Field(examples=["spotify"])
    hint: str
    """By which the source is told to take exactly this one; empty when it cannot be told."""
    id: str
    title: str
    artist: str
    year: int | None = None
    total_tracks: int | None = None
    score: float = Field(ge=0, le=1)
    penalties: dict[str, float] = Field(examples=[{"title": 0.2, "edition": 0.09}])
    """What speaks against it, by name; they add up to 1 - score."""


class Unmatched(Schema):
    """An album asked for that a source offers several of, or none near enough."""

    id: int
    album: str
    artist: str
    source: str
    outcome: Outcome
    detail: str
    candidates: list[Candidate]
    """Nearest first."""
    album_id: str | None = None
    """The album as stored from other sources."""
    asked_at: datetime


class UnmatchedPage(Schema):
    """What is open, the latest first."""

    count: int
    total: int | None
    next_cursor: str | None
    data: list[Unmatched]


class MatchRequest(Schema):
    """The candidate that is the album asked for."""

    source: Text = Field(examples=["spotify"])
    id: Text


class MatchAnswer(Schema):
    """What became of ingesting the album again."""

    result: IngestResult
    detail: str = ""
    album_id: str | None
    album: str
    artist: str
    sources: list[SourceOutcome]
