"""What HTTP takes and answers of tracks and albums, and the problem every error is."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from backend.utils.text import squeeze

MAX_NAME = 500


def _name(text: str) -> str:
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise ValueError("holds half a character (a lone surrogate); send valid Unicode")
    tidy = squeeze(text)
    if not tidy:
        raise ValueError("is empty; give the name as it stands on the cover")
    if len(tidy) > MAX_NAME:
        raise ValueError(f"has {len(tidy):,} characters; {MAX_NAME} are the most")
    return tidy


# 4 × MAX_NAME: blanks that squeezing takes away may stand in it, but not without bound.
Name = Annotated[str, Field(min_length=1, max_length=4 * MAX_NAME), AfterValidator(_name)]


class Schema(BaseModel):
    """The base: docstrings of fields become descriptions in /docs."""

    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True, from_attributes=True)


class FieldFault(Schema):
    """One part of a request that does not fit."""

    where: list[str]
    """Path to the value, e.g. ["body", "album_name"]."""
    message: str
    kind: str


class Problem(Schema):
    """An error (RFC 9457, `application/problem+json`)."""

    type: str = Field(examples=["urn:tensoe:problem:404"])
    title: str = Field(examples=["Not found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["No album has the id …; /albums lists what is stored"])
    """A sentence that says what to do."""
    instance: str = Field(examples=["/albums/0"])
    """The path that was asked for."""
    errors: list[FieldFault] | None = None
    """When the input does not fit: each part that does not."""


class Track(Schema):
    """A track: one truth per field, merged from what the sources said."""

    id: str = Field(examples=["0f2c7d7e-6d0e-5a0c-9f0e-1f6a0a4f4b55"])
    title: str = Field(examples=["Come Together"])
    artist: str = Field(examples=["The Beatles"])
    album: str | None = Field(default=None, examples=["Abbey Road"])
    album_id: str | None = None
    disc_number: int | None = None
    track_number: int | None = Field(default=None, examples=[1])
    release_date: date | None = Field(default=None, examples=["1969-09-26"])
    """First day of the month or year when no more is known."""
    release_year: int | None = Field(default=None, examples=[1969])
    duration_ms: int | None = Field(default=None, examples=[259_947])
    explicit: bool | None = None
    popularity: int | None = None
    """0 to 100."""
    listeners: int | None = None
    aoty_score: float | None = None
    """The album's user score on Album of the Year, 0 to 100."""
    aoty_critic_score: float | None = None
    """The album's critic score there, 0 to 100."""
    rating: float | None = None
    """The track's own rating, 0 to 100."""
    genres: list[str] | None = Field(default=None, examples=[["rock", "classic rock"]])
    moods: list[str] | None = Field(default=None, examples=[["mellow"]])
    audio_features: dict[str, float] | None = Field(default=None, examples=[{"energy": 0.37, "tempo": 82.6}])
    """Twelve at most: 0 to 1, but loudness in dB, tempo in BPM, key 0 to 11 (-1: none), mode 0 or 1, time_signature."""
    isrc: str | None = None
    spotify_id: str | None = None
    recording_id: str | None = None
    """The same on every album that the recording appears on."""
    recording_mbid: str | None = None
    mood_valence: float | None = None
    """-1 (unpleasant) to 1 (pleasant), of its moods."""
    mood_arousal: float | None = None
    """-1 (calm) to 1 (excited), of its moods."""
    tag_weights: dict[str, tuple[float, str]] | None = Field(default=None, examples=[{"rock": [1.0, "track"]}])
    """Each genre and mood with its weight, 0 to 1, and what was tagged: the track, its album or its artist."""
    estimates: dict[str, tuple[float, float]] | None = Field(default=None, examples=[{"energy": [0.31, 0.78]}])
    """Audio features that nobody measured: the range that holds the true value nine times in ten."""
    provenance: dict[str, str] | None = Field(default=None, examples=[{"title": "spotify", "genres": "aoty+lastfm"}])
    """Field to the source that gave it, "estimate" for what nobody measured; audio features under their own names."""
    synthetic: bool = False
    """True: some value of the row is made up (demo)."""


class TrackPage(Schema):
    """Tracks in a stable order, and how to go on."""

    count: int
    """Rows in this answer."""
    next_cursor: str | None
    """Give it as `cursor` to get the next rows; null at the end. The `Link` header holds the whole address."""
    synthetic: bool
    """True: some value in this answer is made up (demo)."""
    data: list[Track]


class AlbumSummary(Schema):
    """An album without its tracks."""

    id: str
    title: str = Field(examples=["Abbey Road"])
    artist: str = Field(examples=["The Beatles"])
    release_date: date | None = None
    release_precision: str | None = None
    """day, month or year: how much of `release_date` is known."""
    label: str | None = None
    upc: str | None = None
    total_tracks: int | None = None
    popularity: int | None = None
    listeners: int | None = None
    aoty_user_score: float | None = None
    aoty_user_count: int | None = None
    aoty_critic_score: float | None = None
    aoty_critic_count: int | None = None
    genres: list[str] = Field(default_factory=list)
    moods: list[str] = Field(default_factory=list)
    ids: dict[str, str] = Field(default_factory=dict)
    """What services call it, by service."""
    synthetic: bool = False
    """True: some value of it is made up (demo)."""


class AlbumPage(Schema):
    """Albums in a stable order, and how to go on."""

    count: int
    total: int | None = None
    """Albums that fit in all, where counted."""
    next_cursor: str | None
    data: list[AlbumSummary]


class AlbumSource(Schema):
    """A source that said something of an album."""

    source: str
    rights: str
    match_method: str
    match_score: float
    """0 to 1: how near the name it was found under is to the one asked for."""
    fetched_at: datetime
    valid_from: datetime


class Album(AlbumSummary):
    """An album with its tracks and the source of each field."""

    artist_id: str
    created_at: datetime
    updated_at: datetime
    provenance: dict[str, str] = Field(default_factory=dict)
    """Field to the source that gave it."""
    tracks: list[Track] = Field(default_factory=list)
    sources: list[AlbumSource] = Field(default_factory=list)
