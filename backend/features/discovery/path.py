"""A way from one track to another: each step near to the one before, the steps as even as the catalogue allows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from backend.features.columns import Flags, Floats, Values
from backend.features.discovery.blocks import unit
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.pick import Pick
from backend.features.discovery.songs import NOBODY, Codes
from backend.utils.errors import InvalidInputError

MOST_STEPS: Final = 100
_A_STEP: Final = 64  # tracks that are looked at for each place of the way
_OF_ARTIST: Final = 3  # of these by one artist; by those of the ends none, who would stand next to themselves
_PAIRS: Final = 2_000  # by which the distance of tracks picked by chance is measured
_SEED: Final = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Smoothness:
    """How even a way is. Distances are angles between vectors of features, 0 to 1 (π).

    Attributes:
        value: 1 less the mean step's share of the distance of two tracks picked by chance: 1 is no step at all, 0 is shuffling.
        mean_step, largest_step: distances of tracks that follow each other.
        direct: of the first and the last track.
        by_chance: the mean distance of two tracks of the catalogue.
        unevenness: the greatest difference between how far a track is along the way and how far it would be if all steps were
            equal, as a share of the way.
    """

    value: float
    mean_step: float
    largest_step: float
    direct: float
    by_chance: float
    unevenness: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """A way from track to track.

    Attributes:
        steps: the tracks; each but the first is told against the one before.
        places: of each step how far along it is, 0 at the start and 1 at the end.
        distances: of each step to the one before; 0 of the first.
        smoothness: of the whole.
    """

    steps: Sequence[Pick]
    places: Sequence[float]
    distances: Sequence[float]
    smoothness: Smoothness


@dataclass(frozen=True, slots=True)
class _Layer:
    """What may stand at one place of the way."""

    rows: Codes
    vectors: Floats
    places: Values


def find(index: DiscoveryIndex, start: int, end: int, *, steps: int, allowed: Flags | None = None) -> Way:
    """A way of some steps, both ends included; no song twice, no artist twice in a row.

    Looked at are the tracks that lie near to evenly spaced points between the ends, each song once; they are dealt to the places
    of the way by how far along they lie. Among these the way is the one of the least Σ d(step)² · n + Σ (place - even place)²
    (dynamic programming, so the best there is of them).

    Args:
        index: all tracks.
        start: row of the first.
        end: row of the last.
        steps: of the way, 2 to `MOST_STEPS`.
        allowed: n_rows, which tracks may stand between; all when None.

    Raises:
        InvalidInputError: the number of steps is not allowed, the ends are one song, or there is no such way.
    """
    if not 2 <= steps <= MOST_STEPS:
        raise InvalidInputError(f"steps={steps} is not allowed; ask for 2 to {MOST_STEPS}, both ends included")
    if index.rows.songs[start] == index.rows.songs[end]:
        raise InvalidInputError("Both ends are the same song; name two songs")
    rows = _best(index, _layers(index, start, end, steps=steps, allowed=allowed, most=_OF_ARTIST))
    if rows is None:  # few artists: any of their tracks
        rows = _best(index, _layers(index, start, end, steps=steps, allowed=allowed, most=None))
    if rows is None:
        raise InvalidInputError(
            f"There is no way of {steps} steps without an artist twice in a row among these tracks; "
            "ask for fewer steps or loosen the filters"
        )
    return _told(index, rows)


def distance(first: Floats, second: Floats) -> Values:
    """Angles between vectors of length 1, n × m, as shares of π."""
    found: Values = np.arccos(np.clip(first.astype(np.float64) @ second.T.astype(np.float64), -1, 1)) / np.pi
    return found


def _layers(
    index: DiscoveryIndex, start: int, end: int, *, steps: int, allowed: Flags | None, most: int | None
) -> list[_Layer]:
    """What may stand at each place, the ends alone at theirs."""
    ends = unit(index.vectors([start, end])[:, :-1])
    rows = _between(index, ends, start, end, steps=steps, allowed=allowed, most=most)
    vectors = unit(index.vectors(rows)[:, :-1])
    places = _places(vectors, ends)
    # In many dimensions most tracks lie halfway: parts of the same size, so that no place of the way is without any.
    parts = np.array_split(np.argsort(places, kind="stable"), max(1, steps - 2))
    layers = [_Layer(np.array([start]), ends[:1], np.zeros(1))]
    layers += [_Layer(rows[own], vectors[own], places[own]) for own in parts[: steps - 2]]
    layers.append(_Layer(np.array([end]), ends[1:], np.ones(1)))
    return layers


def _between(
    index: DiscoveryIndex, ends: Floats, start: int, end: int, *, steps: int, allowed: Flags | None, most: int | None
) -> Codes:
    """Tracks near to points between the ends, of each song the one that is nearest to the way; no song of the ends."""
    there = index.rows.alive if allowed is None else index.rows.alive & allowed
    wanted = max(2, steps - 2)
    points = unit(np.array([(1 - t) * ends[0] + t * ends[1] for t in np.linspace(0, 1, wanted + 2)[1:-1]], np.float32))
    found = np.unique(
        np.concatenate([index.nearest(point, _A_STEP if most is None else 4 * _A_STEP, there) for point in points])
    )
    rows = index.rows
    own = (rows.songs[[start, end]], rows.recordings[[start, end]])
    found = found[~np.isin(rows.songs[found], own[0]) & ~np.isin(rows.recordings[found], own[1])]
    if not len(found):
        return found
    nearness = (unit(index.vectors(found)[:, :-1]) @ points.T).max(axis=1)
    order = np.argsort(-nearness, kind="stable")
    for codes in (rows.songs, rows.recordings):
        kinds = codes[found[order]]
        _, first = np.unique(kinds, return_index=True)
        order = order[np.union1d(first, np.flatnonzero(kinds == NOBODY))]
    if most is not None:
        order = order[_few_of_each(rows.artists[found[order]], set(rows.artists[[start, end]].tolist()), most)]
    return found[np.sort(order)]


def _few_of_each(artists: Codes, none_of: set[int], most: int) -> list[int]:
    """The places of the first tracks of each artist."""
    met = Counter(dict.fromkeys(none_of - {NOBODY}, most))
    kept = []
    for place, artist in enumerate(artists.tolist()):
        if artist == NOBODY or met[artist] < most:
            met[artist] += 1
            kept.append(place)
    return kept


def _places(vectors: Floats, ends: Floats) -> Values:
    """How far along between the ends each lies: the distance to the start as a share of both distances."""
    far = distance(vectors, ends)
    total = far.sum(axis=1)
    found: Values = np.where(total > 0, far[:, 0] / np.where(total > 0, total, 1), 0.5)
    return found


def _best(index: DiscoveryIndex, layers: Sequence[_Layer]) -> list[int] | None:
    """The way of the least cost; None when every one has an artist twice in a row."""
    n = len(layers) - 1
    costs = np.zeros(1)
    came: list[npt.NDArray[np.int64]] = []
    for place, (before, layer) in enumerate(pairwise(layers), 1):
        if not len(layer.rows):
            return None
        steps = costs[:, None] + n * distance(before.vectors, layer.vectors) ** 2
        artists = index.rows.artists[before.rows][:, None], index.rows.artists[layer.rows][None, :]
        steps = np.where((artists[0] == artists[1]) & (artists[0] != NOBODY), np.inf, steps)
        came.append(np.argmin(steps, axis=0))
        costs = steps.min(axis=0) + (layer.places - place / n) ** 2
    if not np.isfinite(costs[0]):
        return None
    at, way = 0, [int(layers[-1].rows[0])]
    for before, origin in zip(reversed(layers[:-1]), reversed(came), strict=True):
        at = int(origin[at])
        way.append(int(before.rows[at]))
    return way[::-1]


def _told(index: DiscoveryIndex, rows: Sequence[int]) -> Way:
    """The way with what makes each step."""
    vectors = unit(index.vectors(rows)[:, :-1])
    ends = vectors[[0, -1]]
    places = _places(vectors, ends)
    places[0], places[-1] = 0.0, 1.0
    steps = np.array([float(distance(a[None], b[None])[0, 0]) for a, b in pairwise(vectors)])
    picks = [
        pick
        for before, row in zip([rows[0], *rows], rows, strict=False)
        for pick in index.explained(index.like([before]), [row])
    ]
    by_chance = _by_chance(index)
    mean = float(steps.mean())
    smoothness = Smoothness(
        value=round(1 - mean / by_chance, 4) if by_chance > 0 else 1.0 if mean == 0 else 0.0,
        mean_step=round(mean, 4),
        largest_step=round(float(steps.max()), 4),
        direct=round(float(distance(ends[:1], ends[1:])[0, 0]), 4),
        by_chance=round(by_chance, 4),
        unevenness=round(float(np.abs(places - np.linspace(0, 1, len(rows))).max()), 4),
    )
    return Way(
        steps=picks,
        places=[round(float(p), 4) for p in places],
        distances=[0.0, *(round(float(d), 4) for d in steps)],
        smoothness=smoothness,
    )


def _by_chance(index: DiscoveryIndex) -> float:
    """The mean distance of two tracks of the catalogue; of pairs drawn by chance, the same ones each time."""
    rows = np.flatnonzero(index.rows.alive)
    drawn = np.random.default_rng(_SEED).integers(0, len(rows), (2, _PAIRS))
    pairs = drawn[:, drawn[0] != drawn[1]]
    if not pairs.shape[1]:
        return 0.0
    first, second = (unit(index.vectors(rows[side])[:, :-1]).astype(np.float64) for side in pairs)
    return float((np.arccos(np.clip((first * second).sum(axis=1), -1, 1)) / np.pi).mean())
