"""An album's steps, as those who plan, keep and take them see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from backend.models.ingestion_models import AlbumQuery, Outcome, SourceOutcome, SourceRecord

StepState = Literal["queued", "parked", "done"]


@dataclass(frozen=True, slots=True)
class StepView:
    """How asking one source for an album stands."""

    state: StepState
    outcome: Outcome | None = None
    round: int = 0  # how often it was parked


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """What is to be done for an album next.

    Attributes:
        ask: sources to ask now.
        settled: sources that need not be asked, with why.
        store: nothing more can be asked for the time being.
    """

    ask: tuple[str, ...] = ()
    settled: tuple[SourceOutcome, ...] = ()
    store: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A step that a worker has begun: asking a source for an album.

    Attributes:
        job_id: its job.
        position: its album's place in the job's list.
        source: who is asked.
        round: how often it was parked before; with the three above it names this very try.
        attempts: how often it was begun in this round; more than once when workers died of it, or at it.
        failures: how often it failed of something that may pass.
        paused: its job takes a rest: it is not to be asked now.
        query: the album, without what is known of it.
        records: what the other sources gave so far.
    """

    job_id: str
    position: int
    source: str
    round: int
    attempts: int
    failures: int
    paused: bool
    query: AlbumQuery
    records: tuple[SourceRecord, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StepEnd:
    """How a step ended.

    Attributes:
        outcome: how the source answered.
        record: what it gave; None where it gave nothing.
        park_until: ask again from then on (UTC); None when it is done.
        failed: it failed of something that may pass.
        calls: requests that were sent for it.
    """

    outcome: SourceOutcome
    record: SourceRecord | None = None
    park_until: datetime | None = None
    failed: bool = False
    calls: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """An album whose sources have been asked, to be stored by the worker who has begun that.

    Attributes:
        job_id: its job.
        position: its place in the job's list.
        round: how often it was to be stored; with the two above it names this very try.
        attempts: how often storing was begun in this round.
        query: the album.
        outcomes: how each source answered.
        records: what they gave.
        album_id: the album as stored before; None when it was not.
    """

    job_id: str
    position: int
    round: int
    attempts: int
    query: AlbumQuery
    outcomes: tuple[SourceOutcome, ...]
    records: tuple[SourceRecord, ...] = ()
    album_id: str | None = None
