"""What HTTP answers of listeners."""

from __future__ import annotations

from pydantic import Field

from backend.routes.schemas import Schema


class Played(Schema):
    """An artist, album or track with how often it was played."""

    name: str = Field(examples=["Abbey Road"])
    artist: str | None = Field(default=None, examples=["The Beatles"])
    """Of an album or track."""
    plays: int
    rank: int | None = None
    mbid: str | None = None
    """Of a track at ListenBrainz."""
    url: str | None = None


class Top(Schema):
    """What a listener plays most, first the most."""

    user: str = Field(examples=["rj"])
    source: str = Field(examples=["lastfm"])
    kind: str = Field(examples=["artists"])
    period: str = Field(examples=["overall"])
    count: int
    data: list[Played]


class Overview(Schema):
    """A listener's top artists, albums and tracks."""

    user: str
    source: str
    period: str
    artists: list[Played]
    albums: list[Played]
    tracks: list[Played]
