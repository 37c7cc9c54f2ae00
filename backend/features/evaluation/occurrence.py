"""Measures of all lists together: how much of a catalogue is ever recommended, and how evenly."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from backend.features.columns import Values
from backend.features.discovery.songs import Codes


def occurrences(lists: Iterable[Codes], n: int) -> Codes:
    """In how many lists each of n items stands: N_k (Radovanović, Nanopoulos, Ivanović 2010)."""
    found = np.zeros(n, np.int64)
    for rows in lists:
        found += np.bincount(rows, minlength=n)
    return found


def reached(counts: Codes) -> float:
    """Share of the items that stand in a list: coverage of the catalogue over users' lists, reachability over items' own."""
    return float((counts > 0).mean()) if len(counts) else float("nan")


def skewness(counts: Codes) -> float:
    """Third standardised moment of N_k: 0 is even, above 1 there are hubs (Radovanović et al. 2010); NaN where all are alike."""
    values: Values = counts.astype(np.float64)
    spread = values.std() if len(values) else 0.0
    return float(((values - values.mean()) ** 3).mean() / spread**3) if spread > 0 else float("nan")
