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
    url: str | None = None


class Top(Schema):
    """What a listener plays most, first the most."""

    user: str = Field(examples=["rj"])
    kind: str = Field(examples=["artists"])
    period: str = Field(examples=["overall"])
    count: int
    data: list[Played]


class Overview(Schema):
    """A listener's top artists, albums and tracks."""

    user: str
    period: str
    artists: list[Played]
    albums: list[Played]
    tracks: list[Played]


class TagShare(Schema):
    """A genre or mood with its share of the plays."""

    name: str
    share: float
    """0 to 1, of the plays of artists that the catalogue knows."""


class Profile(Schema):
    """What the catalogue knows of what a listener plays."""

    user: str
    period: str
    artists_played: int
    artists_known: int
    """Of them, those of whom an album is stored."""
    plays_known_share: float
    """Which share of the plays the profile rests on, 0 to 1."""
    tracks_known: int
    synthetic: bool
    """True: some of these values are made up (demo)."""
    genres: list[TagShare]
    moods: list[TagShare]
    audio_features: dict[str, float] = Field(examples=[{"energy": 0.61, "valence": 0.48}])
    """Means, weighted by plays."""
