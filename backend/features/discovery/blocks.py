"""Groups of features as vectors of length 1: the product of two of them says how alike two tracks are in that group.

A row of which nothing is known in a group is all 0 there: it adds nothing, for or against. What a block learnt is plain numbers
and arrays, so that a track that comes later gets the same vector.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import scipy.sparse as sp
from scipy.special import ndtri
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits

from backend.features.columns import CONTINUOUS, Floats, Values, floats, lists
from backend.features.multihot import flat

Learnt = Mapping[str, Any]
"""What a block learnt: texts, numbers and arrays."""

_QUANTILES: Final = 101
_LEARNT_FROM: Final = 200_000  # tracks, evenly spaced where there are more: figures no longer change
_SEED: Final = 0


class Block(Protocol):
    """One group of features."""

    @property
    def name(self) -> str:
        """Of the group, as contributions name it."""
        ...

    @property
    def width(self) -> int:
        """Numbers of a vector; 0 where nothing could be learnt."""
        ...

    def vectors(self, tracks: pa.Table) -> Floats:
        """n_tracks × width; rows of length 1, or all 0 where nothing is known."""
        ...

    def learnt(self) -> Learnt:
        """For `restore`."""
        ...


def unit(rows: npt.NDArray[Any]) -> Floats:
    """Rows of length 1; those of length 0 as they are."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Floats = (rows / np.where(lengths > 0, lengths, 1)).astype(np.float32)
    return scaled


@dataclass(frozen=True, slots=True)
class Audio:
    """The nine continuous audio features, each as the normal score of its rank, whatever its scale and its skew.

    Attributes:
        knots: 9 × 101, the quantiles of the tracks learnt from; a row of NaN where a feature says nothing.
    """

    knots: Values
    name: str = "audio"

    @classmethod
    def fit(cls, tracks: pa.Table) -> Self:
        """Learn the quantiles."""
        rows = []
        for field in CONTINUOUS:
            values = floats(tracks, field)
            values = values[~np.isnan(values)]
            spread = values.size and np.ptp(values) > 1e-9 * max(1.0, float(np.abs(values).max()))
            rows.append(np.quantile(values, np.linspace(0, 1, _QUANTILES)) if spread else np.full(_QUANTILES, np.nan))
        return cls(np.array(rows))

    @property
    def width(self) -> int:
        """See `Block`."""
        return len(CONTINUOUS)

    def scores(self, values: Values) -> Values:
        """n_tracks × 9 normal scores of as many values; NaN where unknown."""
        ranks = np.full(values.shape, np.nan)
        for i, knots in enumerate(self.knots):
            if not np.isnan(knots[0]):
                ranks[:, i] = _rank(values[:, i], knots)
        found: Values = ndtri(ranks)
        return found

    def vectors(self, tracks: pa.Table) -> Floats:
        """See `Block`; what is unknown counts as the middle."""
        values = np.column_stack([floats(tracks, field) for field in CONTINUOUS])
        return unit(np.nan_to_num(self.scores(values)))

    def learnt(self) -> Learnt:
        """See `Block`."""
        return {"knots": self.knots}


# Half a step inside the ends: the normal score of 0 and of 1 is infinite.
_POSITIONS: Final = np.clip(np.linspace(0, 1, _QUANTILES), 0.5 / _QUANTILES, 1 - 0.5 / _QUANTILES)


def _rank(values: Values, knots: Values) -> Values:
    """Each value's rank, from 0 to 1. A value at which many knots lie has the middle of their ranks."""
    low = np.interp(values, knots, _POSITIONS)
    high = 1 - np.interp(-values, -knots[::-1], _POSITIONS)
    found: Values = (low + high) / 2
    return found


@dataclass(frozen=True, slots=True)
class Landmarks:
    """One number as its nearness to landmarks: two values within `reach` are alike, far ones are not, on whatever scale they lie.

    Attributes:
        name: of the group.
        field: of the track.
        low, high: of the landmarks, which are `reach` apart.
        reach: standard deviation of the nearness; at a distance d the product is about exp(-d² / (4 reach²)).
    """

    name: str
    field: str
    low: float
    high: float
    reach: float

    @property
    def width(self) -> int:
        """See `Block`."""
        return int((self.high - self.low) / self.reach) + 1

    def at(self, values: Values) -> Floats:
        """The vectors of some values; NaN is unknown, and what lies outside counts as the end."""
        marks = self.low + self.reach * np.arange(self.width)
        inside = np.clip(values, self.low, self.high)
        near = np.exp(-0.5 * ((inside[:, None] - marks) / self.reach) ** 2)
        return unit(np.where(np.isnan(values)[:, None], 0, near))

    def vectors(self, tracks: pa.Table) -> Floats:
        """See `Block`."""
        return self.at(floats(tracks, self.field))

    def learnt(self) -> Learnt:
        """See `Block`."""
        return {}


YEAR: Final = Landmarks("year", "release_year", 1900, 2044, 6)
POPULARITY: Final = Landmarks("popularity", "popularity", 0, 100, 20)


@dataclass(frozen=True, slots=True)
class Tags:
    """Genres or moods by TF-IDF and a truncated SVD, so that "detroit techno" is near "techno" though they are two names.

    idf = ln((1 + n) / (1 + n_tag)) + 1; lists have length 1 before they are projected and after.

    Attributes:
        name: the field, and the group's name.
        tags: those that count.
        idf: of each.
        axes: n_tags × width.
    """

    name: str
    tags: Sequence[str]
    idf: Values
    axes: Floats

    @classmethod
    def fit(cls, tracks: pa.Table, field: str, *, dimensions: int) -> Self:
        """Learn names, weights and axes."""
        step = math.ceil(tracks.num_rows / _LEARNT_FROM) or 1
        some = tracks.take(np.arange(0, tracks.num_rows, step)) if step > 1 else tracks
        rows, codes, names = flat(lists(some, field))
        order = np.argsort(np.array(names, dtype=object), kind="stable") if names else np.empty(0, np.int64)
        place = np.empty(len(names), np.int64)
        place[order] = np.arange(len(names))
        tags = [names[i] for i in order]
        found = np.bincount(place[codes], minlength=len(tags)) if len(codes) else np.zeros(len(tags))
        idf = np.log((1 + some.num_rows) / (1 + found)) + 1
        matrix = _tf_idf(rows, place[codes] if len(codes) else codes, idf, n=some.num_rows)
        return cls(field, tags, idf, _axes(matrix, dimensions))

    @property
    def width(self) -> int:
        """See `Block`."""
        return int(self.axes.shape[1])

    def vectors(self, tracks: pa.Table) -> Floats:
        """See `Block`; tags that were not learnt are passed over."""
        rows, codes, names = flat(lists(tracks, self.name))
        place = {tag: i for i, tag in enumerate(self.tags)}
        known = np.array([place.get(name, -1) for name in names], np.int64)
        columns = known[codes] if len(codes) else codes
        there = columns >= 0
        matrix = _tf_idf(rows[there], columns[there], self.idf, n=tracks.num_rows)
        return unit(matrix @ self.axes)

    def of(self, weights: Mapping[str, float]) -> Floats:
        """The vector, 1 × width, of tags named by themselves."""
        place = {tag: i for i, tag in enumerate(self.tags)}
        row = np.zeros(len(self.tags))
        for tag, weight in weights.items():
            if tag in place:
                row[place[tag]] = weight * self.idf[place[tag]]
        return unit((row @ self.axes)[None, :])

    def learnt(self) -> Learnt:
        """See `Block`."""
        return {"tags": list(self.tags), "idf": self.idf, "axes": self.axes}


def _tf_idf(rows: npt.NDArray[np.int64], columns: npt.NDArray[np.int64], idf: Values, *, n: int) -> Any:
    """N × n_tags, rows of length 1."""
    values = idf[columns] if len(columns) else np.empty(0)
    lengths = np.sqrt(np.bincount(rows, values**2, minlength=n))
    return sp.csr_matrix((values / lengths[rows], (rows, columns)), shape=(n, len(idf)))


def _axes(matrix: Any, dimensions: int) -> Floats:
    """The directions in which lists differ most; all there are where they are few, so that nothing is lost."""
    n_tags = int(matrix.shape[1])
    if n_tags <= dimensions:
        return np.eye(n_tags, dtype=np.float32)
    with threadpool_limits(1):  # the same to the last bit, whatever else the machine does
        model = TruncatedSVD(dimensions, random_state=_SEED).fit(matrix)
    axes: Floats = model.components_.T.astype(np.float32)
    return axes
