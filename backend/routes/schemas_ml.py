"""What HTTP answers of matrices, insights, exports and recommendations."""

from __future__ import annotations

from datetime import datetime

from pydantic import Field

from backend.routes.schemas import Schema
from backend.routes.schemas_catalogue import RightsReport


class MatrixColumn(Schema):
    """What a column of X is."""

    name: str = Field(examples=["energy", "genre_rock", "energy_missing"])
    of: str
    """The field it comes from."""
    kind: str
    label: str | None = None
    """The genre, mood or category that it stands for."""


class Matrix(Schema):
    """X and y, row by row."""

    target: str = Field(examples=["aoty_score"])
    n_tracks: int
    n_features: int
    synthetic_tracks: int
    """Rows that hold a made-up value (demo)."""
    columns: list[MatrixColumn]
    ids: list[str]
    y: list[float | str | None]
    X: list[list[float]]
    """n_tracks rows of n_features numbers, nothing missing."""


class NewExport(Schema):
    """A file that was written."""

    name: str = Field(examples=["training_data.csv"])
    rows: int
    bytes: int
    sha256: str
    modified_at: datetime
    download: str = Field(examples=["/ml/exports/training_data.csv"])
    """The path to get it from."""
    rights: RightsReport
    """Which sources gave its values, which share, and what their terms are."""


class ExportEntry(Schema):
    """A file in the export folder."""

    name: str
    bytes: int
    modified_at: datetime
    download: str


class ExportList(Schema):
    """All finished exports, by name."""

    data: list[ExportEntry]


class Because(Schema):
    """A track that was given."""

    id: str
    title: str
    artist: str


class Recommendation(Schema):
    """A similar track, and why it is similar."""

    id: str
    title: str
    artist: str
    album: str | None = None
    album_id: str | None = None
    release_year: int | None = None
    synthetic: bool
    score: float
    """At most 1."""
    contributions: dict[str, float] = Field(examples=[{"audio": 0.31, "genres": 0.2, "commonness": -0.02}])
    """What each group adds to the score; they sum to it. `commonness` is taken off tracks that are near to everything."""
    because: Because | None = None
    """The given track that is nearest."""
    shared_genres: list[str]
    shared_moods: list[str]
    reasons: list[str] = Field(examples=[["shared genre: cool jazz", "similarly acoustic (0.91 and 0.88)"]])
    filled: list[str]
    """Audio features unknown of one of the two, for which the middle was taken."""


class Recommendations(Schema):
    """The nearest tracks, best first."""

    track_id: str
    count: int
    data: list[Recommendation]
