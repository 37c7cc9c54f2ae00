"""Sorting the tags that several sources give to an album, its artist and its tracks."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from backend.ingestion.said import Said
from backend.ingestion.tag_weights import (
    Evidence,
    Weighed,
    added,
    backed_off,
    strongest,
    weigh,
    weigh_shares,
    without_strangers,
)
from backend.ingestion.vocabulary import Kind, mood_place
from backend.models.ingestion_models import Level, Tag, TrackRecord
from backend.utils.text import fold_name

_CALLED: Final = {Kind.GENRE: "genres", Kind.MOOD: "moods"}


@dataclass(frozen=True, slots=True)
class Sorted:
    """The tags that an album or a track keeps.

    Attributes:
        genres: by falling weight.
        moods: likewise.
        givers: "genres" and "moods" -> whose they are, joined by "+".
        weights: of each genre and mood, relative to the strongest of its kind, with the most specific level that says it.
        valence: of the moods, -1..1.
        arousal: likewise.
    """

    genres: tuple[str, ...]
    moods: tuple[str, ...]
    givers: dict[str, str] = field(default_factory=dict)
    weights: dict[str, tuple[float, Level]] = field(default_factory=dict)
    valence: float | None = None
    arousal: float | None = None


class TagSorter:
    """Sorts the tags of one album and its tracks.

    Args:
        said: what counts.
        artist: whose name is no tag.
        album: likewise.
        max_genres: the most that are kept.
        max_moods: likewise.
    """

    def __init__(self, said: Sequence[Said], *, artist: str, album: str, max_genres: int, max_moods: int) -> None:
        self._own_names = frozenset({fold_name(artist), fold_name(album)})
        self._most = {Kind.GENRE: max_genres, Kind.MOOD: max_moods}
        self._said = [s for s in said if s.trust("tags") > 0]
        self._trust = {s.source: s.trust("tags") for s in self._said}
        self._shared = self._weigh((s.source, tag) for s in self._said for tag in s.album.tags)
        self._plain: Sorted | None = None

    def album(self) -> Sorted:
        """Genres and moods of the album: its own tags, its artist's, and the mean of its tracks'."""
        of_tracks = [
            (s.source, tag, self._trust[s.source], len(s.album.tracks))
            for s in self._said
            for track in s.album.tracks
            for tag in track.tags
        ]
        return self._sort(added(self._shared, weigh_shares(of_tracks, self._own_names)))

    def track(self, of_sources: Mapping[str, TrackRecord]) -> Sorted:
        """Genres and moods of a track: its own tags, backed by its album's and artist's."""
        own = self._weigh((name, tag) for name in self._trust if name in of_sources for tag in of_sources[name].tags)
        if own:
            return self._sort(backed_off(own, self._shared))
        if self._plain is None:
            self._plain = self._sort(self._shared)
        return self._plain

    def _weigh(self, tags: Iterable[tuple[str, Tag]]) -> Weighed:
        return weigh(((source, tag, self._trust[source]) for source, tag in tags), self._own_names)

    def _sort(self, weighed: Weighed) -> Sorted:
        weighed = without_strangers(weighed)
        kept = {kind: strongest(weighed, kind, most=most) for kind, most in self._most.items()}
        givers = {
            _CALLED[kind]: "+".join(sorted(frozenset[str]().union(*(e.sources for _, e in found))))
            for kind, found in kept.items()
            if found
        }
        weights = {**_relative(kept[Kind.MOOD]), **_relative(kept[Kind.GENRE])}
        valence, arousal = _place(kept[Kind.MOOD])
        genres, moods = (tuple(name for name, _ in kept[kind]) for kind in (Kind.GENRE, Kind.MOOD))
        return Sorted(genres, moods, givers, weights, valence, arousal)


def _relative(found: Sequence[tuple[str, Evidence]]) -> dict[str, tuple[float, Level]]:
    """Each weight as a share of the strongest; all 1 where nothing weighs anything."""
    top = max((e.weight for _, e in found), default=0.0)
    return {name: (round(e.weight / top, 4) if top > 0 else 1.0, e.level) for name, e in found}


def _place(moods: Sequence[tuple[str, Evidence]]) -> tuple[float | None, float | None]:
    """Valence and arousal as the weighted mean over the moods; None where no mood weighs anything."""
    total = math.fsum(e.weight for _, e in moods)
    if total <= 0:
        return None, None
    places = [(mood_place(name), e.weight) for name, e in moods]
    valence, arousal = (math.fsum(place[axis] * weight for place, weight in places) / total for axis in (0, 1))
    return round(valence, 4), round(arousal, 4)
