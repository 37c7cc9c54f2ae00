"""Sorting the tags that several sources give to an album, its artist and its tracks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from backend.ingestion.normalizer import SortedTags, condense, sort_tags
from backend.ingestion.said import Said
from backend.ingestion.vocabulary import Kind, tell
from backend.models.ingestion_models import Level, Tag, TrackRecord
from backend.utils.text import fold_name


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
        self._artist, self._album, self._max_genres, self._max_moods = artist, album, max_genres, max_moods
        self._said = [s for s in said if s.trust("tags") > 0]
        self._trust = {s.source: s.trust("tags") for s in self._said}
        self._shared = [(s.source, tag) for s in self._said for tag in s.album.tags]
        own = {fold_name(artist), fold_name(album)}
        self._shared = [
            (name, t) for name, t in self._shared if math.isfinite(t.weight) and fold_name(t.name) not in own
        ]
        self._shared_names = {(name, t.name) for name, t in self._shared}
        self._condensed = condense((t, self._trust[name]) for name, t in self._shared)
        self._plain: Sorted | None = None

    def album(self) -> Sorted:
        """Genres and moods of the album: its own tags, its artist's, and the mean of its tracks'."""
        of_tracks = [
            (s.source, replace(tag, weight=tag.weight / len(s.album.tracks)))
            for s in self._said
            for track in s.album.tracks
            for tag in track.tags
        ]
        return self._sort(of_tracks)

    def track(self, of_sources: Mapping[str, TrackRecord]) -> Sorted:
        """Genres and moods of a track: its own tags, backed by its album's and artist's."""
        own = [(name, tag) for name in self._trust if name in of_sources for tag in of_sources[name].tags]
        if own:
            return self._sort(own)
        if self._plain is None:
            self._plain = self._sort([])
        return self._plain

    def _sort(self, more: Sequence[tuple[str, Tag]]) -> Sorted:
        """Sort the shared tags together with more."""
        found = sort_tags(
            [*self._condensed, *((tag, self._trust[source]) for source, tag in more)],
            artist=self._artist, album=self._album, max_genres=self._max_genres, max_moods=self._max_moods,
        )  # fmt: skip
        names = self._shared_names | {(source, tag.name) for source, tag in more}
        return Sorted(found.genres, found.moods, _givers(found, names))


def _givers(found: SortedTags, tags: set[tuple[str, str]]) -> dict[str, str]:
    """Whose tags the genres and the moods that were kept are."""
    kept = {"genres": set(found.genres), "moods": set(found.moods)}
    kinds = {Kind.GENRE: "genres", Kind.MOOD: "moods"}
    givers: dict[str, set[str]] = {}
    for source, name in tags:
        word = tell(name)
        kind = kinds.get(word.kind)
        if kind and word.name in kept[kind]:
            givers.setdefault(kind, set()).add(source)
    return {kind: "+".join(sorted(names)) for kind, names in sorted(givers.items())}
