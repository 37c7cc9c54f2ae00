"""95 % intervals by the bootstrap over playlists or listeners (Efron, Tibshirani 1993: percentiles of 2,000 draws)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from backend.features.columns import Values

DRAWS: Final = 2_000
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean over units, and between what it lies in 95 of 100 draws of as many units.

    Attributes:
        mean: of the units in which the measure is known.
        low, high: the 2.5 % and 97.5 % quantiles.
        units: how many.
    """

    mean: float
    low: float
    high: float
    units: int

    def apart(self, other: Interval) -> bool:
        """Whether the two don't overlap."""
        return self.low > other.high or other.low > self.high


def interval(values: Values) -> Interval | None:
    """Of some units' values; NaN are left out, None when nothing is left."""
    known = values[~np.isnan(values)]
    if not len(known):
        return None
    rng = np.random.default_rng(_SEED)
    means = np.array([known[rng.integers(0, len(known), len(known))].mean() for _ in range(DRAWS)])
    low, high = np.quantile(means, (0.025, 0.975))
    return Interval(float(known.mean()), float(low), float(high), len(known))


def difference(values: Values, others: Values) -> Interval | None:
    """Of values less others of the same units: paired, so that what makes a unit easy or hard for all counts for nothing."""
    return interval(values - others)
