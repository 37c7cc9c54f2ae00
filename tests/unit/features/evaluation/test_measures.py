"""Measures against values computed by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from backend.features.evaluation import metrics
from backend.features.evaluation.intervals import Interval, difference, interval
from backend.features.evaluation.occurrence import occurrences, reached, skewness

HITS = np.array([True, False, True, False, False])


def test_recall_is_of_at_most_k() -> None:
    assert metrics.recall(HITS, wanted=4, k=5) == 2 / 4
    assert metrics.recall(HITS, wanted=4, k=2) == 1 / 2
    assert metrics.recall(HITS, wanted=1, k=1) == 1


def test_ndcg_discounts_by_place_and_is_1_at_best() -> None:
    # 1/log2(2) + 1/log2(4) of the best 1/log2(2) + 1/log2(3) + 1/log2(4)
    assert metrics.ndcg(HITS, wanted=3, k=5) == pytest.approx(1.5 / (1 + 1 / math.log2(3) + 0.5))
    assert metrics.ndcg(HITS, wanted=3, k=1) == 1
    assert metrics.ndcg(np.array([True, True]), wanted=2, k=100) == 1  # a short answer that found all
    assert metrics.ndcg(~HITS[:1], wanted=1, k=10) == 0


def test_r_precision_looks_as_far_as_there_is_to_be_found() -> None:
    assert metrics.r_precision(HITS, wanted=2) == 1 / 2
    assert metrics.r_precision(HITS, wanted=3) == pytest.approx(2 / 3)


def test_diversity_is_the_mean_over_pairs() -> None:
    # Pairs: equal (0), at right angles (1), at right angles (1).
    vectors = np.array([[1, 0], [1, 0], [0, 1]], np.float32)
    assert metrics.diversity(vectors) == pytest.approx(2 / 3)
    assert metrics.diversity(vectors[:2]) == pytest.approx(0)
    assert math.isnan(metrics.diversity(vectors[:1]))


def test_novelty_in_bits() -> None:
    assert metrics.novelty(np.array([0.5, 0.125])) == pytest.approx((1 + 3) / 2)


def test_miscalibration_is_the_divergence_from_what_was_given() -> None:
    given = np.array([0.7, 0.3])
    assert metrics.miscalibration(given, given) == pytest.approx(0)
    only_first = np.array([1.0, 0.0])
    expected = 0.7 * math.log(0.7 / (0.99 + 0.007)) + 0.3 * math.log(0.3 / 0.003)
    assert metrics.miscalibration(given, only_first) == pytest.approx(expected)
    assert math.isnan(metrics.miscalibration(np.zeros(2), given))


def test_popularity_lift_of_what_is_known() -> None:
    assert metrics.popularity_lift(np.array([50.0, np.nan, 70.0]), np.array([40.0])) == 20
    assert math.isnan(metrics.popularity_lift(np.array([np.nan]), np.array([40.0])))


def test_occurrence_by_hand() -> None:
    counts = occurrences([np.array([0, 1]), np.array([0, 2]), np.array([0, 1])], 5)
    assert counts.tolist() == [3, 2, 1, 0, 0]
    assert reached(counts) == 3 / 5
    # mean 1.2; third moment (1.8³ + .8³ - .2³ - 2 · 1.2³) / 5; variance (1.8² + .8² + .2² + 2 · 1.2²) / 5
    assert skewness(counts) == pytest.approx(((5.832 + 0.512 - 0.008 - 3.456) / 5) / (6.8 / 5) ** 1.5)
    assert math.isnan(skewness(np.array([2, 2])))


def test_intervals_hold_the_mean_and_are_what_theory_says() -> None:
    values = np.random.default_rng(1).normal(3, 2, 400)
    found = interval(np.append(values, np.nan))
    assert found is not None
    assert found.units == 400
    assert found.mean == pytest.approx(values.mean())
    half = 1.96 * values.std() / math.sqrt(400)
    assert found.high - found.mean == pytest.approx(half, rel=0.15)
    assert found.mean - found.low == pytest.approx(half, rel=0.15)
    assert interval(np.array([np.nan])) is None


def test_differences_are_paired() -> None:
    hard = np.random.default_rng(1).normal(0, 10, 200)  # what makes a unit hard is hard for both
    found = difference(hard - 1, hard)
    assert found is not None
    assert (found.mean, found.low, found.high) == pytest.approx((-1, -1, -1))


def test_intervals_are_apart_or_not() -> None:
    assert Interval(1, 0.9, 1.1, 5).apart(Interval(2, 1.2, 3, 5))
    assert not Interval(1, 0.9, 1.3, 5).apart(Interval(2, 1.2, 3, 5))
