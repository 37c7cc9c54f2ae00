"""Points of many dimensions in two, so that what is near stays near, and far apart stays far apart: PaCMAP.

Wang, Huang, Rudin, Shaposhnik, "Understanding How Dimension Reduction Tools Work", JMLR 22 (2021), algorithm 1: pairs of near,
of middling and of far points pull and push, in three phases, under Adam. Here on NumPy alone: docs/map.md has why, and figures.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt

from backend.features.columns import Floats

Rows = npt.NDArray[np.int64]
Told = Callable[[float], None]
"""Takes the share that is done, 0 to 1; may raise to end the work."""

NEAR: Final = 10
_MIDDLE: Final = 5
_OF_ALBUM: Final = 3
_FAR: Final = 20
_MORE: Final = 50  # neighbours looked at besides, of which the near ones in scaled distance are taken
_PHASES: Final = (100, 100, 250)
_AT_ONCE: Final = 512
_SEED: Final = 0
_ROOM: Final = 0.35  # of the distance that points had if they were spread evenly over the square
_INNER: Final = 0.9  # of all points; the others are drawn in
_DRAWN_IN: Final = 0.4
_PUSHED: Final = 7  # each its six nearest
_ROUNDS: Final = 40


def ignore(_share: float) -> None:
    """Tells nobody."""


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Which points pull or push which.

    Attributes:
        first, second: m points each.
        reach: m; a pair's pull is weight × reach / (reach + d²)²; negative where it pushes.
    """

    first: Rows
    second: Rows
    reach: float
    push: bool = False

    @classmethod
    def of(cls, table: Rows, reach: float, *, push: bool = False) -> Self:
        """Of each point its partners, n × k."""
        return cls(np.repeat(np.arange(len(table)), table.shape[1]), table.ravel(), reach, push)

    def pull(self, at: Floats, weight: float) -> Floats:
        """The gradient on each point, n × 2."""
        apart = at[self.first] - at[self.second]
        squared = np.einsum("ij,ij->i", apart, apart) + np.float32(1 + self.reach)
        force = apart * (np.float32((-2 if self.push else 2) * weight * self.reach) / squared**2)[:, None]
        n = len(at)
        found = np.empty_like(at)
        for axis in (0, 1):
            one = force[:, axis]
            found[:, axis] = np.bincount(self.first, one, n) - np.bincount(self.second, one, n)
        return found


def arranged(vectors: Floats, *, albums: Rows | None = None, seed: int = _SEED, told: Told = ignore) -> Floats:
    """Lay points out in the plane.

    Args:
        vectors: n × width, of length 1 (or 0).
        albums: n codes: few of a track's near ones are of its own album, or each album would be an island in no order.
        seed: draws the middling and the far pairs.
        told: how far it is.

    Returns:
        n × 2, the middle at 0. The same for the same input, to the last bit, on one machine.
    """
    n = len(vectors)
    if n <= NEAR:
        return _ring(n)
    rng = np.random.default_rng(seed)
    near = neighbours(vectors, min(NEAR + _MORE, n - 1), told=lambda share: told(0.2 * share))
    pairs = (
        _Pairs.of(_scaled(vectors, near, albums), 10),
        _Pairs.of(_middling(vectors, rng), 10_000),
        _Pairs.of(rng.integers(0, n, (n, _FAR)), 1, push=True),
    )
    at = _first(vectors)
    mean, square = np.zeros_like(at), np.zeros_like(at)
    rounds = sum(_PHASES)
    for i in range(rounds):
        gradient = sum(
            (pair.pull(at, weight) for pair, weight in zip(pairs, _weights(i), strict=True) if weight),
            np.zeros_like(at),
        )
        mean += np.float32(0.1) * (gradient - mean)
        square += np.float32(0.001) * (gradient**2 - square)
        rate = np.sqrt(1 - 0.999 ** (i + 1)) / (1 - 0.9 ** (i + 1))
        at -= np.float32(rate) * mean / (np.sqrt(square) + np.float32(1e-7))
        if i % 10 == 0:
            told(0.2 + 0.8 * i / rounds)
    return spread(_drawn_in(at))


def _drawn_in(at: Floats) -> Floats:
    """The middle at 0, and what lies far out drawn nearer: islands that nothing ties to the rest would leave it no room."""
    away = at - np.median(at, axis=0)
    radius = np.linalg.norm(away, axis=1)
    edge = float(np.quantile(radius, _INNER))
    nearer = np.where(radius > edge, edge + _DRAWN_IN * (radius - edge), radius)
    found: Floats = (away * (nearer / np.maximum(radius, 1e-9))[:, None]).astype(np.float32)
    return found


def spread(at: Floats, *, rounds: int = _ROUNDS) -> Floats:
    """The same picture with room around every point: tracks of one album would lie on one dot.

    Points nearer to each other than a third of what they had if all were spread evenly push each other away, by and by, each
    its nearest ones only: islands swell, and stay where they are.

    Args:
        at: n × 2.
        rounds: how often they push.
    """
    from scipy.spatial import cKDTree

    n = len(at)
    found = at.astype(np.float64)
    wanted = _ROOM * float(np.ptp(found, axis=0).max()) / np.sqrt(n)
    turn = 2 * np.pi * np.arange(n) * (np.sqrt(5) - 1) / 2
    ways = np.column_stack([np.cos(turn), np.sin(turn)])  # for points that lie on one another
    if not wanted > 0:
        disc: Floats = (at + ways * np.sqrt(np.arange(n) / n)[:, None]).astype(np.float32)
        return disc
    for _ in range(rounds):
        apart, others = cKDTree(found).query(found, k=min(_PUSHED, n))
        away = found[:, None] - found[others]
        same = apart < 1e-6 * wanted
        away[same] = np.broadcast_to(ways[:, None], away.shape)[same]
        length = np.where(same, 1.0, apart)
        push = np.where(others == np.arange(n)[:, None], 0.0, np.clip(wanted - apart, 0, None) / length)
        found += 0.3 * np.einsum("ij,ijk->ik", push, away)
    return found.astype(np.float32)


def neighbours(vectors: Floats, k: int, *, among: Floats | None = None, told: Told = ignore) -> Rows:
    """Of each vector the k others of the greatest product, the greatest first; part by part, so that memory is bounded.

    Args:
        vectors: n × width.
        k: fewer than there are.
        among: where they are looked for; the vectors themselves, each without itself, when None.
        told: how far it is.
    """
    where = np.ascontiguousarray(vectors if among is None else among)
    found = np.empty((len(vectors), k), np.int64)
    for start in range(0, len(vectors), _AT_ONCE):
        part = np.ascontiguousarray(vectors[start : start + _AT_ONCE])
        if among is not None:
            found[start : start + len(part)] = _greatest(part, where, k)
            continue
        near = _greatest(part, where, k + 1)
        own = near == np.arange(start, start + len(part))[:, None]
        own[~own.any(axis=1), -1] = True  # others are as near as it is to itself: the last one is left out
        found[start : start + len(part)] = near[~own].reshape(len(part), k)
        told(start / len(vectors))
    return found


def _greatest(vectors: Floats, among: Floats, k: int) -> Rows:
    import faiss  # 20 MB that no other question needs

    faiss.omp_set_num_threads(1)  # the rest of the machine answers requests
    _, found = faiss.knn(vectors, among, k, metric=faiss.METRIC_INNER_PRODUCT)
    rows: Rows = found
    return rows


def _scaled(vectors: Floats, near: Rows, albums: Rows | None) -> Rows:
    """The nearest in distance² / (σᵢ σⱼ), where σ is how far a point's fourth to sixth neighbours are."""
    squared = np.empty(near.shape, np.float32)
    for start in range(0, len(vectors), _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        apart = vectors[near[part]] - vectors[part][:, None]
        squared[part] = np.einsum("ijk,ijk->ij", apart, apart)
    sigma = np.maximum(np.sqrt(squared[:, 3:6]).mean(axis=1), 1e-10)
    order = np.argsort(squared / (sigma[:, None] * sigma[near]), axis=1, kind="stable")
    near = np.take_along_axis(near, order, axis=1)
    if albums is not None:
        own = albums[near] == albums[:, None]
        last = own & (np.cumsum(own, axis=1) > _OF_ALBUM)
        near = np.take_along_axis(near, np.argsort(last, axis=1, kind="stable"), axis=1)
    found: Rows = near[:, :NEAR]
    return found


def _middling(vectors: Floats, rng: np.random.Generator) -> Rows:
    """Of each point, five times, the second nearest of six drawn ones."""
    n = len(vectors)
    found = np.empty((n, _MIDDLE), np.int64)
    for i in range(_MIDDLE):
        drawn = rng.integers(0, n, (n, 6))
        products = np.empty((n, 6), np.float32)
        for start in range(0, n, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            products[part] = np.einsum("ijk,ik->ij", vectors[drawn[part]], vectors[part])
        found[:, i] = drawn[np.arange(n), np.argsort(-products, axis=1, kind="stable")[:, 1]]
    return found


def _first(vectors: Floats) -> Floats:
    """The two main directions, small; the sign of each so that its greatest part is positive."""
    middle = vectors - vectors.mean(axis=0)
    _, axes = np.linalg.eigh((middle.T @ middle).astype(np.float64))
    axes = axes[:, ::-1][:, :2]
    axes = axes * np.sign(axes[np.argmax(np.abs(axes), axis=0), np.arange(axes.shape[1])])
    found = np.zeros((len(vectors), 2), np.float32)
    found[:, : axes.shape[1]] = 0.01 * (middle @ axes.astype(np.float32))
    return found


def _weights(i: int) -> tuple[float, float, float]:
    """Of near, middling and far pairs in round i."""
    first, second, _ = _PHASES
    if i < first:
        share = i / first
        return 2.0, 1000 * (1 - share) + 3 * share, 1.0
    return (3.0, 3.0, 1.0) if i < first + second else (1.0, 0.0, 1.0)


def _ring(n: int) -> Floats:
    """Points too few to tell anything by: evenly on a circle."""
    turn = 2 * np.pi * np.arange(n) / max(n, 1)
    radius = 0 if n == 1 else 1
    return (radius * np.column_stack([np.cos(turn), np.sin(turn)])).astype(np.float32)
