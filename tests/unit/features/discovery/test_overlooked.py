from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.features.discovery.overlooked import Overlooked, Reception, Shrinkage, judge

Values = npt.NDArray[np.float64]
NAN = float("nan")


def values(*given: float) -> Values:
    return np.array(given, np.float64)


def test_few_reviews_are_drawn_to_the_mean_by_the_formula() -> None:
    shrinkage = Shrinkage(mean=70.0, kappa=8.0)
    found = shrinkage.of(values(90, 90, 90, NAN), values(8, 1_000, NAN, 500))
    assert found.tolist() == pytest.approx([(8 * 90 + 8 * 70) / 16, (1000 * 90 + 560) / 1008, (90 + 560) / 9, 70])


def test_kappa_is_found_where_scores_are_drawn_from_the_model() -> None:
    rng = np.random.default_rng(5)
    counts = rng.integers(1, 60, 20_000).astype(np.float64)
    true = rng.normal(70, 6, len(counts))
    scores = true + rng.normal(0, 18, len(counts)) / np.sqrt(counts)
    shrinkage = Shrinkage.fit(scores, counts)
    assert shrinkage.mean == pytest.approx(70, abs=0.3)
    assert shrinkage.kappa == pytest.approx(18**2 / 6**2, rel=0.15)
    # That is what it is for: the shrunk score is nearer to the truth than the score itself.
    error = np.mean((shrinkage.of(scores, counts) - true) ** 2)
    assert error < 0.7 * np.mean((scores - true) ** 2)


@pytest.mark.parametrize("scores", [values(), values(80), np.full(50, 80.0), np.full(40, NAN)])
def test_where_nothing_can_be_learnt_kappa_is_the_usual_one(scores: Values) -> None:
    assert Shrinkage.fit(scores, np.arange(1, len(scores) + 1, dtype=np.float64)).kappa == 8.0


def works(*rows: tuple[float, float, float, float, float]) -> Reception:
    users, users_n, critics, critics_n, popularity = (values(*column) for column in zip(*rows, strict=True))
    return Reception(
        user_score=users, user_count=users_n, critic_score=critics, critic_count=critics_n, popularity=popularity
    )


WORKS = works(
    (92, 900, 55, 30, 60),  # 0: listeners love it, critics don't
    (55, 900, 92, 30, 30),  # 1: the reverse
    (92, 900, 92, 30, 5),  # 2: all who know it love it
    (92, 1, 55, 1, 60),  # 3: as 0, but hardly anybody was asked
    (70, 900, 70, 30, 50),  # 4: as usual
    (90, 900, NAN, NAN, 50),  # 5: no critic
    (NAN, NAN, NAN, NAN, 99),  # 6: nobody
)


def test_each_finds_its_own_first() -> None:
    critics, listeners, everybody = (judge(WORKS, by).order for by in Overlooked)
    assert critics[0] == 0
    assert listeners[0] == 1
    assert everybody[0] == 2
    assert 5 in critics
    assert 6 not in {*critics, *listeners, *everybody}
    assert 4 not in critics


def test_many_reviews_say_more_than_one() -> None:
    found = judge(WORKS, Overlooked.CRITICS)
    assert found.scores[0] > found.scores[3]


def test_only_what_is_allowed_is_answered_and_means_are_of_all() -> None:
    allowed = np.array([False, True, True, True, True, True, True])
    every, some = judge(WORKS, Overlooked.CRITICS), judge(WORKS, Overlooked.CRITICS, allowed=allowed)
    assert some.order == [place for place in every.order if place != 0]
    assert some.scores.tolist() == every.scores.tolist()


Score = st.one_of(st.just(NAN), st.floats(0, 100))
Count = st.one_of(st.just(NAN), st.integers(0, 10_000).map(float))


@settings(max_examples=100, deadline=None)
@given(rows=st.lists(st.tuples(Score, Count, Score, Count, Score), max_size=60), by=st.sampled_from(list(Overlooked)))
def test_contributions_sum_to_the_score_which_is_above_0_and_falls(
    rows: list[tuple[float, float, float, float, float]], by: Overlooked
) -> None:
    given_works = works(*rows) if rows else Reception(**dict.fromkeys(Reception.__slots__, values()))
    found = judge(given_works, by)
    total = np.sum(list(found.contributions.values()), axis=0)
    scores = found.scores[list(found.order)]
    assert total == pytest.approx(found.scores, abs=1e-9)
    assert (scores > 0).all()
    assert (np.diff(scores) <= 0).all()
    assert np.isfinite(found.scores).all()
