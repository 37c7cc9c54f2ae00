"""The tables of albums and of what other services call them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.database import Base, Instant

_TRIGRAMS: Final = {"title_key": "gin_trgm_ops", "artist_key": "gin_trgm_ops"}


def _indexes(table: str) -> tuple[Index, ...]:
    return (
        Index(f"ix_{table}_artist_key_title_key", "artist_key", "title_key"),
        Index(f"ix_{table}_artist_id", "artist_id"),
        Index(f"ix_{table}_release_date", "release_date"),
        Index(f"ix_{table}_genres", "genres", postgresql_using="gin"),
        Index(f"ix_{table}_names", "title_key", "artist_key", postgresql_using="gin", postgresql_ops=_TRIGRAMS),
    )


class AlbumColumns:
    """The columns of an album, the same at every level of rights."""

    title: Mapped[str] = mapped_column(Text)
    artist: Mapped[str] = mapped_column(Text)
    title_key: Mapped[str] = mapped_column(Text)  # folded
    artist_key: Mapped[str] = mapped_column(Text)  # folded
    release_date: Mapped[date | None] = mapped_column(Date)  # first day of the month or year when less is known
    release_precision: Mapped[str | None] = mapped_column(Text)  # day | month | year
    label: Mapped[str | None] = mapped_column(Text)
    upc: Mapped[str | None] = mapped_column(Text)
    total_tracks: Mapped[int] = mapped_column(Integer)
    popularity: Mapped[int | None] = mapped_column(Integer)
    listeners: Mapped[int | None] = mapped_column(Integer)
    aoty_critic_score: Mapped[float | None] = mapped_column(REAL)
    aoty_critic_count: Mapped[int | None] = mapped_column(Integer)
    aoty_user_score: Mapped[float | None] = mapped_column(REAL)
    aoty_user_count: Mapped[int | None] = mapped_column(Integer)
    genres: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    moods: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'::text[]"))
    ids: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    provenance: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    synthetic: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())


class AlbumRow(AlbumColumns, Base):
    """An album: the merged truth of what all sources said of it."""

    __tablename__ = "albums"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    artist_id: Mapped[str] = mapped_column(Text, ForeignKey("artists.id"))

    __table_args__ = _indexes("albums")


class NoncommercialAlbumRow(AlbumColumns, Base):
    """The same from the sources alone whose values are free for non-commercial use."""

    __tablename__ = "albums_noncommercial"

    id: Mapped[str] = mapped_column(Text, ForeignKey("albums.id", ondelete="CASCADE"), primary_key=True)
    artist_id: Mapped[str] = mapped_column(Text)  # of the name at this level, which may be spelt another way

    __table_args__ = _indexes("albums_noncommercial")


class OpenAlbumRow(AlbumColumns, Base):
    """The same from open sources alone."""

    __tablename__ = "albums_open"

    id: Mapped[str] = mapped_column(Text, ForeignKey("albums.id", ondelete="CASCADE"), primary_key=True)
    artist_id: Mapped[str] = mapped_column(Text)

    __table_args__ = _indexes("albums_open")


class AlbumIdentifierRow(Base):
    """What a service calls an album; one album may have several there (editions are albums of their own)."""

    __tablename__ = "album_identifiers"

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    album_id: Mapped[str] = mapped_column(Text, ForeignKey("albums.id", ondelete="CASCADE"))

    __table_args__ = (Index("ix_album_identifiers_album_id", "album_id"),)
