"""Estimates: as good as the made-up rules allow, intervals that hold, and nothing leaks."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from backend.features.estimate import Estimator, fit
from backend.features.estimate.inputs import TARGETS
from backend.models.ingestion_models import AUDIO_FEATURES
from backend.utils.errors import InvalidInputError
from tests.unit.features.songs import songs, without

# What the rules leave for a model to find, with room for a finite sample: R² of tracks by artists never heard.
REACHED = {"energy": 0.75, "valence": 0.55, "acousticness": 0.70, "tempo": 0.60, "danceability": 0.50, "loudness": 0.65}
LEARNT = songs(500, seed=1)
NOTHING = ("speechiness", "liveness")  # of which nothing can be known


@pytest.fixture(scope="module")
def estimator() -> Estimator:
    return fit(LEARNT)


@pytest.fixture(scope="module")
def unheard() -> pa.Table:
    return songs(440, seed=2, prefix="b")


def truth(table: pa.Table, feature: str) -> np.ndarray:
    return np.asarray(table.column(feature).to_numpy())


def test_estimates_find_what_there_is_to_find_and_beat_genre_means(estimator: Estimator, unheard: pa.Table) -> None:
    found = estimator.estimate(without(unheard, *AUDIO_FEATURES))
    genre = np.array([g[0] for g in unheard.column("genres").to_pylist()])
    for feature, least in REACHED.items():
        y = truth(unheard, feature)
        means = np.empty(len(y))
        for name in set(genre):
            means[genre == name] = y[genre == name].mean()  # of the test rows themselves: the best that genres can do
        error = np.mean((found[feature].value - y) ** 2)
        assert 1 - error / y.var() > least, feature
        # These depend on the genre alone when no other feature is known: nothing beats its mean, taken from the test rows.
        assert error < np.mean((means - y) ** 2) * (1.05 if feature in {"tempo", "energy", "loudness"} else 0.9), (
            feature
        )
    for feature in NOTHING:
        y = truth(unheard, feature)
        assert np.mean((found[feature].value - y) ** 2) < 1.02 * y.var(), feature


@pytest.mark.parametrize(
    "shown",
    [
        (),
        ("tempo", "loudness", "key"),
        ("valence", "mode"),
        tuple(f for f in AUDIO_FEATURES if f not in {"energy", "liveness"}),
    ],
    ids=["nothing", "tempo-loudness-key", "odd", "most"],
)
def test_nine_in_ten_true_values_lie_inside_whatever_is_known(
    estimator: Estimator, unheard: pa.Table, shown: tuple[str, ...]
) -> None:
    assert unheard.num_rows >= 4_000
    found = estimator.estimate(without(unheard, *(f for f in AUDIO_FEATURES if f not in shown)))
    for feature, answer in found.items():
        if feature not in shown and feature != "time_signature":
            y = truth(unheard, feature)
            assert abs(np.mean((y >= answer.low) & (y <= answer.high)) - 0.9) <= 0.02, feature


@pytest.mark.parametrize(
    "hidden", [("genres",), ("moods", "release_year"), ("release_year", "duration_ms", "explicit", "popularity")]
)
def test_nine_in_ten_lie_inside_though_other_inputs_are_missing(
    estimator: Estimator, unheard: pa.Table, hidden: tuple[str, ...]
) -> None:
    found = estimator.estimate(without(unheard, *AUDIO_FEATURES, *hidden))
    for feature in REACHED:
        y, answer = truth(unheard, feature), found[feature]
        # An artist has one genre here: with it hidden there are no more independent cases than artists.
        assert abs(np.mean((y >= answer.low) & (y <= answer.high)) - 0.9) <= 0.03, feature


def test_intervals_are_wider_where_less_can_be_known(estimator: Estimator, unheard: pa.Table) -> None:
    found = estimator.estimate(without(unheard, *AUDIO_FEATURES))["valence"]
    old = truth(unheard, "release_year") < 1990
    width = found.high - found.low
    assert width[old].mean() > 1.25 * width[~old].mean()


def test_what_is_known_of_a_track_makes_the_rest_better(estimator: Estimator, unheard: pa.Table) -> None:
    y = truth(unheard, "energy")
    errors = [
        np.mean((estimator.estimate(without(unheard, *hidden))["energy"].value - y) ** 2)
        for hidden in (AUDIO_FEATURES, tuple(f for f in AUDIO_FEATURES if f != "loudness"))
    ]
    assert errors[1] < 0.8 * errors[0]


def test_other_tracks_of_the_artist_help_but_are_not_in_the_artist_disjoint_figures(estimator: Estimator) -> None:
    alone, with_artist = (estimator.report.of("valence", regime) for regime in ("none", "artist"))
    assert with_artist.r2 > alone.r2
    asked = without(LEARNT, *AUDIO_FEATURES)
    stranger = asked.set_column(1, "artist", pa.array(["nobody"] * asked.num_rows))
    assert not np.array_equal(estimator.estimate(asked)["valence"].value, estimator.estimate(stranger)["valence"].value)


def test_a_whole_number_is_estimated_as_one(estimator: Estimator, unheard: pa.Table) -> None:
    found = estimator.estimate(without(unheard, *AUDIO_FEATURES))["time_signature"]
    assert set(np.unique(found.value)) == {4}
    y = truth(unheard, "time_signature")
    assert np.mean((y >= found.low) & (y <= found.high)) >= 0.9
    assert np.mean(found.high - found.low) < 0.5


def test_key_and_mode_are_never_estimated(estimator: Estimator, unheard: pa.Table) -> None:
    assert set(estimator.features) == set(TARGETS)
    assert not {"key", "mode"} & set(estimator.estimate(unheard))


def test_values_and_intervals_stay_in_range_and_order(estimator: Estimator, unheard: pa.Table) -> None:
    for feature, answer in estimator.estimate(without(unheard, *AUDIO_FEATURES)).items():
        assert np.all((answer.low <= answer.value) & (answer.value <= answer.high)), feature
        if feature not in {"loudness", "tempo", "time_signature"}:
            assert answer.low.min() >= 0, feature
            assert answer.high.max() <= 1, feature


def test_a_known_feature_is_no_estimate(estimator: Estimator, unheard: pa.Table) -> None:
    some = songs(2, seed=3, prefix="c", unknown=0.5)
    for feature, answer in estimator.estimate(some).items():
        known = ~np.isnan(np.asarray(some.column(feature).to_numpy(zero_copy_only=False), float))
        for part in (answer.value, answer.low, answer.high):
            assert np.array_equal(np.isnan(part), known), feature


def test_an_estimate_depends_on_its_row_alone(estimator: Estimator) -> None:
    some = songs(300, seed=4, prefix="a")
    some = pa.concat_tables([without(some.slice(0, 50), "energy", "key"), without(some.slice(50), "valence", "tempo")])
    whole = estimator.estimate(some)
    for start, length in ((0, 1), (17, 15), (100, 1000)):
        part = estimator.estimate(some.slice(start, length))
        for feature, answer in part.items():
            assert np.array_equal(answer.value, whole[feature].value[start : start + length], equal_nan=True)
            assert np.array_equal(answer.low, whole[feature].low[start : start + length], equal_nan=True)


def test_rows_of_which_nothing_at_all_is_known_get_the_mean(estimator: Estimator) -> None:
    blank = without(songs(3, seed=5), *(n for n in songs(1).column_names if n != "id"))
    for feature, answer in estimator.estimate(blank).items():
        assert np.all(np.isfinite(answer.value)), feature
        assert np.all(answer.low <= answer.high), feature
    assert estimator.estimate(blank.slice(0, 0))["energy"].value.shape == (0,)


def test_the_report_says_what_the_test_rows_say(estimator: Estimator, unheard: pa.Table) -> None:
    report = estimator.report
    assert report.rows == LEARNT.num_rows
    assert 0.1 * report.rows < report.held_out < 0.3 * report.rows
    found = estimator.estimate(without(unheard, *AUDIO_FEATURES))
    for feature in REACHED:
        y, line = truth(unheard, feature), report.of(feature)
        assert line.r2 == pytest.approx(1 - np.mean((found[feature].value - y) ** 2) / y.var(), abs=0.08), feature
        assert line.mae == pytest.approx(np.mean(np.abs(found[feature].value - y)), rel=0.15), feature
        assert 0.85 <= line.coverage <= 0.95, feature
        assert line.width < line.plain_width, feature
    with pytest.raises(KeyError):
        report.of("key")


def test_too_few_rows_are_refused_with_what_is_needed() -> None:
    with pytest.raises(InvalidInputError, match=r"100 tracks of .* at least 250 tracks of 20 artists"):
        fit(songs(40).slice(0, 100))
    one = songs(40)
    with pytest.raises(InvalidInputError, match="of 1 artists"):
        fit(one.set_column(1, "artist", pa.array(["The Same"] * one.num_rows)))
    with pytest.raises(InvalidInputError, match="0 tracks of 0 artists"):
        fit(without(songs(40), *AUDIO_FEATURES))


def test_few_rows_and_features_that_few_have() -> None:
    rare = songs(40, seed=6)
    rare = without(rare, "liveness", "time_signature", "explicit", "moods")
    assert rare.num_rows < 500
    found = fit(rare)
    assert set(found.features) == set(TARGETS) - {"liveness", "time_signature"}
    assert "liveness" not in found.estimate(rare)
    line = found.report.of("energy")
    assert line.r2 > 0.4
