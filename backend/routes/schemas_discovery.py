"""What HTTP takes and answers of the ways to ask."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from backend.routes.schemas import Name, Schema
from backend.routes.schemas_ml import Recommendation

_MANY = 1_000
Factor = Annotated[float, Field(ge=0, le=10, allow_inf_nan=False)]
Signed = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]
Group = Literal["audio", "year", "popularity", "genres", "moods", "listening", "artist", "album"]


class _Body(Schema):
    model_config = ConfigDict(use_attribute_docstrings=True, frozen=True, extra="forbid")


class SeedsBody(_Body):
    """Tracks, by themselves or by what they stand on."""

    tracks: list[Name] = Field(default_factory=list, max_length=_MANY)
    """Ids, as `/ml/training-data` names them."""
    albums: list[Name] = Field(default_factory=list, max_length=_MANY)
    """Ids, as `/albums` names them: all their tracks."""
    artists: list[Name] = Field(default_factory=list, max_length=_MANY, examples=[["Miles Davis"]])
    """Names, in whatever spelling: all their tracks."""


class Point(_Body):
    """A place on the circle of moods."""

    valence: Signed = Field(examples=[-0.4])
    """-1 (unpleasant) to 1 (pleasant)."""
    arousal: Signed = Field(examples=[-0.3])
    """-1 (drowsy) to 1 (agitated)."""


class _ListBody(_Body):
    k: int = Field(default=20, ge=1, le=100)
    """How many."""
    per_artist: int | None = Field(default=3, ge=1, le=100)
    """At most so many tracks of one artist; null for any number."""
    diversity: float = Field(default=0.0, ge=0, le=1, allow_inf_nan=False)
    """0 takes the best; towards 1 each must be unlike those before it."""


class DiscoverRequest(_ListBody):
    """What is asked for; the filters stand in the address."""

    wish: str = Field(default="", max_length=500, examples=["120-130 bpm, acoustic, melancholic, 1970s"])
    """In words: tempo, years, length, popularity, sound, genres, moods. "only" makes a word a must, "no" turns it round, "about"
    makes a number soft."""
    like: SeedsBody = Field(default_factory=SeedsBody)
    """What answers are to be like."""
    unlike: SeedsBody = Field(default_factory=SeedsBody)
    """What they are not to be like."""
    point: Point | None = None
    """Valence and arousal that their moods are to be near to."""
    emphasis: dict[Group, Factor] = Field(default_factory=dict, examples=[{"genres": 2, "popularity": 0}])
    """By group of features what it is multiplied by; 0 leaves it out."""
    strict: bool | None = None
    """true makes every wish a must, false none; unset as they are said."""


class ListedTrackBody(_Body):
    """A track of a list: an id, or an artist and a title."""

    id: Name | None = None
    artist: Name | None = Field(default=None, examples=["The Beatles"])
    title: Name | None = Field(default=None, examples=["Come Together"])

    @model_validator(mode="after")
    def _is_named(self) -> ListedTrackBody:
        if self.id is None and (self.artist is None or self.title is None):
            raise ValueError("name a track by its id, or by artist and title")
        return self


class ContinueRequest(_ListBody):
    """A list that is to go on."""

    tracks: list[ListedTrackBody] = Field(min_length=1, max_length=10_000)


class UnderstoodWish(Schema):
    """A part of a wish that was understood."""

    text: str = Field(examples=["120-130 bpm"])
    read_as: str = Field(examples=["tempo 120 to 130 BPM (must)"])
    must: bool
    """Whether a track that does not fit is no answer."""
    weight: float
    tracks: int
    """Tracks of the catalogue that fit it wholly."""


class NotUnderstood(Schema):
    """A part of a wish that was not."""

    text: str = Field(examples=["melancolic"])
    suggestions: list[str] = Field(examples=[["melancholic"]])


class Discovered(Schema):
    """Tracks that fit what was asked for, best first, and what that was taken for."""

    understood: list[UnderstoodWish]
    not_understood: list[NotUnderstood]
    fitting: int
    """Tracks that the filters and musts leave."""
    count: int
    data: list[Recommendation]


class UnmatchedTrack(Schema):
    """A track of a list that the catalogue does not have."""

    place: int
    """In the list, from 0."""
    name: str
    why: str


class PlaylistTrack(Schema):
    """A track of a list."""

    id: str
    title: str
    artist: str
    album: str | None
    release_year: int | None
    duration_ms: int | None


class Playlist(Schema):
    """Tracks in the order that was asked for."""

    count: int
    missing: list[str]
    """Ids that name no track at this level of rights."""
    data: list[PlaylistTrack]


class Continued(Discovered):
    """Tracks that go on with a list."""

    matched: list[str]
    """Ids of the list's tracks that the catalogue has."""
    unmatched: list[UnmatchedTrack]


class Step(Recommendation):
    """A track on the way, compared with the one before."""

    place: float
    """How far along the way it is, 0 to 1."""
    distance: float
    """From the one before: the angle between their features, 0 to 1 (π)."""


class Smoothness(Schema):
    """How even a way is."""

    value: float
    """1: no step at all; 0: no better than shuffling."""
    mean_step: float
    largest_step: float
    direct: float
    """The distance of both ends."""
    by_chance: float
    """The mean distance of two tracks picked by chance."""
    unevenness: float
    """How far off the worst step is from where it would be if all were equal, as a share of the way."""


class SongPath(Schema):
    """A way from one track to another, both included."""

    count: int
    smoothness: Smoothness
    data: list[Step]


class Shrunk(Schema):
    """What scores are drawn towards."""

    mean: float | None
    kappa: float
    """Reviews that weigh as much as the mean."""


class ShrinkageOf(Schema):
    """By whose scores."""

    listeners: Shrunk
    critics: Shrunk


class GivenScore(Schema):
    """A score, 0 to 100."""

    given: float
    reviews: int | None
    shrunk: float


class GivenScores(Schema):
    """By who gave them; null where unknown."""

    listeners: GivenScore | None
    critics: GivenScore | None


class OverlookedWork(Schema):
    """An album or track that some love and others overlook."""

    id: str
    album_id: str | None = None
    title: str
    artist: str
    album: str | None = None
    release_year: int | None = None
    genres: list[str] | None = None
    synthetic: bool
    popularity: int | None = None
    score: float
    """In standard deviations."""
    contributions: dict[str, float] = Field(examples=[{"listeners": 1.1, "popularity": 0.1, "critics": 0.8}])
    """They sum to the score."""
    scores: GivenScores
    reasons: list[str]


class OverlookedWorks(Schema):
    """The most overlooked first."""

    by: str = Field(examples=["critics"])
    scored: int
    """Works that means and spreads are made of."""
    shrinkage: ShrinkageOf
    count: int
    data: list[OverlookedWork]
