"""The tables of jobs: lists of albums, each album's steps source by source, and the budgets that all workers share."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB, REAL
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.database import Base, Instant


class IngestJobRow(Base):
    """A list of albums that someone asked for."""

    __tablename__ = "ingest_jobs"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    kind: Mapped[str] = mapped_column(Text, server_default="ingest")  # ingest | retry | refresh
    state: Mapped[str] = mapped_column(Text, server_default="open")  # open | paused | cancelled
    priority: Mapped[int] = mapped_column(SmallInteger, server_default="0")  # -100..100, the highest first
    # Where its next album stands in the order of all jobs (start-time fair queueing); null until its first one is begun.
    place: Mapped[int | None] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    total: Mapped[int] = mapped_column(Integer)
    # The trace that it was asked for in (W3C Trace Context); its steps are traced there, too.
    traceparent: Mapped[str | None] = mapped_column(Text)

    __table_args__ = (Index("ix_ingest_jobs_open", "id", postgresql_where=text("finished_at IS NULL")),)


class IngestItemRow(Base):
    """One album of a job.

    queued: not begun. running: sources are being asked. storing: all that can be asked now have been. waiting: stored as far as
    it is known, a source is asked again later. done.
    """

    __tablename__ = "ingest_items"

    job_id: Mapped[str] = mapped_column(Text, ForeignKey("ingest_jobs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    album: Mapped[str] = mapped_column(Text)
    artist: Mapped[str] = mapped_column(Text)
    hints: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    state: Mapped[str] = mapped_column(Text, server_default="queued")  # queued | running | storing | waiting | done
    place: Mapped[int | None] = mapped_column(BigInteger)  # in the order of all jobs
    round: Mapped[int] = mapped_column(Integer, server_default="0")  # how often it was to be stored
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")  # to store it this time
    result: Mapped[str | None] = mapped_column(Text)  # see models.results.IngestResult
    detail: Mapped[str | None] = mapped_column(Text)
    album_id: Mapped[str | None] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(Instant)
    retried_by: Mapped[str | None] = mapped_column(Text)  # the job that took it up again after it had not ended well

    __table_args__ = (
        Index("ix_ingest_items_queued", "job_id", "position", postgresql_where=text("state = 'queued'")),
        Index("ix_ingest_items_open", "job_id", "position", postgresql_where=text("state <> 'done'")),
        Index("ix_ingest_items_begun", "changed_at", postgresql_where=text("state IN ('running', 'storing')")),
        Index(
            "ix_ingest_items_dead",
            "finished_at",
            "job_id",
            "position",
            postgresql_where=text("state = 'done' AND result = 'failed' AND retried_by IS NULL"),
        ),
    )


class IngestStepRow(Base):
    """Asking one source for one album.

    queued: to be asked. parked: to be asked again, from `not_before` on, or when its job is resumed where that is null. done:
    `outcome` says how it ended. `record` is what it gave, until the album is done.
    """

    __tablename__ = "ingest_steps"

    job_id: Mapped[str] = mapped_column(Text, ForeignKey("ingest_jobs.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(Integer, primary_key=True)
    source: Mapped[str] = mapped_column(Text, primary_key=True)
    state: Mapped[str] = mapped_column(Text, server_default="queued")  # queued | parked | done
    round: Mapped[int] = mapped_column(Integer, server_default="0")  # how often it was parked
    failures: Mapped[int] = mapped_column(Integer, server_default="0")  # tries that ended with a fault
    attempts: Mapped[int] = mapped_column(Integer, server_default="0")  # begun in this round
    not_before: Mapped[datetime | None] = mapped_column(Instant)
    outcome: Mapped[str | None] = mapped_column(Text)  # see models.ingestion_models.Outcome
    detail: Mapped[str] = mapped_column(Text, server_default="")
    tracks: Mapped[int] = mapped_column(Integer, server_default="0")
    seconds: Mapped[float] = mapped_column(REAL, server_default="0")
    calls: Mapped[int] = mapped_column(Integer, server_default="0")
    record: Mapped[str | None] = mapped_column(Text)  # JSON that nobody asks the database about
    candidates: Mapped[str | None] = mapped_column(Text)  # likewise
    at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())

    __table_args__ = (
        Index("ix_ingest_steps_source", "source", "at"),
        Index("ix_ingest_steps_parked", "job_id", "not_before", postgresql_where=text("state = 'parked'")),
    )


class SourceBudgetRow(Base):
    """How fast something may be asked, held by all workers together: a source, or a group of its endpoints."""

    __tablename__ = "source_budgets"

    key: Mapped[str] = mapped_column(Text, primary_key=True)  # "musicbrainz", "spotify/albums@<account>"
    allowed: Mapped[float | None] = mapped_column(REAL)  # requests a second by the settings; null: counted only
    rate: Mapped[float | None] = mapped_column(REAL)  # requests a second as refusals have taught, at most `allowed`
    next_at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())  # the next request's turn
    parked_until: Mapped[datetime | None] = mapped_column(Instant)
    reason: Mapped[str] = mapped_column(Text, server_default="")
    quota: Mapped[int | None] = mapped_column(Integer)  # requests in 24 hours, learnt from a refusal
    quota_at: Mapped[datetime | None] = mapped_column(Instant)
    granted: Mapped[int] = mapped_column(BigInteger, server_default="0")
    refused: Mapped[int] = mapped_column(BigInteger, server_default="0")
    refused_at: Mapped[datetime | None] = mapped_column(Instant)
    changed_at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())


class SourceCallsRow(Base):
    """Requests by ten minutes, for what has been used of a rolling day."""

    __tablename__ = "source_calls"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    since: Mapped[datetime] = mapped_column(Instant, primary_key=True)
    calls: Mapped[int] = mapped_column(Integer, server_default="0")
