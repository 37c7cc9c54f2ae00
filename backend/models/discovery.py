"""What the ways to ask take: what answers are to be like, and how the list is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeds:
    """Tracks, by themselves or by what they stand on.

    Attributes:
        tracks: ids.
        albums: ids.
        artists: names, in whatever spelling.
    """

    tracks: tuple[str, ...] = ()
    albums: tuple[str, ...] = ()
    artists: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.tracks or self.albums or self.artists)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A question without a filter.

    Attributes:
        wish: in words (see `features.discovery.wish_parser`).
        like, unlike: what answers are to be like, and not like.
        point: valence and arousal, -1..1 each, that moods are to be near to.
        emphasis: by group of features what it is multiplied by; 0 leaves it out.
        strict: True makes every wish hard, False none; None as they are said.
        k: at most so many.
        per_artist: at most so many of one artist; None for any number.
        diversity: 0 takes the best; towards 1 each must be unlike those before it.
    """

    wish: str = ""
    like: Seeds = field(default_factory=Seeds)
    unlike: Seeds = field(default_factory=Seeds)
    point: tuple[float, float] | None = None
    emphasis: Mapping[str, float] = field(default_factory=dict)
    strict: bool | None = None
    k: int = 20
    per_artist: int | None = 3
    diversity: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedTrack:
    """A track of somebody's list: an id, or an artist and a title."""

    id: str | None = None
    artist: str | None = None
    title: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaylistEntry:
    """A track as playlists name it; what is not known is None."""

    id: str
    title: str
    artist: str
    album: str | None = None
    release_year: int | None = None
    duration_ms: int | None = None
    isrc: str | None = None
    spotify_id: str | None = None
    recording_mbid: str | None = None
    score: float | None = None
    reasons: tuple[str, ...] = ()
