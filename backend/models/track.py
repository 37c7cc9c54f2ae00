"""The promised table `enhanced_tracks`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import Boolean, Computed, Date, ForeignKey, Index, Integer, SmallInteger, Text, func, text
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, REAL, TIMESTAMP
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.database import Base


def _feature(name: str) -> Computed:
    # STORED REAL columns read 10 to 15 times faster than JSONB (docs/design, section 5).
    return Computed(f"(audio_features->>'{name}')::real", persisted=True)


def _tag_indexes(table: str) -> tuple[Index, ...]:
    return tuple(Index(f"ix_{table}_{tags}", tags, postgresql_using="gin") for tags in ("genres", "moods"))


def _indexes(table: str) -> tuple[Index, ...]:
    plain = (Index(f"ix_{table}_{column}", column) for column in ("album_id", "release_year"))
    # Rows without such an identifier, or alone of their recording, are most of them and need no entry.
    known = (
        Index(f"ix_{table}_{column}", column, postgresql_where=text(f"{column} IS NOT NULL"))
        for column in ("isrc", "recording_mbid", "recording_key")
    )
    shared = Index(f"ix_{table}_recording_id", "recording_id", postgresql_where=text("recording_id <> id"))
    # For finding titles as they are typed (repositories.track_search).
    title = Index(f"ix_{table}_title", text("lower(title) gin_trgm_ops"), postgresql_using="gin")
    return (*plain, *known, shared, title, Index(f"ix_{table}_artist", text("lower(artist)")))


class TrackColumns:
    """The columns of a track, the same at every level of rights."""

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    title: Mapped[str] = mapped_column(Text)
    artist: Mapped[str] = mapped_column(Text)
    album: Mapped[str | None] = mapped_column(Text)
    genres: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    moods: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    audio_features: Mapped[dict[str, float] | None] = mapped_column(JSONB)
    popularity: Mapped[int | None] = mapped_column(Integer)
    duration_ms: Mapped[int | None] = mapped_column(Integer)
    track_number: Mapped[int | None] = mapped_column(Integer)
    release_date: Mapped[date | None] = mapped_column(Date)
    aoty_score: Mapped[float | None] = mapped_column(REAL)  # the album's user score on Album of the Year, 0..100
    explicit: Mapped[bool | None] = mapped_column(Boolean)
    created_at: Mapped[datetime | None] = mapped_column(TIMESTAMP, server_default=func.now())
    updated_at: Mapped[datetime | None] = mapped_column(TIMESTAMP, server_default=func.now())
    # Ours besides the promised columns.
    disc_number: Mapped[int | None] = mapped_column(SmallInteger)
    aoty_critic_score: Mapped[float | None] = mapped_column(REAL)
    rating: Mapped[float | None] = mapped_column(REAL)  # the track's own, 0..100
    listeners: Mapped[int | None] = mapped_column(Integer)
    isrc: Mapped[str | None] = mapped_column(Text)
    spotify_id: Mapped[str | None] = mapped_column(Text)
    recording_id: Mapped[str | None] = mapped_column(Text)  # the same on every album that the recording appears on
    recording_mbid: Mapped[str | None] = mapped_column(Text)
    recording_key: Mapped[str | None] = mapped_column(Text)  # first artist and title, folded, of every edition
    tag_weights: Mapped[dict[str, Any]] = mapped_column(
        JSONB, server_default=text("'{}'::jsonb")
    )  # name: [0..1, level]
    mood_valence: Mapped[float | None] = mapped_column(REAL)  # -1..1, of its moods
    mood_arousal: Mapped[float | None] = mapped_column(REAL)  # -1..1
    estimates: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))  # feature: [low, high]
    provenance: Mapped[dict[str, Any]] = mapped_column(JSONB, server_default=text("'{}'::jsonb"))
    synthetic: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))
    release_year: Mapped[int | None] = mapped_column(
        SmallInteger, Computed("EXTRACT(year FROM release_date)::smallint", persisted=True)
    )
    acousticness: Mapped[float | None] = mapped_column(REAL, _feature("acousticness"))
    danceability: Mapped[float | None] = mapped_column(REAL, _feature("danceability"))
    energy: Mapped[float | None] = mapped_column(REAL, _feature("energy"))
    instrumentalness: Mapped[float | None] = mapped_column(REAL, _feature("instrumentalness"))
    liveness: Mapped[float | None] = mapped_column(REAL, _feature("liveness"))
    loudness: Mapped[float | None] = mapped_column(REAL, _feature("loudness"))
    speechiness: Mapped[float | None] = mapped_column(REAL, _feature("speechiness"))
    tempo: Mapped[float | None] = mapped_column(REAL, _feature("tempo"))
    valence: Mapped[float | None] = mapped_column(REAL, _feature("valence"))
    key: Mapped[float | None] = mapped_column(REAL, _feature("key"))
    mode: Mapped[float | None] = mapped_column(REAL, _feature("mode"))
    time_signature: Mapped[float | None] = mapped_column(REAL, _feature("time_signature"))


class TrackRow(TrackColumns, Base):
    """A track of an album: the merged truth of what all sources said of it."""

    __tablename__ = "enhanced_tracks"

    album_id: Mapped[str | None] = mapped_column(Text, ForeignKey("albums.id", ondelete="CASCADE"))

    __table_args__ = (
        Index("idx_tracks_genres", "genres", postgresql_using="gin"),
        Index("idx_tracks_moods", "moods", postgresql_using="gin"),
        *_indexes("enhanced_tracks"),
    )


class NoncommercialTrackRow(TrackColumns, Base):
    """The same from the sources alone whose values are free for non-commercial use."""

    __tablename__ = "tracks_noncommercial"

    album_id: Mapped[str] = mapped_column(Text, ForeignKey("albums_noncommercial.id", ondelete="CASCADE"))

    __table_args__ = (*_tag_indexes("tracks_noncommercial"), *_indexes("tracks_noncommercial"))


class OpenTrackRow(TrackColumns, Base):
    """The same from open sources alone."""

    __tablename__ = "tracks_open"

    album_id: Mapped[str] = mapped_column(Text, ForeignKey("albums_open.id", ondelete="CASCADE"))

    __table_args__ = (*_tag_indexes("tracks_open"), *_indexes("tracks_open"))
