"""The tables of albums and of what other services call them."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Date, ForeignKey, Index, Integer, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.database import Base, Instant


class AlbumRow(Base):
    """An album: the merged truth of its source records."""

    __tablename__ = "albums"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    artist: Mapped[str] = mapped_column(Text)
    artist_id: Mapped[str] = mapped_column(Text, ForeignKey("artists.id"))
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

    __table_args__ = (
        Index("ix_albums_artist_key_title_key", "artist_key", "title_key"),
        Index("ix_albums_artist_id", "artist_id"),
        Index("ix_albums_release_date", "release_date"),
        Index("ix_albums_genres", "genres", postgresql_using="gin"),
    )


class AlbumIdentifierRow(Base):
    """What a service calls an album; one album may have several there (editions are albums of their own)."""

    __tablename__ = "album_identifiers"

    source: Mapped[str] = mapped_column(Text, primary_key=True)
    external_id: Mapped[str] = mapped_column(Text, primary_key=True)
    album_id: Mapped[str] = mapped_column(Text, ForeignKey("albums.id", ondelete="CASCADE"))

    __table_args__ = (Index("ix_album_identifiers_album_id", "album_id"),)
