"""Weighted figures: means, spread, quantiles, shares, the distance of two distributions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import scipy.sparse

Values = npt.NDArray[np.float64]
DECILES = np.arange(0.1, 0.95, 0.1)


def incidence(labels: Sequence[Sequence[str]]) -> tuple[Any, list[str]]:
    """Which track bears which label: n_tracks × n_labels of 0 and 1, sparse, and the labels by name."""
    names = sorted({label for of_track in labels for label in of_track})
    at = {name: i for i, name in enumerate(names)}
    pairs = [(row, at[label]) for row, of_track in enumerate(labels) for label in dict.fromkeys(of_track)]
    rows, columns = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    return scipy.sparse.csr_matrix((np.ones(len(rows)), (rows, columns)), shape=(len(labels), len(names))), names


def quantiles(values: Values, weights: Values, at: Values = DECILES) -> Values:
    """Weighted quantiles: each value stands in the middle of its weight, and between two the line counts.

    With equal weights this is the fifth of the nine definitions of Hyndman and Fan (1996).

    >>> quantiles(np.array([1.0, 2.0, 3.0]), np.array([1.0, 1.0, 1.0]), np.array([0.5])).tolist()
    [2.0]
    >>> quantiles(np.array([1.0, 9.0]), np.array([3.0, 1.0]), np.array([0.375])).tolist()
    [1.0]
    """
    order = np.argsort(values, kind="stable")
    weights = weights[order]
    middle = (np.cumsum(weights) - weights / 2) / weights.sum()
    return np.interp(at, middle, values[order])


def effective(weights: Values) -> float:
    """How many independent observations weights are worth: (Σw)² / Σw² (Kish 1965).

    >>> effective(np.array([1.0, 1.0, 1.0, 1.0])), effective(np.array([1000.0, 0.0]))
    (4.0, 1.0)
    """
    squares = float((weights**2).sum())
    return float(weights.sum()) ** 2 / squares if squares else 0.0


def divergence(one: Mapping[str, float], other: Mapping[str, float]) -> float | None:
    """How far two distributions are apart: Jensen and Shannon's divergence in bits, 0 (the same) to 1 (nothing in common).

    Args:
        one: a weight per name; need not sum to 1.
        other: likewise.

    Returns:
        None when one of them is empty.

    >>> divergence({"a": 2, "b": 2}, {"a": 5, "b": 5}), divergence({"a": 1}, {"b": 1}), divergence({}, {"b": 1})
    (0.0, 1.0, None)
    """
    names = sorted(one.keys() | other.keys())
    p, q = (np.array([of.get(name, 0.0) for name in names], dtype=np.float64) for of in (one, other))
    if not p.sum() or not q.sum():
        return None
    p, q = p / p.sum(), q / q.sum()
    middle = (p + q) / 2

    def entropy(values: Values) -> float:
        known = values[values > 0]
        return float(-(known * np.log2(known)).sum())

    return round(max(0.0, entropy(middle) - (entropy(p) + entropy(q)) / 2), 6)
