"""The baseline measures leaks where there are some, finds none where there are none, and says the same each time."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from backend.features.splits import Split, SplitRecipe, assign
from backend.features.splits.naive import naive_gain
from backend.utils.errors import InvalidInputError
from tests.unit.features.splits.catalogue import many

HALVES = {"train": 0.5, "test": 0.5}
TRACKS = many(150, each=8)


def by_artist(seeds: int = 3) -> list[Split]:
    return [assign(TRACKS, SplitRecipe(kind="artist", parts=HALVES, seed=seed)) for seed in range(seeds)]


def artist_values(seed: int) -> Any:
    """A number per track that tells its artist and nothing else."""
    artists = TRACKS.column("artist").combine_chunks().dictionary_encode()
    return np.random.default_rng(seed).normal(size=len(artists.dictionary))[artists.indices.to_numpy()]


X = np.column_stack([artist_values(1), artist_values(2)]).astype(np.float32)
LABELS = np.where(artist_values(3) > 0, "rock", "pop").astype(object)


@pytest.mark.parametrize("seed_of_y", [3, 4])
def test_what_only_the_artist_tells_is_a_gain(seed_of_y: int) -> None:
    labels = np.where(artist_values(seed_of_y) > 0, "rock", "pop").astype(object)
    found = naive_gain(X, labels, by_artist())
    for score in ("accuracy", "macro_f1"):
        gain = found.gain(score)
        assert gain.naive > 0.9
        assert gain.split < 0.7
        assert gain.low > 0.1
        assert gain.low < gain.gain < gain.high
        assert gain.gain == pytest.approx(gain.naive - gain.split)


def test_what_the_features_tell_is_none() -> None:
    x = np.random.default_rng(0).normal(size=(TRACKS.num_rows, 2)).astype(np.float32)
    y = np.where(x[:, 0] + 0.5 * np.random.default_rng(1).normal(size=len(x)) > 0, "a", "b").astype(object)
    gain = naive_gain(x, y, by_artist(4), baseline="linear").gain("accuracy")
    assert gain.low < 0.02
    assert abs(gain.gain) < 0.04


@pytest.mark.parametrize("baseline", ["boosting", "linear"])
def test_numbers_are_a_regression(baseline: Any) -> None:
    x, y = X.copy(), X[:, 0] * 3.0 + artist_values(9)
    y[::7], x[::5, 1] = np.nan, np.nan
    found = naive_gain(x, y, by_artist(), baseline=baseline)
    assert [gain.score for gain in found.gains] == ["r2"]
    assert found.gain("r2").naive > 0.5
    assert sum(found.rows[0]) == np.count_nonzero(~np.isnan(y))


def test_sizes_are_those_of_the_split_and_training_rows_can_be_fewer() -> None:
    split = by_artist(1)[0]
    found = naive_gain(X, LABELS, split, seeds=2, most_rows=100)
    assert found.rows == ((100, len(split.rows("test"))),) * 2
    assert len(set(found.gain("accuracy").of_split)) <= 2


def test_the_same_again_and_json() -> None:
    one, other = (naive_gain(X, LABELS, by_artist(2)) for _ in range(2))
    assert one == other
    assert json.loads(json.dumps(one.to_plain()))["gains"][0]["score"] == "accuracy"
    assert "on random ones of the same size" in one.to_text()
    with pytest.raises(KeyError):
        one.gain("r2")


def test_what_cannot_be_scored_is_named() -> None:
    split = by_artist(1)[0]
    with pytest.raises(InvalidInputError, match="at least two seeds"):
        naive_gain(X, LABELS, split, seeds=1)
    with pytest.raises(InvalidInputError, match="must be of the same tracks"):
        naive_gain(X[1:], LABELS[1:], split)
    with pytest.raises(InvalidInputError, match="0 labelled tracks to train on and 0 to test on"):
        naive_gain(X, np.full(len(X), None, object), split)
    with pytest.raises(InvalidInputError, match="two different parts"):
        naive_gain(X, LABELS, split, train="test")
    with pytest.raises(InvalidInputError, match="one class only"):
        naive_gain(X, np.full(len(X), "rock", object), split)
    with pytest.raises(InvalidInputError, match="classes; the baseline takes 100"):
        naive_gain(X, np.array([str(i) for i in range(len(X))], object), split)
    with pytest.raises(InvalidInputError, match="there is no part 'dev'"):
        naive_gain(X, LABELS, split, test="dev")


def test_tracks_left_out_are_on_neither_side() -> None:
    dates = assign(TRACKS, SplitRecipe(kind="time", gap_days=2_000))
    found = naive_gain(X, LABELS, dates, seeds=2)
    assert sum(found.rows[0]) == len(dates.rows("train")) + len(dates.rows("test")) < TRACKS.num_rows
