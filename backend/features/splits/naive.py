"""What a naive random split would have gained: a small baseline scored on a split, and on random ones of the same size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.stats import t as student
from sklearn.base import BaseEstimator
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import accuracy_score, f1_score, r2_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from backend.features.splits.near import Rows
from backend.features.splits.split import Split
from backend.utils.errors import InvalidInputError

Baseline: TypeAlias = Literal["boosting", "linear"]

_LEVEL: Final = 0.95
_FEWEST: Final = 2  # rows in training and test; fewer can't be scored
_MOST_CLASSES: Final = 100  # more make boosting, a tree per class and round, take for ever


@dataclass(frozen=True, kw_only=True)
class Gain:
    """One score on the split and on random ones.

    Attributes:
        score: `accuracy`, `macro_f1` or `r2`.
        split: mean over the seeds, on the split.
        naive: mean over the seeds, on random splits.
        gain: the mean of the differences, naive less split: how much too good a random split looks.
        low: lower end of the 95 % interval of the gain over the seeds (Student's t of the paired differences).
        high: upper end.
        of_split: the scores behind `split`, one a seed.
        of_naive: those behind `naive`.
    """

    score: str
    split: float
    naive: float
    gain: float
    low: float
    high: float
    of_split: tuple[float, ...]
    of_naive: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class NaiveGain:
    """What `naive_gain` found.

    Attributes:
        baseline: the model.
        rows: tracks trained on and tested on, per seed.
        gains: one per score.
    """

    baseline: Baseline
    rows: tuple[tuple[int, int], ...]
    gains: tuple[Gain, ...]

    def gain(self, score: str) -> Gain:
        """The gain in that score.

        Raises:
            KeyError: it was not computed.
        """
        return {gain.score: gain for gain in self.gains}[score]

    def to_plain(self) -> dict[str, Any]:
        """JSON values."""
        return {
            "baseline": self.baseline,
            "rows": [list(r) for r in self.rows],
            "gains": [asdict(gain) for gain in self.gains],
        }

    def to_text(self) -> str:
        """A line per score."""
        return "\n".join(
            f"{g.score}: {g.split:.3f} on the split, {g.naive:.3f} on random ones of the same size: "
            f"{g.gain:+.3f} (95 % interval {g.low:+.3f} to {g.high:+.3f}, {len(g.of_split)} seeds)"
            for g in self.gains
        )


def naive_gain(
    x: npt.NDArray[np.float32],
    y: npt.NDArray[Any],
    splits: Split | Sequence[Split],
    *,
    train: str | None = None,
    test: str | None = None,
    baseline: Baseline = "boosting",
    seeds: int = 5,
    most_rows: int = 50_000,
) -> NaiveGain:
    """Train the same small model on the split and on a random split of the same tracks into parts of the same sizes.

    Args:
        x: n × features, NaN where unknown, in the order of the split's tracks.
        y: n labels (text, or None where unknown), or numbers (NaN where unknown), which make it a regression.
        splits: one split, or the same recipe with several seeds: only then does the interval hold how much splits of that kind
            differ among themselves; with one it is that of the random splits and the model.
        train: the part to learn from; the first one unless told.
        test: the part to score on; the last one unless told.
        baseline: `boosting` (histogram gradient boosting) or `linear` (logistic or ridge regression on standardised features).
        seeds: random splits, at least 2; with several splits there are as many as those.
        most_rows: of training rows; more are sampled down, the same number on both sides.

    Raises:
        InvalidInputError: arrays don't fit the split, or too little is known to train or score.
    """
    listed = [splits] * seeds if isinstance(splits, Split) else list(splits)
    _check(x, y, listed)
    known = (
        np.array([v is not None for v in y], bool) if y.dtype.kind in "OUS" else ~np.isnan(np.asarray(y, np.float64))
    )
    is_class = y.dtype.kind in "OUSb"
    if is_class and len(set(y[known].tolist())) > _MOST_CLASSES:
        raise InvalidInputError(
            f"y has {len(set(y[known].tolist()))} classes; the baseline takes {_MOST_CLASSES} at most"
        )
    target = y if is_class else np.asarray(y, np.float64)
    scores: dict[str, tuple[list[float], list[float]]] = {}
    sizes = []
    with threadpool_limits(1):
        for seed, split in enumerate(listed):
            ours, random = _both(split, known, train=train, test=test, most=most_rows, rng=np.random.default_rng(seed))
            sizes.append((len(ours[0]), len(ours[1])))
            for side, (training, held_out) in enumerate((ours, random)):
                model = _model(baseline, is_class=is_class, seed=seed)
                if is_class and len(set(target[training].tolist())) < 2:
                    raise InvalidInputError("the training part has one class only: there is nothing to learn")
                said = model.fit(x[training], target[training]).predict(x[held_out])
                for name, value in _scores(target[held_out], said, is_class=is_class).items():
                    scores.setdefault(name, ([], []))[side].append(value)
    return NaiveGain(
        baseline=baseline,
        rows=tuple(sizes),
        gains=tuple(_gain(name, ours, naive) for name, (ours, naive) in scores.items()),
    )


def _check(x: npt.NDArray[np.float32], y: npt.NDArray[Any], splits: Sequence[Split]) -> None:
    if len(splits) < 2:
        raise InvalidInputError("at least two seeds are needed: one tells nothing of chance")
    if x.ndim != 2 or any(len(x) != len(split.codes) for split in splits) or y.shape != (len(x),):
        raise InvalidInputError(
            f"x {x.shape}, y {y.shape} and the split of {len(splits[0].codes):,} tracks must be of the same tracks, one row each"
        )


def _both(
    split: Split,
    known: npt.NDArray[np.bool_],
    *,
    train: str | None,
    test: str | None,
    most: int,
    rng: np.random.Generator,
) -> tuple[tuple[Rows, Rows], tuple[Rows, Rows]]:
    """Rows to learn from and to score on: the split's, and as many random ones out of the same tracks."""
    training, held_out = (
        rows[known[rows]] for rows in (split.rows(train or split.names[0]), split.rows(test or split.names[-1]))
    )
    if len(training) < _FEWEST or len(held_out) < _FEWEST or (train or split.names[0]) == (test or split.names[-1]):
        raise InvalidInputError(
            f"{len(training)} labelled tracks to train on and {len(held_out)} to test on: "
            f"two different parts of at least {_FEWEST} are needed"
        )
    together = rng.permutation(np.concatenate([training, held_out]))
    if len(training) > most:
        training = np.sort(rng.choice(training, most, replace=False))
    return (training, held_out), (
        np.sort(together[len(held_out) :][: len(training)]),
        np.sort(together[: len(held_out)]),
    )


def _model(baseline: Baseline, *, is_class: bool, seed: int) -> BaseEstimator:
    if baseline == "boosting":
        kind = HistGradientBoostingClassifier if is_class else HistGradientBoostingRegressor
        return kind(max_iter=60, learning_rate=0.15, max_leaf_nodes=15, early_stopping=False, random_state=seed)
    # Features of which the training rows know nothing stay, as zeros, so that test rows fit.
    last = LogisticRegression(max_iter=500) if is_class else Ridge()
    return make_pipeline(SimpleImputer(keep_empty_features=True), StandardScaler(), last)


def _scores(wanted: npt.NDArray[Any], said: npt.NDArray[Any], *, is_class: bool) -> dict[str, float]:
    if not is_class:
        return {"r2": float(r2_score(wanted, said))}
    return {
        "accuracy": float(accuracy_score(wanted, said)),
        "macro_f1": float(f1_score(wanted, said, average="macro", zero_division=0.0)),
    }


def _gain(name: str, ours: Sequence[float], naive: Sequence[float]) -> Gain:
    apart = np.subtract(naive, ours)
    reach = float(student.ppf((1 + _LEVEL) / 2, len(apart) - 1) * apart.std(ddof=1) / len(apart) ** 0.5)
    gain = float(apart.mean())
    return Gain(
        score=name, split=float(np.mean(ours)), naive=float(np.mean(naive)), gain=gain, low=gain - reach, high=gain + reach,
        of_split=tuple(ours), of_naive=tuple(naive),
    )  # fmt: skip
