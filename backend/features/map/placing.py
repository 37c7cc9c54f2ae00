"""Putting tracks beside those that sound like them, without moving any that stands already."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from backend.features.columns import Floats
from backend.features.discovery.songs import Codes
from backend.features.map.layout import Rows, neighbours

_NEIGHBOURS: Final = 8
_SHARPNESS: Final = 20.0  # of weights e^(sharpness × (product - greatest product))
_ROOM: Final = 5  # the neighbour in the plane whose distance is the room that a point has
_WIDEST: Final = 4.0  # times the usual room: lone points do not throw others far away


@dataclass(frozen=True, slots=True)
class Anchors:
    """Points that stand, by which others are placed.

    Attributes:
        vectors: m × width (see `sound`).
        at: m × 2, where they stand.
        room: m, how far it is to other anchors around.
    """

    vectors: Floats
    at: Floats
    room: Floats

    @classmethod
    def of(cls, vectors: Floats, at: Floats) -> Self:
        """Of the vectors and places of anchors, at least one."""
        return cls(vectors, at, _rooms(at))

    def placed(self, vectors: Floats, codes: Codes) -> Floats:
        """Where new points stand: at the weighted mean of the most alike anchors around the best, and a little beside it.

        Of the anchors that are alike those count that stand near the best one, too: between two islands there is sea. How far
        and in which direction a point stands beside is drawn from its code, so that equal points are seen as several, and the
        same point always stands at the same place.

        Args:
            vectors: n × width.
            codes: n, of the tracks' ids.

        Returns:
            n × 2.
        """
        near = neighbours(vectors, min(_NEIGHBOURS, len(self.at)), among=self.vectors)
        return self._mean(vectors, near) + self._beside(near[:, 0], codes)

    def _mean(self, vectors: Floats, near: Rows) -> Floats:
        products = np.einsum("ijk,ik->ij", self.vectors[near], vectors)
        places = self.at[near]
        apart = np.linalg.norm(places - places[:, :1], axis=2) / np.maximum(self.room[near[:, 0]], 1e-9)[:, None]
        weights = np.exp(_SHARPNESS * (products - products[:, :1]) - 0.5 * (apart / _WIDEST) ** 2)
        weights /= weights.sum(axis=1, keepdims=True)
        mean: Floats = np.einsum("ij,ijk->ik", weights, places).astype(np.float32)
        return mean

    def _beside(self, best: Rows, codes: Codes) -> Floats:
        turn, share = _drawn(codes)
        radius = self.room[best] * np.sqrt(share)
        beside: Floats = (radius[:, None] * np.column_stack([np.cos(turn), np.sin(turn)])).astype(np.float32)
        return beside


def _rooms(at: Floats) -> Floats:
    """How far each point's fifth neighbour is, in the plane; never nothing, and never very far."""
    from sklearn.neighbors import NearestNeighbors

    n = len(at)
    if n == 1:
        return np.ones(1, np.float32)
    k = min(_ROOM, n - 1)
    distances, _ = NearestNeighbors(n_neighbors=k).fit(at).kneighbors()
    far = distances[:, -1]
    usual = float(np.median(far)) or float(np.ptp(at)) / max(np.sqrt(n), 1) or 1.0
    rooms: Floats = np.clip(far, 0.25 * usual, _WIDEST * usual).astype(np.float32)
    return rooms


def _drawn(codes: Codes) -> tuple[Floats, Floats]:
    """An angle and a share of 1 out of each code: its bits are as good as drawn."""
    bits = codes.view(np.uint64)
    turn = (bits & np.uint64(0xFFFFFF)).astype(np.float32) * np.float32(2 * np.pi / 2**24)
    share = ((bits >> np.uint64(24)) & np.uint64(0xFFFFFF)).astype(np.float32) / np.float32(2**24)
    return turn, share
