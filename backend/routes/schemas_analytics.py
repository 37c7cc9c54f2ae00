"""What HTTP answers of insights and of how ingestion went."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from backend.models.ingestion_models import Outcome
from backend.routes.schemas import Schema


class Summary(Schema):
    """How much there is."""

    tracks: int
    albums: int
    artists: int
    genres: int
    moods: int
    synthetic_albums: int
    """Albums with made-up values (demo)."""
    synthetic_tracks: int
    """Tracks with made-up values (demo)."""
    first_year: int | None
    last_year: int | None
    last_change: datetime | None


class TagCount(Schema):
    """A genre or mood."""

    name: str = Field(examples=["indie rock"])
    tracks: int
    share: float
    """Of all tracks, 0 to 1."""
    synthetic: bool
    """True: some of these tracks have made-up values (demo)."""


class TagCounts(Schema):
    """The most frequent genres or moods, first the most."""

    distinct: int
    """How many there are in all."""
    count: int
    data: list[TagCount]


class Bin(Schema):
    """Tracks whose value lies from `low` to below `high` (100 counts to the last)."""

    low: int
    high: int
    tracks: int


class Year(Schema):
    """A year of release: how much, and means."""

    year: int
    tracks: int
    albums: int
    popularity: float | None
    aoty_score: float | None
    duration_ms: float | None
    acousticness: float | None
    danceability: float | None
    energy: float | None
    instrumentalness: float | None
    liveness: float | None
    loudness: float | None
    speechiness: float | None
    tempo: float | None
    valence: float | None


class FeatureFigures(Schema):
    """An audio feature over all tracks that know it."""

    known: int
    mean: float | None
    deviation: float | None
    min: float | None
    max: float | None
    quartiles: list[float] | None


class Known(Schema):
    """How many tracks know a field."""

    known: int
    share: float
    """0 to 1."""


class SourceCoverage(Schema):
    """What a source gives."""

    source: str
    rights: str | None
    albums: int
    """Albums it said something of."""
    tracks: int
    """Tracks that have a value from it."""
    bytes: int
    last_fetched: datetime | None


class Coverage(Schema):
    """What is known of the tracks, and from whom."""

    tracks: int
    fields: dict[str, Known]
    sources: list[SourceCoverage]


class Analytics(Schema):
    """All insights together."""

    summary: Summary
    genres: TagCounts
    moods: TagCounts
    popularity: list[Bin]
    aoty_score: list[Bin]
    aoty_critic_score: list[Bin]
    years: list[Year]
    audio_features: dict[str, FeatureFigures]
    coverage: Coverage


class Reach(Schema):
    """An audio feature of a genre: how far it reaches."""

    known: int
    mean: float | None
    deviation: float | None


class Genre(Schema):
    """A genre on the whole."""

    name: str = Field(examples=["rock"])
    tracks: int
    synthetic_tracks: int
    """Of them those with made-up values (demo)."""
    first_year: int | None
    last_year: int | None
    popularity: float | None
    """The mean; so are the scores."""
    aoty_score: float | None
    aoty_critic_score: float | None
    moods: list[str]
    """The five most frequent of its tracks."""
    audio_features: dict[str, Reach]


class Fitting(Schema):
    """How much fits all conditions."""

    tracks: int
    albums: int
    artists: int
    synthetic: int
    """Tracks with made-up values (demo)."""


class TagTracks(Schema):
    """A genre or mood."""

    name: str
    tracks: int


class YearTracks(Schema):
    """A year of release."""

    year: int
    tracks: int


class ScoreCell(Schema):
    """Albums whose two scores lie from these to below the next cell."""

    critics: int
    listeners: int
    albums: int
    tracks: int
    """Of them, those that fit."""


class ScoreCells(Schema):
    """Critics against listeners, of albums that both scored."""

    cell: int
    """Points that a cell is wide."""
    albums: int
    correlation: float | None
    """Pearson's, of the two scores."""
    difference: float | None
    """Critics less listeners, the mean."""
    data: list[ScoreCell]


class GenreSound(Schema):
    """What a genre's tracks sound like."""

    genre: str
    tracks: int
    known: int
    """Tracks of which the feature asked for is known."""
    spread: list[float] | None = Field(examples=[[0.2, 0.5, 0.7, 0.8, 0.9]])
    """The quantiles 5, 25, 50, 75 and 95 of 100 of the feature asked for."""
    means: dict[str, float | None]


class GenreSounds(Schema):
    """Audio features by genre, the most frequent genres first."""

    feature: str
    data: list[GenreSound]


class Facets(Schema):
    """Figures of what fits. Each leaves out its own conditions: genres and sound those on genres, years those on years."""

    catalogue: int
    """Tracks in all, whatever the conditions."""
    fitting: Fitting
    genres: list[TagTracks]
    moods: list[TagTracks]
    years: list[YearTracks]
    popularity: list[Bin]
    user_score: list[Bin]
    critic_score: list[Bin]
    scores: ScoreCells
    sound: GenreSounds


class JobFigures(Schema):
    """All jobs."""

    total: int
    open: int
    last_created: datetime | None
    last_finished: datetime | None


class SourceFigures(Schema):
    """How asking a source went."""

    source: str
    asked: int
    outcomes: dict[str, int] = Field(examples=[{"ok": 190, "not_found": 10}])
    mean_seconds: float | None
    tracks: int | None
    last_asked: datetime | None
    last_outcome: Outcome | None
    """How it answered when it was asked last."""
    last_failure: str | None
    throttled_until: datetime | None


class Statistics(Schema):
    """How ingestion went."""

    jobs: JobFigures
    albums: dict[str, int] = Field(examples=[{"complete": 180, "partial": 20}])
    """Albums asked for, by result."""
    sources: list[SourceFigures]
