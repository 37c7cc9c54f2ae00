"""The table of what listeners heard, by their own exports. Personal: not part of the catalogue, at no level of rights."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BigInteger, Boolean, ForeignKey, Identity, Index, Integer, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.database import Base, Instant


class ListenerConsentRow(Base):
    """That a listener agreed to his history being kept. Without this row there are no listens of his."""

    __tablename__ = "listener_consents"

    listener: Mapped[str] = mapped_column(Text, primary_key=True)
    given_at: Mapped[datetime | None] = mapped_column(Instant)  # null: imported before anybody was asked


class ListenRow(Base):
    """A track that was heard at a time, as one export says it.

    The names stay as they were said. `track_id` is the catalogue's track, as far as one was found; a track that leaves the
    catalogue leaves its listens behind, and they can be resolved again.
    """

    __tablename__ = "listens"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    # A name that the user chose.
    listener: Mapped[str] = mapped_column(Text, ForeignKey("listener_consents.listener", ondelete="CASCADE"))
    source: Mapped[str] = mapped_column(Text)
    listened_at: Mapped[datetime] = mapped_column(Instant)  # when it began
    to_the_minute: Mapped[bool] = mapped_column(Boolean, server_default=text("false"))  # its end was said so, no finer
    track: Mapped[str] = mapped_column(Text)
    artist: Mapped[str] = mapped_column(Text)
    album: Mapped[str | None] = mapped_column(Text)
    track_key: Mapped[str] = mapped_column(Text)  # as `enhanced_tracks.recording_key`
    artist_key: Mapped[str] = mapped_column(Text)  # folded
    album_key: Mapped[str] = mapped_column(Text, server_default="")  # folded
    spotify_id: Mapped[str | None] = mapped_column(Text)
    recording_mbid: Mapped[str | None] = mapped_column(Text)
    isrc: Mapped[str | None] = mapped_column(Text)
    ms_played: Mapped[int | None] = mapped_column(Integer)
    skipped: Mapped[bool | None] = mapped_column(Boolean)
    track_id: Mapped[str | None] = mapped_column(Text, ForeignKey("enhanced_tracks.id", ondelete="SET NULL"))

    __table_args__ = (
        # Twice the same is once, whichever export says it again.
        Index("uq_listens_heard", "listener", "source", "listened_at", "track_key", unique=True),
        Index("ix_listens_track_id", "track_id", postgresql_where=text("track_id IS NOT NULL")),
        Index("ix_listens_to_the_minute", "listener", "track_key", postgresql_where=text("to_the_minute")),
    )
