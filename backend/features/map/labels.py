"""What is written on a map: each genre where it is densest, from the zoom on at which there is room for it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter

from backend.features.columns import Floats, lists
from backend.features.map.layout import Rows
from backend.features.map.picture import Picture
from backend.features.map.plane import GRID
from backend.features.multihot import flat

MOST: Final = 400
_LEAST: Final = 3  # tracks
_CELLS: Final = 96
_BLUR: Final = 1.5  # cells
_AT_FIRST: Final = 12  # labels at zoom 0; four times as many a zoom


@dataclass(frozen=True, slots=True, kw_only=True)
class MapLabel:
    """A genre's name on a map.

    Attributes:
        name: the genre.
        family: the one that it is coloured as.
        x, y: on the grid.
        weight: how many tracks have it.
        zoom: from which it is shown; at zoom z a window shows a 2^z-th of the map's width.
    """

    name: str
    family: str
    x: float
    y: float
    weight: int
    zoom: float


def labels_of(picture: Picture, family: Callable[[str], str], *, most: int = MOST) -> list[MapLabel]:
    """The most frequent genres, the most frequent first; those that are a family of their own come before their kinds.

    Args:
        picture: whose.
        family: of a genre the one that it is coloured as.
        most: at most so many.
    """
    rows, codes, names = flat(lists(picture.index.rows.table, "genres"))
    place = np.full(len(picture.index.rows), -1, np.int64)
    place[picture.rows] = np.arange(len(picture))
    there = place[rows] >= 0
    rows, codes = place[rows[there]], codes[there]
    counts = np.bincount(codes, minlength=len(names))
    order = [i for i in sorted(range(len(names)), key=lambda i: (-counts[i], names[i])) if counts[i] >= _LEAST][:most]
    by_code = np.argsort(codes, kind="stable")
    ends = np.cumsum(counts)
    everything = _density(picture.at)
    found = []
    for i in order:
        at = picture.at[rows[by_code[ends[i] - counts[i] : ends[i]]]]
        x, y = _peak(at, everything)
        found.append((names[i], family(names[i]), x, y, int(counts[i])))
    found.sort(key=lambda label: (label[0] != label[1], -label[4], label[0]))
    return [
        MapLabel(name=name, family=of, x=x, y=y, weight=weight, zoom=_zoom(rank, is_family=name == of))
        for rank, (name, of, x, y, weight) in enumerate(found)
    ]


def _zoom(rank: int, *, is_family: bool) -> float:
    """From which there is room: four times as many labels fit at each zoom."""
    room = math.log(max(rank, 1) / _AT_FIRST, 4)
    return round(max(room, 0.0 if is_family else 0.5), 2)


def _density(at: np.typing.NDArray[np.uint16]) -> Floats:
    cells = np.minimum(at.astype(np.int64) * _CELLS // (GRID + 1), _CELLS - 1)
    counted = np.bincount(cells[:, 0] * _CELLS + cells[:, 1], minlength=_CELLS**2).reshape(_CELLS, _CELLS)
    blurred: Floats = gaussian_filter(counted.astype(np.float32), _BLUR, mode="constant")
    return blurred


def _peak(at: np.typing.NDArray[np.uint16], everything: Floats) -> tuple[float, float]:
    """Where a genre is dense, and more so than others are: the mean of its tracks around that cell."""
    own = _density(at)
    best = np.unravel_index(np.argmax(own * np.sqrt(own / np.maximum(everything, 1e-6))), own.shape)
    size = (GRID + 1) / _CELLS
    middle = (np.array(best, np.float64) + 0.5) * size
    near: Rows = np.flatnonzero((np.abs(at - middle) <= 2.5 * size).all(axis=1))
    x, y = at[near].mean(axis=0) if len(near) else middle
    return round(float(x), 1), round(float(y), 1)
