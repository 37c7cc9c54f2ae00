"""What listeners play, in one form wherever it is known from, and what the catalogue has of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, NamedTuple

from backend.models.ingestion_models import Rights

OVERALL: Final = "overall"
"""The period that is all time."""


class HeardFrom(StrEnum):
    """Who knows what a listener plays."""

    HISTORY = "history"  # the listener's own exports, kept here with consent
    LASTFM = "lastfm"  # public, by name
    LISTENBRAINZ = "listenbrainz"  # public, by name


class By(StrEnum):
    """How finely drift is told."""

    YEAR = "year"
    QUARTER = "quarter"


@dataclass(frozen=True, slots=True, kw_only=True)
class ListenerRef:
    """A listener, by name and by who knows him."""

    name: str
    source: HeardFrom


class PlayedArtist(NamedTuple):
    """How often an artist was played in a period. A tuple, for a history has a hundred thousand of these.

    Attributes:
        key: the folded name.
        period: "2019", "2019-Q3", a window as "12month", or `OVERALL`.
    """

    key: str
    name: str
    plays: int
    period: str = OVERALL


class PlayedTrack(NamedTuple):
    """How often a track was played in a period.

    Attributes:
        artist_key: the artist's folded name.
        track_key: what the recording is called on every album that holds it.
        track_id: the catalogue's, where it is known already.
        mbid: of the recording, where it is said.
    """

    artist_key: str
    track_key: str
    plays: int
    track_id: str | None = None
    mbid: str | None = None
    period: str = OVERALL


@dataclass(frozen=True, slots=True, kw_only=True)
class PlayedAlbum:
    """How often an album's tracks were played."""

    title: str
    artist: str
    artist_key: str
    plays: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What a listener plays.

    Attributes:
        artists: per period; plays of all tracks, also of those that `tracks` leaves out.
        tracks: per period; of public listeners those played most, over all time.
        nested: the periods are windows up to now that hold one another, not one after the other.
        rights: what may be done with it.
    """

    listener: ListenerRef
    rights: Rights
    artists: list[PlayedArtist]
    tracks: list[PlayedTrack]
    nested: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownTrack:
    """A track of the catalogue that a taste rests on.

    Attributes:
        artist_key: of its album.
        features: those that are known.
    """

    id: str
    artist_key: str
    track_key: str | None
    recording: str
    title: str
    artist: str
    year: int | None
    genres: tuple[str, ...]
    moods: tuple[str, ...]
    popularity: int | None
    mbid: str | None
    synthetic: bool
    features: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class CatalogueFigures:
    """The whole catalogue of a level, to measure a taste against.

    Attributes:
        tracks: how many there are.
        genres: tracks per genre; a track of two counts for both.
        moods: tracks per mood.
        popularity: tracks per value of popularity.
    """

    tracks: int
    genres: dict[str, int]
    moods: dict[str, int]
    popularity: dict[int, int]
