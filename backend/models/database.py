"""The tables' common base, and the tables that hold origins."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    MetaData,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB, REAL, TIMESTAMP
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
}
Instant = TIMESTAMP(timezone=True)


class Base(DeclarativeBase):
    """The base of all tables; constraint names follow one pattern so that migrations can name them."""

    metadata = MetaData(naming_convention=_NAMES)


class SourceRecordRow(Base):
    """What a source said of an album, and from when to when. Nothing here is ever overwritten but `fetched_at`.

    The row with `valid_to IS NULL` is current. Asking again and getting the same moves `fetched_at` only; getting
    something else closes the row and opens a new one. `valid_*` are the moments of asking, `known_*` those of storing: what
    was asked for may wait for other sources, and rows are made of what is stored.
    """

    __tablename__ = "source_records"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    album_id: Mapped[str] = mapped_column(Text, ForeignKey("albums.id", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(Text)
    rights: Mapped[str] = mapped_column(Text)
    record: Mapped[dict[str, Any]] = mapped_column(JSONB)  # an AlbumRecord
    digest: Mapped[str] = mapped_column(Text)  # of the record, to tell a change
    match_method: Mapped[str] = mapped_column(Text)
    match_score: Mapped[float] = mapped_column(REAL)
    fetched_at: Mapped[datetime] = mapped_column(Instant)
    valid_from: Mapped[datetime] = mapped_column(Instant)
    valid_to: Mapped[datetime | None] = mapped_column(Instant)
    known_from: Mapped[datetime] = mapped_column(Instant, server_default=func.clock_timestamp())
    known_to: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        Index(
            "uq_source_records_current",
            "album_id",
            "source",
            unique=True,
            postgresql_where=text("valid_to IS NULL"),
        ),
        Index("ix_source_records_source", "source"),
        Index("ix_source_records_album", "album_id", "source"),  # the past too: for its end, and for removing albums
    )


class RemovalRow(Base):
    """Records that were taken out, so that who reads the past can be told what is missing from it."""

    __tablename__ = "removals"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    at: Mapped[datetime] = mapped_column(Instant, server_default=func.clock_timestamp())
    source: Mapped[str | None] = mapped_column(Text)  # that was purged; None: whole albums were removed
    albums: Mapped[int]
    records: Mapped[int]
    known_from: Mapped[datetime] = mapped_column(Instant)  # of the first of them


class SourceMemoryRow(Base):
    """What a source remembers from one album to the next: what its key may do, which identifiers it does not know."""

    __tablename__ = "source_memory"

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[Any] = mapped_column(JSONB)
    until: Mapped[datetime] = mapped_column(Instant)

    __table_args__ = (Index("ix_source_memory_until", "until"),)


class CatalogueStateRow(Base):
    """What holds for the catalogue as a whole, such as under which policy its rows were merged."""

    __tablename__ = "catalogue_state"

    key: Mapped[str] = mapped_column(Text, primary_key=True)
    value: Mapped[str] = mapped_column(Text)
    changed_at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())


class FeatureModelRow(Base):
    """The model that estimates missing audio features, one per level of rights: learnt from values of that level alone.

    The row with `replaced_at IS NULL` is in use; earlier ones are kept for reading the past. `model` is NULL where what it was
    learnt from was purged.
    """

    __tablename__ = "feature_models"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    rights: Mapped[str] = mapped_column(Text)
    digest: Mapped[str] = mapped_column(Text)
    model: Mapped[bytes | None] = mapped_column(LargeBinary)
    report: Mapped[dict[str, Any]] = mapped_column(JSONB)
    fitted_at: Mapped[datetime] = mapped_column(Instant, server_default=func.clock_timestamp())
    replaced_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        Index("uq_feature_models_current", "rights", unique=True, postgresql_where=text("replaced_at IS NULL")),
    )


class UnmatchedAlbumRow(Base):
    """An album asked for that a source offers several of, or none near enough: a person decides."""

    __tablename__ = "unmatched_albums"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    asked: Mapped[str] = mapped_column(Text)  # a digest of album and artist, which are too long for an index
    album: Mapped[str] = mapped_column(Text)
    artist: Mapped[str] = mapped_column(Text)
    source: Mapped[str] = mapped_column(Text)
    outcome: Mapped[str] = mapped_column(Text)  # ambiguous | not_found
    detail: Mapped[str] = mapped_column(Text, server_default="")
    candidates: Mapped[list[Any]] = mapped_column(JSONB)  # of MatchCandidate, nearest first
    album_id: Mapped[str | None] = mapped_column(
        Text, ForeignKey("albums.id", ondelete="CASCADE")
    )  # stored from others
    asked_at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())
    dismissed_at: Mapped[datetime | None] = mapped_column(Instant)

    __table_args__ = (
        Index("uq_unmatched_albums_asked", "asked", "source", unique=True),
        Index("ix_unmatched_albums_album_id", "album_id"),
    )
