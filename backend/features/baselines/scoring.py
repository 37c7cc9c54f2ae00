"""Training the baselines over several seeds, and scoring them on the same test rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec
import numpy as np
import pyarrow as pa
from scipy.stats import rankdata
from scipy.stats import t as student
from sklearn import metrics
from threadpoolctl import threadpool_limits

from backend.features.baselines.models import BASELINES, Array, Rows, Said
from backend.features.columns import floats
from backend.features.target import labelled
from backend.models.datasets import ID, TARGET
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold

FEWEST_SEEDS: Final = 5
MOST_CLASSES: Final = 50  # boosting grows a tree per class and round
_LEVEL: Final = 0.95
_DRAWN: Final = 0.9  # of the training rows, anew for each seed


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """One baseline's score.

    Attributes:
        baseline: its name.
        score: accuracy, macro_f1, roc_auc, average_precision, r2, mae or spearman.
        mean: over the seeds.
        low: lower end of the 95 % interval of the mean (Student's t over the seeds).
        high: upper end.
        seeds: the scores.
    """

    baseline: str
    score: str
    mean: float
    low: float
    high: float
    seeds: tuple[float, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Baselines:
    """What the baselines reach.

    Attributes:
        target: what is predicted.
        kind: number, class or flag.
        train: labelled tracks to learn from.
        learnt: of them, those drawn for each seed.
        test: labelled tracks scored on.
        scores: in the order of the baselines.
        notes: sentences on what a reader should know.
    """

    target: str
    kind: str
    train: int
    learnt: int
    test: int
    scores: tuple[Score, ...]
    notes: tuple[str, ...] = ()

    def mean(self, baseline: str, score: str) -> float:
        """A baseline's mean score.

        Raises:
            KeyError: it was not computed.
        """
        return {(s.baseline, s.score): s.mean for s in self.scores}[baseline, score]

    def to_plain(self) -> dict[str, Any]:
        """JSON values."""
        found: dict[str, Any] = msgspec.to_builtins(self)
        return found


def rows_of(features: pa.Table, tracks: pa.Table) -> Rows:
    """The labelled rows of one part of a data set, out of its two tables.

    Raises:
        InvalidInputError: there is no target, or the tables are not of the same tracks.
    """
    if TARGET not in features.column_names:
        raise InvalidInputError("this data set has no target; build one with target in its recipe")
    if not features.column(ID).equals(tracks.column(ID)):
        raise InvalidInputError("features and tracks of this part are not of the same ids; check the data set")
    names = [name for name in features.column_names if name not in {ID, TARGET}]
    column = features.column(TARGET)
    text = pa.types.is_string(column.type) or pa.types.is_large_string(column.type)
    y = np.array(column.to_pylist(), object) if text else column.cast(pa.float64()).to_numpy().astype(np.float64)
    n = len(features)
    x = np.empty((n, len(names)), np.float32)
    for j, name in enumerate(names):
        x[:, j] = features.column(name).to_numpy()
    artists = tracks.column("artist").to_pylist() if "artist" in tracks.column_names else [None] * n
    heard = floats(tracks, "popularity") if "popularity" in tracks.column_names else np.full(n, np.nan)
    whole = Rows(x=x, y=y, artists=np.array([fold(a or "") for a in artists], str), popularity=np.asarray(heard, float))
    return whole.take(labelled(y))


def bench(
    train: Rows, test: Rows, *, target: str, kind: str, seeds: int = FEWEST_SEEDS, most_rows: int = 20_000
) -> Baselines:
    """Score every baseline on the test rows; each seed learns from another nine tenths of the training rows.

    Args:
        train: labelled tracks to learn from.
        test: labelled tracks to score on, always the same.
        target: its name; popularity is no baseline of itself.
        kind: number, class or flag.
        seeds: at least 5.
        most_rows: learnt from, per seed: what bounds the time.

    Raises:
        InvalidInputError: too few rows, classes or seeds, or too many classes.
    """
    _check(train, test, kind=kind, seeds=seeds)
    learnt = min(most_rows, int(len(train.y) * _DRAWN))
    notes = [
        f"95 % intervals are Student's t over {seeds} seeds, each of which learns from {learnt:,} other training rows."
    ]
    notes.append("They tell of chance in learning, not of which tracks the test part holds.")
    if learnt < int(len(train.y) * _DRAWN):
        notes.append(f"Of {len(train.y):,} training rows {learnt:,} were drawn at random per seed, to bound the time.")
    unseen = 1 - float(np.isin(test.artists, train.artists).mean())
    notes.append(f"{unseen:.1%} of the test rows are by artists that training does not know.")
    chosen = [
        n for n in BASELINES if n != "popularity" or (target != "popularity" and np.isfinite(train.popularity).any())
    ]
    found: dict[tuple[str, str], list[float]] = {}
    with threadpool_limits(1):
        for seed in range(seeds):
            rows = np.random.default_rng(seed).choice(len(train.y), learnt, replace=False)
            drawn = train.take(np.sort(rows))
            if kind != "number" and len(set(drawn.y.tolist())) < 2:
                raise InvalidInputError("the rows drawn have one class only: there is nothing to learn; take more rows")
            for name in chosen:
                for score, value in scores(test.y, BASELINES[name](drawn, test, kind, seed), kind).items():
                    found.setdefault((name, score), []).append(value)
    return Baselines(
        target=target, kind=kind, train=len(train.y), learnt=learnt, test=len(test.y), notes=tuple(notes),
        scores=tuple(_score(*key, values) for key, values in found.items()),
    )  # fmt: skip


def scores(wanted: Array, said: Said, kind: str) -> dict[str, float]:
    """The scores that fit a kind of target; a rank correlation with a constant is 0."""
    if kind == "number":
        found = {"r2": metrics.r2_score(wanted, said.values), "mae": metrics.mean_absolute_error(wanted, said.values)}
        return {**{k: float(v) for k, v in found.items()}, "spearman": _spearman(wanted, said.values)}
    if kind == "flag":
        found = {n: of(wanted, said.likely) for n, of in _OF_FLAGS.items()}
        return {k: float(v) for k, v in found.items()}
    y, values = wanted.astype(str), said.values.astype(str)
    f1 = metrics.f1_score(y, values, average="macro", zero_division=0.0)
    return {"accuracy": float(metrics.accuracy_score(y, values)), "macro_f1": float(f1)}


_OF_FLAGS: Final[dict[str, Callable[..., float]]] = {
    "roc_auc": metrics.roc_auc_score,
    "average_precision": metrics.average_precision_score,
}


def _spearman(a: Array, b: Array) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return float(np.corrcoef(rankdata(a), rankdata(b))[0, 1])


def _score(baseline: str, score: str, values: Sequence[float]) -> Score:
    mean, n = float(np.mean(values)), len(values)
    reach = float(student.ppf((1 + _LEVEL) / 2, n - 1) * np.std(values, ddof=1) / n**0.5)
    return Score(baseline=baseline, score=score, mean=mean, low=mean - reach, high=mean + reach, seeds=tuple(values))


def _check(train: Rows, test: Rows, *, kind: str, seeds: int) -> None:
    if seeds < FEWEST_SEEDS:
        raise InvalidInputError(f"seeds={seeds}: at least {FEWEST_SEEDS} are needed for an interval")
    if len(train.y) < 10 or len(test.y) < 2:
        raise InvalidInputError(
            f"{len(train.y)} labelled tracks to learn from and {len(test.y)} to score on are too few"
        )
    classes = len({*train.y.tolist(), *test.y.tolist()}) if kind != "number" else 0
    if kind == "class" and classes > MOST_CLASSES:
        raise InvalidInputError(
            f"{classes} classes are more than the {MOST_CLASSES} that baselines take; predict one tag"
        )
    if kind == "flag" and len(set(test.y.tolist())) < 2:
        raise InvalidInputError("the test part has only one of yes and no: it cannot be scored")
