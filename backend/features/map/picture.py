"""What a client draws: the tracks of one moment in an order of which every beginning is a fair sample."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.songs import Codes, text_codes
from backend.features.map.layout import Rows
from backend.features.map.plane import Plane, living
from backend.utils.errors import InvalidInputError

_AT_ONCE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Picture:
    """n tracks by rising code of their ids: as codes are as good as drawn, the first thousand are spread like all.

    Attributes:
        version: changes when a track comes, goes, or stands elsewhere; the same after a restart.
        index: the catalogue.
        plane: where everything stands.
        rows: n, of the index.
        at: n × 2 on the grid.
    """

    version: str
    index: DiscoveryIndex
    plane: Plane
    rows: Rows
    at: npt.NDArray[np.uint16]

    @classmethod
    def of(cls, index: DiscoveryIndex, plane: Plane) -> Self:
        """Of a plane that has every track of the index."""
        rows, codes = living(index)
        at = plane.grid(codes)
        digest = blake2b(codes.tobytes(), digest_size=8)
        digest.update(at.tobytes())
        return cls(digest.hexdigest(), index, plane, rows, at)

    def __len__(self) -> int:
        return len(self.rows)

    def rows_of(self, ids: Sequence[str]) -> Rows:
        """Rows of the picture of those ids that are on it, in their order."""
        return self.found(ids)[1]

    def found(self, ids: Sequence[str]) -> tuple[Rows, Rows]:
        """Of some ids the places of those that are on the picture, and the rows of these."""
        asked = text_codes(ids)
        codes = self.index.rows.ids[self.rows]
        if not len(codes):
            return codes[:0], codes[:0]
        rows = np.minimum(np.searchsorted(codes, asked), len(codes) - 1)
        there = np.flatnonzero(codes[rows] == asked)
        return there, rows[there]

    def within(self, box: tuple[float, float, float, float]) -> Rows:
        """Rows inside a box: left, low, right, high, on the grid."""
        left, low, right, high = box
        x, y = self.at[:, 0], self.at[:, 1]
        return np.flatnonzero((x >= left) & (x <= right) & (y >= low) & (y <= high))

    def inside(self, polygon: Sequence[tuple[float, float]]) -> Rows:
        """Rows inside a closed line, by counting how often a ray crosses it.

        Args:
            polygon: at least three corners on the grid.

        Raises:
            InvalidInputError: there are fewer corners.
        """
        if len(polygon) < 3:
            raise InvalidInputError("A line around tracks needs at least three corners")
        corners = np.array(polygon, np.float64)
        near = self.within((*corners.min(axis=0), *corners.max(axis=0)))
        found = [_crossed(self.at[part], corners) for part in _parts(near)]
        return near[np.concatenate(found)] if found else near

    def nearest(self, x: float, y: float, k: int) -> Rows:
        """The k rows nearest to a place, the nearest first."""
        squared = (self.at[:, 0] - np.float32(x)) ** 2 + (self.at[:, 1] - np.float32(y)) ** 2
        k = min(k, len(squared))
        best = np.argpartition(squared, k - 1)[:k] if k else np.empty(0, np.int64)
        return best[np.lexsort((best, squared[best]))]

    def checked(self, rows: Sequence[int]) -> Rows:
        """Rows that a client names.

        Raises:
            InvalidInputError: there is no such row.
        """
        wanted = np.asarray(rows, np.int64)
        if len(wanted) and (wanted.min() < 0 or wanted.max() >= len(self)):
            raise InvalidInputError(f"The map has rows 0 to {len(self) - 1}; row {int(wanted.max())} is none of them")
        return wanted

    def cards(self, rows: Rows) -> list[dict[str, Any]]:
        """What is shown of some rows, each with its `row` and its place `x`, `y` on the grid."""
        shown = self.index.rows.cards(self.rows[rows])
        places = self.at[rows].tolist()
        return [
            {"row": int(row), "x": x, "y": y, **card} for row, (x, y), card in zip(rows, places, shown, strict=True)
        ]

    def ids(self, rows: Rows) -> list[str]:
        """The ids of some rows."""
        return self.index.rows.names(self.rows[rows])


def _parts(rows: Codes) -> list[Rows]:
    return [rows[start : start + _AT_ONCE] for start in range(0, len(rows), _AT_ONCE)]


def _crossed(at: npt.NDArray[np.uint16], corners: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    x, y = at[:, 0].astype(np.float64), at[:, 1].astype(np.float64)
    odd = np.zeros(len(at), bool)
    for (ax, ay), (bx, by) in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        if ay == by:
            continue
        spans = (ay > y) != (by > y)
        odd ^= spans & (x < ax + (y - ay) * (bx - ax) / (by - ay))
    return odd
