"""The baselines: each learns from training rows alone, and says a value (of flags also how likely) per test row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

Array: TypeAlias = npt.NDArray[Any]

_SMOOTHING: Final = 1.0  # training rows' mean counts as one more track of the artist


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Tracks: n × features, the target, the artist's folded name ("" where unknown) and popularity (NaN where unknown)."""

    x: Array
    y: Array
    artists: Array
    popularity: Array

    def take(self, rows: Array) -> Rows:
        """Some of them."""
        return Rows(x=self.x[rows], y=self.y[rows], artists=self.artists[rows], popularity=self.popularity[rows])


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a baseline says: values, and of flags the probability of a yes."""

    values: Array
    likely: Array | None = None


Baseline: TypeAlias = Callable[[Rows, Rows, str, int], Said]
"""Told training rows, test rows, the kind of the target ("number", "class", "flag") and a seed."""


def plain(train: Rows, test: Rows, kind: str, seed: int) -> Said:
    """The most frequent class, or the mean."""
    n = len(test.y)
    if kind == "number":
        return Said(values=np.full(n, train.y.mean()))
    return Said(values=np.full(n, _most(train.y)), likely=np.full(n, train.y.mean()) if kind == "flag" else None)


def popularity(train: Rows, test: Rows, kind: str, seed: int) -> Said:
    """A linear model of the track's popularity alone."""
    one = [Rows(x=r.popularity[:, None], y=r.y, artists=r.artists, popularity=r.popularity) for r in (train, test)]
    return linear(one[0], one[1], kind, seed)


def artist(train: Rows, test: Rows, kind: str, seed: int) -> Said:
    """The artist's most frequent class, or mean drawn towards all tracks'; of artists not in training, what `plain` says."""
    names, codes = np.unique(train.artists, return_inverse=True)
    place = np.searchsorted(names, test.artists).clip(max=len(names) - 1)
    known = (names[place] == test.artists) & (test.artists != "")
    if kind == "class":
        classes, of = np.unique(train.y.astype(str), return_inverse=True)
        counts = np.zeros((len(names), len(classes)), np.int64)
        np.add.at(counts, (codes, of), 1)
        return Said(values=np.where(known, classes[counts.argmax(axis=1)][place], _most(train.y)))
    mean = train.y.mean()
    of_artist = (np.bincount(codes, train.y) + _SMOOTHING * mean) / (np.bincount(codes) + _SMOOTHING)
    found = np.where(known, of_artist[place], mean)
    return Said(values=found) if kind == "number" else Said(values=(found >= 0.5).astype(float), likely=found)


def linear(train: Rows, test: Rows, kind: str, seed: int) -> Said:
    """Ridge or logistic regression on standardised features."""
    last = Ridge() if kind == "number" else LogisticRegression(max_iter=500)
    return _fitted(make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), last), train, test, kind)


def boosting(train: Rows, test: Rows, kind: str, seed: int) -> Said:
    """Gradient boosting over histograms."""
    of = HistGradientBoostingRegressor if kind == "number" else HistGradientBoostingClassifier
    return _fitted(of(max_iter=100, max_leaf_nodes=15, early_stopping=False, random_state=seed), train, test, kind)


BASELINES: Final[Mapping[str, Baseline]] = {
    "majority or mean": plain,
    "popularity": popularity,
    "artist": artist,
    "logistic or ridge": linear,
    "gradient boosting": boosting,
}


def _fitted(model: Any, train: Rows, test: Rows, kind: str) -> Said:
    model.fit(train.x, train.y)
    likely = model.predict_proba(test.x)[:, 1] if kind == "flag" else None
    return Said(values=model.predict(test.x), likely=likely)


def _most(y: Array) -> Any:
    values, counts = np.unique(y.astype(str) if y.dtype == object else y, return_counts=True)
    return values[counts.argmax()]
