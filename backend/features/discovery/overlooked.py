"""What some love and others overlook: from scores of listeners and critics, shrunk by how many gave them, and popularity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Self

import numpy as np
from scipy.optimize import nnls

from backend.features.columns import Flags, Values

BY_POPULARITY: Final = 0.25
"""What popularity counts in how much listeners love something: a hit is heard much, not loved as much."""
_LEAST: Final = 30  # scores from which spreads can be told
_USUAL: Final = 8.0  # reviews that weigh as much as the mean, where they cannot
_FEWEST, _MOST = 0.5, 200.0
_DECIMALS: Final = 6


class Overlooked(StrEnum):
    """Who overlooks what others love."""

    CRITICS = "critics"  # loved by listeners
    LISTENERS = "listeners"  # loved by critics
    EVERYBODY = "everybody"  # loved by the few who scored it


@dataclass(frozen=True, slots=True)
class Shrinkage:
    """Scores drawn towards their mean, the more the fewer reviews they are made of (empirical Bayes, normal model).

    A score s of n reviews is taken for (n · s + κ · mean) / (n + κ): the mean of a normal posterior when scores of different
    works vary by τ² and reviews of one by σ², κ = σ² / τ². Both are estimated from all scores by E[(s - mean)²] = τ² + σ² / n
    (least squares, not negative; method of moments: Efron and Morris 1975, doi:10.2307/2285814). Where fewer than 30 scores are
    known κ is 8, and it is kept from 0.5 to 200.

    Attributes:
        mean: of all scores, each weighted by n / (n + 1).
        kappa: κ, in reviews.
    """

    mean: float
    kappa: float

    @classmethod
    def fit(cls, scores: Values, counts: Values) -> Self:
        """Estimate from scores (NaN: unknown) and how many reviews each is made of (NaN or less than 1: counts as 1)."""
        known = ~np.isnan(scores)
        values, n = scores[known], _reviews(counts[known])
        if not len(values):
            return cls(float("nan"), _USUAL)
        mean = float(np.average(values, weights=n / (n + 1)))
        if len(values) < _LEAST or np.ptp(1 / n) < 1e-9 or np.ptp(values) == 0:
            return cls(mean, _USUAL)
        design = np.column_stack([np.ones(len(n)), 1 / n])
        (between, within), _ = nnls(design, (values - mean) ** 2)
        kappa = _MOST if between <= 0 else within / between
        return cls(mean, float(np.clip(kappa, _FEWEST, _MOST)))

    def of(self, scores: Values, counts: Values) -> Values:
        """The shrunk scores; the mean where none is known."""
        n = np.where(np.isnan(scores), 0, _reviews(counts))
        found: Values = (n * np.nan_to_num(scores) + self.kappa * self.mean) / (n + self.kappa)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """How works were received; n each, NaN where unknown.

    Attributes:
        user_score, critic_score: 0 to 100.
        user_count, critic_count: reviews that they are made of.
        popularity: 0 to 100.
    """

    user_score: Values
    user_count: Values
    critic_score: Values
    critic_count: Values
    popularity: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """Works by how much they are overlooked.

    Attributes:
        order: places of those that are, the most first.
        scores: n, in standard deviations.
        contributions: by name each one's share of the score; they sum to it.
        users, critics: the shrunk scores, 0 to 100.
        shrinkage: by whose scores, what they were shrunk by.
    """

    order: Sequence[int]
    scores: Values
    contributions: Mapping[str, Values]
    users: Values
    critics: Values
    shrinkage: Mapping[str, Shrinkage]


def judge(works: Reception, by: Overlooked, *, allowed: Flags | None = None) -> Judged:
    """Order works by how much they are loved and overlooked.

    With z the standard scores of the shrunk scores and of popularity (0 where unknown) and love = ¾ z(users) + ¼ z(popularity):
    overlooked by critics is love - z(critics), by listeners z(critics) - love, by everybody
    ½ z(users) + ½ z(critics) - z(popularity). Only what is loved is an answer: love, z(critics) or the mean of both above 0, made
    of a score that is known; and what is overlooked must be known to be: for "everybody" the popularity.

    Args:
        works: n; the catalogue, so that means and spreads are its own.
        by: who overlooks.
        allowed: n; which may be answered; all when None.
    """
    shrinkage = {
        "users": Shrinkage.fit(works.user_score, works.user_count),
        "critics": Shrinkage.fit(works.critic_score, works.critic_count),
    }
    users = shrinkage["users"].of(works.user_score, works.user_count)
    critics = shrinkage["critics"].of(works.critic_score, works.critic_count)
    has = {"users": ~np.isnan(works.user_score), "critics": ~np.isnan(works.critic_score)}
    z = {
        "users": _standard(users, has["users"]),
        "critics": _standard(critics, has["critics"]),
        "popularity": _standard(works.popularity, ~np.isnan(works.popularity)),
    }
    signs = _SIGNS[by]
    contributions = {name: np.round(factor * z[name], _DECIMALS) + 0.0 for name, factor in signs.items()}
    scores: Values = np.round(np.sum(list(contributions.values()), axis=0), _DECIMALS)
    love = (1 - BY_POPULARITY) * z["users"] + BY_POPULARITY * z["popularity"]
    loved = {
        Overlooked.CRITICS: has["users"] & (love > 0),
        Overlooked.LISTENERS: has["critics"] & (z["critics"] > 0),
        Overlooked.EVERYBODY: (has["users"] | has["critics"])
        & (z["users"] + z["critics"] > 0)
        & ~np.isnan(works.popularity),
    }[by]
    fit = loved & (scores > 0)
    if allowed is not None:
        fit &= allowed
    places = np.flatnonzero(fit)
    order = places[np.argsort(-scores[places], kind="stable")]
    return Judged(
        order=order.tolist(),
        scores=scores,
        contributions=contributions,
        users=users,
        critics=critics,
        shrinkage=shrinkage,
    )


_SIGNS: Final[Mapping[Overlooked, Mapping[str, float]]] = {
    Overlooked.CRITICS: {"users": 1 - BY_POPULARITY, "popularity": BY_POPULARITY, "critics": -1.0},
    Overlooked.LISTENERS: {"critics": 1.0, "users": BY_POPULARITY - 1, "popularity": -BY_POPULARITY},
    Overlooked.EVERYBODY: {"users": 0.5, "critics": 0.5, "popularity": -1.0},
}


def _reviews(counts: Values) -> Values:
    found: Values = np.where(np.isnan(counts) | (counts < 1), 1.0, counts)
    return found


def _standard(values: Values, known: Flags) -> Values:
    """Standard scores over what is known; 0 where it is not, or where all are the same."""
    if not known.any():
        return np.zeros(len(values))
    spread = float(values[known].std())
    if spread < 1e-9:
        return np.zeros(len(values))
    found: Values = np.where(known, (np.nan_to_num(values) - float(values[known].mean())) / spread, 0.0)
    return found
