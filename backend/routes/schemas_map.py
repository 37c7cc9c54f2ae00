"""What HTTP answers of the map."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from backend.routes.schemas import Schema


class Progress(Schema):
    """A map that is being drawn."""

    done: float = Field(examples=[0.4])
    """The share that is done, 0 to 1."""


class MapState(Schema):
    """What there is of a map."""

    state: Literal["ready", "empty", "few", "drawing"]
    """empty: there is no track; few: so few that where they stand tells nothing; drawing: none yet, ask again."""
    version: str | None
    """Changes when a track comes, goes, or stands elsewhere."""
    layout: str | None
    """Changes only when the map is drawn anew."""
    points: int
    """How many tracks stand on it."""
    drawn: int
    """Of how many tracks it was drawn; the others were placed by their neighbours."""
    grid: int = Field(examples=[65535])
    """Places are whole numbers from 0 to this."""
    progress: float | None
    """The share that is done of a map that is being drawn, also while an old one answers."""


class MapClass(Schema):
    """A class of points."""

    code: int
    name: str = Field(examples=["jazz"])
    count: int


class MapLegend(Schema):
    """What a column's numbers mean."""

    version: str
    name: str = Field(examples=["genre"])
    kind: Literal["class", "number"]
    classes: list[MapClass] = Field(default_factory=list)
    """The most frequent first."""
    low: float | None = None
    """Between this and `high` lie 96 in 100 of what is known."""
    high: float | None = None
    unknown: int
    """The number that stands for what is not known."""
    missing: int
    """Of how many points it is not known."""


class MapLabel(Schema):
    """A genre's name on the map."""

    name: str = Field(examples=["bebop"])
    family: str = Field(examples=["jazz"])
    """The genre that it is coloured as."""
    x: float
    y: float
    weight: int
    """How many tracks have it."""
    zoom: float
    """From which there is room for it; at zoom z a window shows a 2^z-th of the map's width."""


class MapLabels(Schema):
    """What is written on the map."""

    version: str
    data: list[MapLabel]


class MapTrack(Schema):
    """A track and where it stands."""

    row: int
    """Among the points of this version."""
    x: int
    y: int
    id: str
    title: str
    artist: str
    album: str | None
    album_id: str | None
    release_year: int | None
    synthetic: bool | None


class MapTracks(Schema):
    """Tracks behind points."""

    version: str
    count: int
    """All that are meant; `data` may hold fewer."""
    data: list[MapTrack]
