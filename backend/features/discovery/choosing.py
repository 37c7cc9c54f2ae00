"""From the best tracks to a list: each song once, not too much of one artist, as varied as wanted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np

from backend.features.columns import Floats, Values
from backend.features.discovery.blocks import unit
from backend.features.discovery.songs import NOBODY, Codes


@dataclass(frozen=True, slots=True, kw_only=True)
class Taste:
    """How a list is made.

    Attributes:
        k: at most so many.
        per_artist: at most so many tracks of one artist; None for any number.
        diversity: 0 takes the best; towards 1 each pick must be unlike those before it (maximal marginal relevance: Carbonell and
            Goldstein 1998).
    """

    k: int
    per_artist: int | None = None
    diversity: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidates:
    """Tracks, the best first.

    Attributes:
        scores: n.
        songs, recordings, artists: n codes.
        vectors: n × width, for telling how alike they are.
    """

    scores: Values
    songs: Codes
    recordings: Codes
    artists: Codes
    vectors: Floats

    def __len__(self) -> int:
        return len(self.scores)


def choose(found: Candidates, taste: Taste, *, taken: Sequence[int] = ()) -> list[int]:
    """Places of the tracks that make the list, in its order.

    Args:
        found: tracks.
        taste: how many, and how varied.
        taken: codes of songs and recordings that are no answer.
    """
    places = _songs(found, set(taken))
    if taste.diversity <= 0:
        return list(islice(_capped(places, found.artists, taste.per_artist), taste.k))
    return _varied(list(places), found, taste)


def _songs(found: Candidates, taken: set[int]) -> Iterator[int]:
    """Places of the first of each song and recording."""
    for place, (song, recording) in enumerate(zip(found.songs.tolist(), found.recordings.tolist(), strict=True)):
        if song not in taken and recording not in taken:
            taken |= {song, recording} - {NOBODY}
            yield place


def _capped(places: Iterable[int], artists: Codes, per_artist: int | None) -> Iterator[int]:
    of_artist: Counter[int] = Counter()
    for place in places:
        artist = int(artists[place])
        if per_artist is None or artist == NOBODY or of_artist[artist] < per_artist:
            of_artist[artist] += 1
            yield place


def _varied(places: list[int], found: Candidates, taste: Taste) -> list[int]:
    """Greedily the one of the greatest (1 - d) · score - d · likeness to the nearest that is chosen."""
    vectors = unit(found.vectors[places])
    worth = (1 - taste.diversity) * found.scores[places]
    nearest = np.zeros(len(places))
    open_ = np.ones(len(places), bool)
    of_artist: Counter[int] = Counter()
    chosen: list[int] = []
    while len(chosen) < taste.k and open_.any():
        values = np.where(open_, worth - taste.diversity * nearest, -np.inf)
        best = int(np.argmax(values))
        open_[best] = False
        artist = int(found.artists[places[best]])
        if taste.per_artist is not None and artist != NOBODY and of_artist[artist] >= taste.per_artist:
            continue
        of_artist[artist] += 1
        chosen.append(places[best])
        nearest = np.maximum(nearest, vectors @ vectors[best])
    return chosen
