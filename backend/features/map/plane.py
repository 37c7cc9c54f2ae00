"""Where every track stands: laid out once, grown as the catalogue grows; what stands does not move."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from backend.features.columns import Flags, Floats
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.songs import Codes
from backend.features.map.layout import Told, arranged, ignore
from backend.features.map.placing import Anchors
from backend.features.map.sound import sounds

ANCHORS: Final = 20_000
"""Tracks that are laid out against each other; all others are placed by them."""
FEW: Final = 12
"""Fewer tracks than this tell nothing by where they stand."""
SKETCH: Final = 500
"""A layout of fewer tracks is a sketch: once there are twice as many as it was drawn of, it is drawn anew."""
GRID: Final = 65_535
"""Places are whole numbers from 0 to this, on both axes."""
_MARGIN: Final = 0.08  # of the layout's extent, on each side, for what comes later
_SEED: Final = 0
_AT_ONCE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Plane:
    """n tracks, by rising code of their ids; those that left the catalogue keep their place for when they return.

    Attributes:
        layout: a name that no other layout has.
        drawn: of how many tracks it was drawn.
        codes: n (see `songs.code`).
        at: n × 2.
        anchors: n; which are those that others are placed by.
        corner, extent: of the square that the grid lies over; fixed with the layout.
    """

    layout: str
    drawn: int
    codes: Codes
    at: Floats
    anchors: Flags
    corner: tuple[float, float]
    extent: float

    @classmethod
    def drawn_of(cls, index: DiscoveryIndex, *, most: int = ANCHORS, told: Told = ignore) -> Self:
        """A new layout of a catalogue: of at most so many of its tracks, drawn by their codes; the others placed.

        Args:
            index: the catalogue.
            most: tracks that are laid out against each other.
            told: how far it is.
        """
        rows, codes = living(index)
        # The least of mixed codes are as good as drawn, and mostly the same ones next time.
        chosen = np.sort(np.argsort(_mixed(codes), kind="stable")[:most])
        share = min(1.0, 0.2 + 0.8 * len(chosen) / max(len(rows), 1))
        vectors = sounds(index, rows[chosen])
        known: Flags = np.asarray(vectors.any(axis=1))
        at = np.zeros((len(chosen), 2), np.float32)
        albums = index.rows.albums[rows[chosen]]
        at[known] = arranged(vectors[known], albums=albums[known], seed=_SEED, told=lambda done: told(share * done))
        at[~known] = _margin(at[known], codes[chosen][~known])
        corner, extent = _frame(at)
        plane = cls(
            layout=secrets.token_hex(8),
            drawn=len(rows),
            codes=codes[chosen],
            at=at,
            anchors=known,
            corner=corner,
            extent=extent,
        )
        return plane.grown(index, most=most, told=lambda done: told(share + (1 - share) * done))

    def grown(self, index: DiscoveryIndex, *, most: int = ANCHORS, told: Told = ignore) -> Self:
        """With every track of a catalogue; itself when it has them all. What stands keeps its place to the last bit.

        New tracks become anchors, too, while those are few: so what comes after them can stand beside them.
        """
        rows, codes = living(index)
        new = np.flatnonzero(~np.isin(codes, self.codes))
        if not len(new):
            return self
        anchored, places = _found(codes, self.codes[self.anchors])
        anchors = None
        if len(anchored):
            anchors = Anchors.of(sounds(index, rows[anchored]), self.at[self.anchors][places])
        at, known = np.empty((len(new), 2), np.float32), np.empty(len(new), bool)
        at_once = _AT_ONCE if anchors is not None else len(new)
        for start in range(0, len(new), at_once):
            some, part = new[start : start + at_once], slice(start, start + at_once)
            at[part], known[part] = self._places(sounds(index, rows[some]), codes[some], anchors)
            told(start / len(new))
        room = max(most - len(anchored), 0)
        joined = np.concatenate([self.codes, codes[new]])
        order = np.argsort(joined, kind="stable")
        return replace(
            self,
            codes=joined[order],
            at=np.concatenate([self.at, at])[order],
            anchors=np.concatenate([self.anchors, known & (np.cumsum(known) <= room)])[order],
        )

    def _places(self, vectors: Floats, codes: Codes, anchors: Anchors | None) -> tuple[Floats, Flags]:
        """Where new tracks stand, and of which of them something is known."""
        known: Flags = np.asarray(vectors.any(axis=1))
        at = np.empty((len(vectors), 2), np.float32)
        # Where no anchor is left in the catalogue, what comes is laid out by itself.
        at[known] = arranged(vectors[known]) if anchors is None else anchors.placed(vectors[known], codes[known])
        at[~known] = _margin(self.at, codes[~known])
        return at, known

    def is_outgrown_by(self, index: DiscoveryIndex) -> bool:
        """Whether it is a sketch of less than half the tracks that there are now."""
        return self.drawn < SKETCH and len(index) >= 2 * max(self.drawn, 1)

    def grid(self, codes: Codes) -> npt.NDArray[np.uint16]:
        """Places of tracks that stand here, n × 2 on the grid."""
        _, places = _found(codes, self.codes)
        share = (self.at[places] - np.array(self.corner, np.float32)) / np.float32(self.extent)
        places_on: npt.NDArray[np.uint16] = np.round(np.clip(share, 0, 1) * GRID).astype(np.uint16)
        return places_on


def living(index: DiscoveryIndex) -> tuple[Codes, Codes]:
    """The rows of the tracks that are there, and their codes, by rising code."""
    rows = np.flatnonzero(index.rows.alive)
    codes = index.rows.ids[rows]
    order = np.argsort(codes, kind="stable")
    return rows[order], codes[order]


def _found(codes: Codes, among: Codes) -> tuple[Codes, Codes]:
    """Of those codes that stand among others, where they stand here, and where there; both are in rising order."""
    places = np.minimum(np.searchsorted(among, codes), max(len(among) - 1, 0))
    here = np.flatnonzero(among[places] == codes) if len(among) else np.empty(0, np.int64)
    return here, places[here]


def _mixed(codes: Codes) -> npt.NDArray[np.uint64]:
    """Other numbers, as good as drawn, so that the first rows of a picture are not just the anchors."""
    return (codes.view(np.uint64) * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(16)


def _frame(at: Floats) -> tuple[tuple[float, float], float]:
    """The square around a layout."""
    if not len(at):
        return (-1.0, -1.0), 2.0
    low, high = at.min(axis=0), at.max(axis=0)
    extent = max(float((high - low).max()), 1e-6) * (1 + 2 * _MARGIN)
    middle = (low + high) / 2
    return (float(middle[0] - extent / 2), float(middle[1] - extent / 2)), extent


def _margin(at: Floats, codes: Codes) -> Floats:
    """Along the lower edge: tracks of which nothing is known that could be heard."""
    low = at.min(axis=0) if len(at) else np.full(2, -1.0)
    high = at.max(axis=0) if len(at) else np.full(2, 1.0)
    bits = codes.view(np.uint64)
    along = (bits & np.uint64(0xFFFFFF)).astype(np.float32) / np.float32(2**24)
    down = ((bits >> np.uint64(24)) & np.uint64(0xFFFFFF)).astype(np.float32) / np.float32(2**24)
    extent = max(float((high - low).max()), 1e-6)
    x, y = low[0] + along * (high[0] - low[0]), low[1] - extent * (0.03 + 0.03 * down)
    return np.column_stack([x, y]).astype(np.float32)
