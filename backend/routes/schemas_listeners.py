"""What HTTP answers of listening histories."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from backend.routes.schemas import Schema


class HistoryFile(Schema):
    """What a file gave."""

    file: str = Field(examples=["my_spotify_data.zip/Streaming_History_Audio_2019_1.json"])
    form: str = Field(examples=["Spotify extended streaming history"])
    """What it was recognised as, by its content."""
    rows: int
    listens: int
    left_out: dict[str, int] = Field(examples=[{"not_music": 12, "private": 3}])
    """Rows that are no listens: not_music, private (heard in a private session), unnamed, undated (playing just then)."""
    broken: int
    """Rows that cannot be read."""


class BrokenRow(Schema):
    """A row that cannot be read."""

    file: str
    place: str = Field(examples=["line 7"])
    reason: str


class HistoryAnswer(Schema):
    """What became of an import."""

    listener: str = Field(examples=["me"])
    files: list[HistoryFile]
    passed_over: list[str]
    """Files inside archives that are no history."""
    broken: list[BrokenRow]
    """The first of them; the files' numbers count all."""
    listens: int
    """How many were read."""
    added: int
    """How many of them were new."""
    replaced: int
    """How many that were known to the minute are now known to the second."""
    elsewhere: dict[str, int]
    """How many were known already from which other source."""
    resolved: int
    """How many of the listener's were laid onto tracks of the catalogue now."""
    seconds: float


class HeardArtist(Schema):
    """An artist with how often a listener played him."""

    name: str = Field(examples=["The Beatles"])
    plays: int
    resolved: int
    """Of the plays, those whose track the catalogue has."""


class ListenerSummary(Schema):
    """What is stored of a listener."""

    listener: str = Field(examples=["me"])
    listens: int
    plays: int
    """Listens of 30 seconds or longer, or of unknown length."""
    tracks: int
    artists: int
    resolved: int
    """Of the listens, those whose track the catalogue has."""
    ms_played: int
    first: datetime
    last: datetime
    sources: dict[str, int]
    """How many listens each export gave."""
    top_artists: list[HeardArtist]
    consented_at: datetime | None
    """When the listener agreed to this being kept; null: imported before anybody was asked."""


class Listeners(Schema):
    """Everybody of whom listens are stored."""

    count: int
    data: list[ListenerSummary]
