"""What each group of features counts for, and learning it from playlists."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from backend.features.columns import Values
from backend.utils.errors import InvalidInputError

GROUPS: Final = ("audio", "year", "popularity", "genres", "moods", "listening", "artist", "album")
"""The groups that make two tracks alike; the last two are 1 for the same one and 0 for another."""
COMMONNESS: Final = "commonness"
"""What is taken off tracks that are near to everything (see `commonness`); it stands among the contributions."""

_RIDGE: Final = 1e-3
_NEGATIVES: Final = 300  # tracks drawn against the ones left out of a playlist


@dataclass(frozen=True, slots=True)
class Weights:
    """Shares of the score: none is negative, together they are 1.

    Attributes:
        of: by group of `GROUPS`.
    """

    of: Mapping[str, float]

    @classmethod
    def from_plain(cls, values: Mapping[str, float]) -> Self:
        """Any weights, brought to a sum of 1; groups that are not named count for nothing.

        Raises:
            InvalidInputError: a name is no group, a weight is negative, or all are 0.
        """
        strange = sorted(values.keys() - set(GROUPS))
        if strange:
            raise InvalidInputError(f"{', '.join(strange)}: no groups; there are {', '.join(GROUPS)}")
        total = sum(values.values())
        if min(values.values(), default=0) < 0 or not np.isfinite(total) or total <= 0:
            raise InvalidInputError("Weights must be 0 or greater, and one of them greater than 0")
        return cls({group: float(values.get(group, 0)) / total for group in GROUPS})


DEFAULT: Final = Weights.from_plain(
    {"audio": 1, "year": 2, "popularity": 1, "genres": 1, "moods": 1, "listening": 1, "artist": 1, "album": 2}
)
"""For catalogues that have no playlists: what was learnt on public ones, in tenths (docs/evaluation.md)."""


@dataclass(frozen=True, slots=True)
class Examples:
    """What a playlist's continuation looks like, group by group.

    Attributes:
        wanted: n_left_out × n_groups, of the tracks left out of one playlist.
        others: n_others × n_groups, of tracks drawn by chance.
    """

    wanted: Values
    others: Values


def learn(examples: Sequence[Examples], *, n_tracks: int) -> Weights:
    """The weights under which the tracks left out of playlists stand out most.

    Maximises the mean log-probability of each left-out track in a softmax over the catalogue, the drawn tracks standing for all
    of it (sampled softmax), with a ridge on the weights in units of each group's standard deviation; L-BFGS-B, not negative.

    Raises:
        InvalidInputError: there is nothing to learn from.
    """
    if not examples:
        raise InvalidInputError(
            "No playlist is long enough to learn weights from; 8 tracks of the catalogue are needed"
        )
    everything = np.concatenate([e.others for e in examples])
    scale = everything.std(axis=0)
    used = scale > 1e-9
    scale = np.where(used, scale, 1.0)

    def loss(weights: Values) -> tuple[float, Values]:
        total, slope = 0.0, np.zeros_like(weights)
        for example in examples:
            value, gradient = _softmax(example, weights / scale, n_tracks)
            total += value
            slope += gradient / scale
        n = len(examples)
        return total / n + _RIDGE * float(weights @ weights), slope / n + 2 * _RIDGE * weights

    start = np.where(used, 1.0, 0.0)
    bounds = [(0, None) if there else (0, 0) for there in used]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds).x / scale
    if found.sum() <= 0:
        return DEFAULT
    return Weights.from_plain({group: float(max(w, 0)) for group, w in zip(GROUPS, found, strict=True)})


def _softmax(example: Examples, weights: Values, n_tracks: int) -> tuple[float, Values]:
    wanted, others = example.wanted @ weights, example.others @ weights
    top = max(wanted.max(), others.max())
    share = n_tracks / len(others)
    heavy = np.exp(others - top) * share
    light = np.exp(wanted - top)
    whole = light + heavy.sum()
    value = float(np.mean(np.log(whole) - np.log(light)))
    pull = (light[:, None] * example.wanted + heavy @ example.others) / whole[:, None]
    return value, np.mean(pull - example.wanted, axis=0)


Parts = Callable[[Sequence[int], npt.NDArray[np.int64]], Values]
"""Group by group how alike some tracks (rows) are to what some seeds (rows) ask for: n_tracks × n_groups."""


def example(
    seeds: npt.NDArray[np.int64],
    wanted: npt.NDArray[np.int64],
    parts: Parts,
    *,
    n_tracks: int,
    rng: np.random.Generator,
) -> Examples | None:
    """A playlist's tracks that were left out, beside tracks that it does not hold; None where it holds them all.

    Args:
        seeds: rows of the tracks that are shown.
        wanted: rows of those left out.
        parts: see `Parts`.
        n_tracks: of the catalogue.
        rng: draws.
    """
    drawn = rng.integers(0, n_tracks, 2 * _NEGATIVES)
    others = np.setdiff1d(drawn, np.concatenate([seeds, wanted]))
    others = rng.permutation(others)[:_NEGATIVES]
    if not len(others):
        return None
    together: Values = parts(seeds.tolist(), np.concatenate([wanted, others]))
    return Examples(together[: len(wanted)], together[len(wanted) :])
