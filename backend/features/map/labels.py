"""What is written on a map: each genre where it is densest, from the zoom on at which there is room for it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
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
_AT_ONCE: Final = 100_000
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
    table = picture.index.rows.table
    counted: Counter[str] = Counter()
    for _, codes, names in _tagged(picture, table):
        for i, n in enumerate(np.bincount(codes, minlength=len(names)).tolist()):
            counted[names[i]] += n
    order = [name for name, n in sorted(counted.items(), key=lambda item: (-item[1], item[0])) if n >= _LEAST][:most]
    cells = _cells(picture, table, order)
    everything = gaussian_filter(_grid(picture.at), _BLUR, mode="constant")
    found = [(name, family(name), *_peak(cells[:, i], everything), counted[name]) for i, name in enumerate(order)]
    found.sort(key=lambda label: (label[0] != label[1], -label[4], label[0]))
    return [
        MapLabel(name=name, family=of, x=x, y=y, weight=weight, zoom=_zoom(rank, is_family=name == of))
        for rank, (name, of, x, y, weight) in enumerate(found)
    ]


def _zoom(rank: int, *, is_family: bool) -> float:
    """From which there is room: four times as many labels fit at each zoom."""
    room = math.log(max(rank, 1) / _AT_FIRST, 4)
    return round(max(room, 0.0 if is_family else 0.5), 2)


def _tagged(picture: Picture, table: pa.Table) -> Iterator[tuple[Rows, Rows, list[str]]]:
    """Part by part, row of the picture and code of each genre of each track, and what the codes stand for."""
    place = np.full(len(picture.index.rows), -1, np.int64)
    place[picture.rows] = np.arange(len(picture))
    for start in range(0, table.num_rows, _AT_ONCE):
        rows, codes, names = flat(lists(table.slice(start, _AT_ONCE), "genres"))
        rows = place[start + rows]
        yield rows[rows >= 0], codes[rows >= 0], names


def _cells(picture: Picture, table: pa.Table, order: Sequence[str]) -> Floats:
    """3 × n_genres × cells × cells: how many tracks of a genre stand in a cell, and the sums of their x and y."""
    place = {name: i for i, name in enumerate(order)}
    found = np.zeros((3, len(order) * _CELLS**2), np.float32)
    for rows, codes, names in _tagged(picture, table):
        to = np.array([place.get(name, -1) for name in names], np.int64)
        genre = to[codes] if len(codes) else codes
        at = picture.at[rows[genre >= 0]]
        cell = genre[genre >= 0] * _CELLS**2 + _cell(at)
        for part, weights in enumerate((None, at[:, 0], at[:, 1])):
            sums = np.bincount(cell, weights) if weights is not None else np.bincount(cell)
            found[part, : len(sums)] += sums
    return found.reshape(3, len(order), _CELLS, _CELLS)


def _cell(at: npt.NDArray[np.uint16]) -> Rows:
    across, up = np.minimum(at.astype(np.int64) * _CELLS // (GRID + 1), _CELLS - 1).T
    cell: Rows = across * _CELLS + up
    return cell


def _grid(at: npt.NDArray[np.uint16]) -> Floats:
    return np.bincount(_cell(at), minlength=_CELLS**2).reshape(_CELLS, _CELLS).astype(np.float32)


def _peak(cells: Floats, everything: Floats) -> tuple[float, float]:
    """Where a genre is dense, and more so than others are: the mean of its tracks in and around that cell."""
    own = gaussian_filter(cells[0], _BLUR, mode="constant")
    across, up = np.unravel_index(np.argmax(own * np.sqrt(own / np.maximum(everything, 1e-6))), own.shape)
    around = cells[:, max(across - 2, 0) : across + 3, max(up - 2, 0) : up + 3].sum(axis=(1, 2))
    if not around[0]:
        size = (GRID + 1) / _CELLS
        return round((float(across) + 0.5) * size, 1), round((float(up) + 0.5) * size, 1)
    return round(float(around[1] / around[0]), 1), round(float(around[2] / around[0]), 1)
