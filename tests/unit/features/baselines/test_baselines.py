from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from backend.features.baselines import bench
from backend.features.baselines.models import Rows, artist
from backend.features.baselines.scoring import rows_of
from backend.utils.errors import InvalidInputError


def rows(n: int, kind: str, *, seed: int = 0, artists: int = 30, prefix: str = "") -> Rows:
    draw = np.random.default_rng(seed)
    x = draw.normal(size=(n, 3)).astype(np.float32)
    y: np.ndarray[tuple[int, ...], np.dtype[np.generic]] = x[:, 0] * 2 + draw.normal(size=n) * 0.3
    if kind == "class":
        y = np.where(x[:, 0] > 0, "rock", "jazz").astype(object)
    if kind == "flag":
        y = (x[:, 0] > 0).astype(float)
    who = np.array([f"{prefix}{i}" for i in draw.integers(0, artists, n)])
    return Rows(x=x, y=y, artists=who, popularity=draw.uniform(0, 100, n))


@pytest.mark.parametrize(
    ("kind", "score", "floor"), [("class", "accuracy", 0.95), ("flag", "roc_auc", 0.98), ("number", "r2", 0.9)]
)
def test_what_can_be_learnt_is_learnt_and_the_rest_is_not(kind: str, score: str, floor: float) -> None:
    found = bench(rows(600, kind), rows(300, kind, seed=1), target="t", kind=kind)
    assert found.mean("gradient boosting", score) > floor - 0.05
    assert found.mean("logistic or ridge", score) > floor
    assert found.mean("majority or mean", score) < 0.6
    assert found.mean("popularity", score) < 0.6
    assert all(s.low <= s.mean <= s.high and len(s.seeds) == 5 for s in found.scores)


def test_the_artist_is_known_from_training_rows_alone() -> None:
    train = Rows(x=np.zeros((4, 1)), y=np.array([10.0, 10.0, 40.0, 40.0]), artists=np.array(["a", "a", "b", "b"]),
                 popularity=np.zeros(4))  # fmt: skip
    test = Rows(x=np.zeros((3, 1)), y=np.array([99.0] * 3), artists=np.array(["a", "z", ""]), popularity=np.zeros(3))
    assert artist(train, test, "number", 0).values.tolist() == [15.0, 25.0, 25.0]  # a: (10 + 10 + 25) / 3
    named = Rows(
        x=train.x, y=np.array(["x", "x", "y", "x"], object), artists=train.artists, popularity=train.popularity
    )
    assert artist(named, test, "class", 0).values.tolist() == ["x", "x", "x"]


def test_sampling_is_told_and_the_same_every_time() -> None:
    train, test = rows(600, "number"), rows(100, "number", seed=1)
    found = bench(train, test, target="t", kind="number", most_rows=100)
    assert found.learnt == 100
    assert any("600 training rows 100 were drawn" in note for note in found.notes)
    assert found == bench(train, test, target="t", kind="number", most_rows=100)


def test_popularity_does_not_predict_itself() -> None:
    found = bench(rows(100, "number"), rows(50, "number", seed=1), target="popularity", kind="number")
    assert "popularity" not in {s.baseline for s in found.scores}


def test_rows_without_a_label_are_left_out() -> None:
    features = pa.table({"id": ["a", "b"], "target": pa.array(["rock", None]), "x": pa.array([1.0, 2.0], pa.float32())})
    found = rows_of(features, pa.table({"id": ["a", "b"], "artist": ["Björk", None]}))
    assert (found.y.tolist(), found.x.tolist()) == (["rock"], [[1.0]])
    with pytest.raises(InvalidInputError, match="not of the same ids"):
        rows_of(features, pa.table({"id": ["b", "a"]}))


@pytest.mark.parametrize(("n", "seeds"), [(5, 5), (100, 4)])
def test_too_little_is_refused(n: int, seeds: int) -> None:
    with pytest.raises(InvalidInputError, match=r"few|at least"):
        bench(rows(n, "number"), rows(20, "number"), target="t", kind="number", seeds=seeds)
