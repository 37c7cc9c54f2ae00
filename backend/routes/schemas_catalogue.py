"""Forms of answers about artists, recordings, similar albums, and where values come from."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from pydantic import Field

from backend.routes.schemas import Schema, Track
from backend.routes.schemas_ingestion import SourceOutcome


class ArtistSummary(Schema):
    """An artist and how much there is."""

    id: str
    name: str = Field(examples=["The Beatles"])
    albums: int
    tracks: int
    synthetic: bool = False
    """True: an album of the artist's holds made-up values (demo)."""


class ArtistPage(Schema):
    """Artists in a stable order, and how to go on."""

    count: int
    next_cursor: str | None
    data: list[ArtistSummary]


class FoundTrack(Schema):
    """A track that a search found."""

    id: str
    title: str
    artist: str
    album: str | None
    album_id: str | None
    release_year: int | None
    duration_ms: int | None
    popularity: int | None
    synthetic: bool


class FoundAlbum(Schema):
    """An album that a search found."""

    id: str
    title: str
    artist: str
    artist_id: str
    release_date: date | None
    total_tracks: int
    synthetic: bool


class Found(Schema):
    """What is like what was typed, of each kind the nearest first."""

    q: str
    tracks: list[FoundTrack]
    albums: list[FoundAlbum]
    artists: list[ArtistSummary]


class Artist(ArtistSummary):
    """An artist in full."""

    first_year: int | None = None
    last_year: int | None = None
    genres: list[str] = Field(default_factory=list)
    """Of the tracks, the most frequent first."""
    moods: list[str] = Field(default_factory=list)
    audio_features: dict[str, float] = Field(default_factory=dict)
    """Means over the tracks of which each is known."""


class Recording(Schema):
    """A recording and the tracks that hold it."""

    recording_id: str
    count: int
    data: list[Track]


class SimilarGroup(Schema):
    """An album, or an artist, that sounds alike."""

    album_id: str | None
    album: str | None
    artist: str
    artist_id: str | None
    """As `/artists` names it; null for an artist without an album of their own."""
    score: float
    """The mean similarity over all pairs of tracks, up to 1."""
    contributions: dict[str, float]
    """Of sound (audio), time (year), genres and moods; they add up to the score."""
    example: dict[str, Any]
    """Its nearest track."""
    reasons: list[str]


class SimilarGroups(Schema):
    """The most similar first."""

    count: int
    data: list[SimilarGroup]


class Statement(Schema):
    """What one source says of one field."""

    source: str
    value: Any
    rights: str
    fetched_at: datetime
    trust: float
    """The highest is taken; 0: what it says of the field never is."""
    chosen: bool
    match: str
    """How the source's album was found."""
    match_score: float
    raw: dict[str, float] = Field(default_factory=dict)
    """As the source measured it."""


class Explained(Schema):
    """One field of a row."""

    value: Any
    source: str
    """Several joined by "+"; "estimate" for what nobody measured; empty when nobody says it."""
    why: str
    interval: tuple[float, float] | None = None
    """Of an estimate: the range that holds the true value nine times in ten."""
    said: list[Statement] = Field(default_factory=list)


class Provenance(Schema):
    """Where the values of a row come from."""

    id: str
    album_id: str | None = None
    rights: str
    at: str | None
    fields: dict[str, Explained]


class SourceShare(Schema):
    """What one source gave of a data set."""

    source: str
    rights: str
    cells: int
    share: float
    terms: str


class RightsReport(Schema):
    """What a data set is made of."""

    rights: str
    rows: int
    cells: int
    """Values that come from a source."""
    sources: list[SourceShare]


class Refreshed(Schema):
    """How asking again went."""

    album: str
    artist: str
    result: str
    detail: str
    album_id: str | None
    sources: list[SourceOutcome]


class GenreNode(Schema):
    """A genre in the tree."""

    name: str
    parents: list[str]
    aliases: list[str]


class GenreTree(Schema):
    """All genres with what they hang under."""

    count: int
    data: list[GenreNode]
