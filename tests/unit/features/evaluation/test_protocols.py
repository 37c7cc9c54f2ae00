from __future__ import annotations

import numpy as np
import pytest

from backend.features.evaluation.methods import best, scored
from backend.features.evaluation.protocols import Lists, deal, halves, wanted_parts

IDS = [f"t{i:03}" for i in range(200)]


def lists(*lengths: int, first: int = 0) -> Lists:
    rng = np.random.default_rng(1)
    items = [np.sort(rng.choice(200, n, replace=False)) for n in lengths]
    return Lists([f"p{first + i}" for i in range(len(lengths))], items, IDS)


def test_a_share_of_each_long_list_is_held_out_and_no_item_is_in_both() -> None:
    given = lists(9, 10, 40)
    dealt = deal(given, seed=0)
    assert [len(held) for held in dealt.held] == [0, 3, 12]
    assert dealt.asked == [1, 2]
    for items, seeds, held in zip(given.items, dealt.seeds, dealt.held, strict=True):
        assert sorted([*seeds, *held]) == items.tolist()


def test_the_deal_stays_whatever_is_added_and_another_seed_deals_anew() -> None:
    given = lists(30, 20)
    more = Lists([*given.names, "new"], [*given.items, np.arange(50)], [*IDS, "t999"])
    for one, other in zip(deal(given, seed=4).held, deal(more, seed=4).held, strict=False):
        assert one.tolist() == other.tolist()
    assert deal(given, seed=4).held[0].tolist() != deal(given, seed=5).held[0].tolist()
    train, test = halves(given, seed=4)
    assert sorted([*train, *test]) == [0, 1]
    assert halves(lists(*[10] * 40), seed=1) != halves(lists(*[10] * 40), seed=2)


def test_slices_by_hand() -> None:
    given = Lists(["a"], [np.arange(10)], [str(i) for i in range(10)])
    dealt = deal(given, seed=0)
    held = dealt.held[0]
    artists = np.arange(10)
    artists[held[0]] = artists[dealt.seeds[0][0]]  # one of them by an artist who is shown
    counts = np.ones(10, np.int64)
    counts[held[1]] = 0
    parts = wanted_parts(dealt, 0, artists, counts)
    assert parts["all"].tolist() == held.tolist()
    assert parts["new_artists"].tolist() == held[1:].tolist()
    assert parts["cold"].tolist() == [held[1]]
    assert "new_artists" not in wanted_parts(dealt, 0, None, counts)


def test_all_items_are_ranked_but_the_seeds_and_ties_go_by_what_is_said() -> None:
    ranks = np.array([3, 2, 1, 0])
    assert best(np.array([1.0, 5.0, 1.0, 1.0]), ranks, without=np.array([1]), k=2).tolist() == [3, 2]
    assert best(np.array([1.0, 5.0, -np.inf, 2.0]), ranks, without=np.array([]).astype(int), k=9).tolist() == [1, 3, 0]
    method = scored("m", lambda _: np.zeros(4), [np.array([0])], k=3, breaker=np.array([9.0, 1.0, 7.0, 1.0]))
    assert method.answer(0).tolist() == [2, 1, 3]
    assert best(np.zeros(1), np.zeros(1, int), without=np.array([0]), k=3).tolist() == []


@pytest.mark.parametrize("seed", range(3))
def test_held_out_items_are_drawn_evenly(seed: int) -> None:
    given = Lists([f"p{i}" for i in range(300)], [np.arange(20)] * 300, IDS)
    counts = np.bincount(np.concatenate(deal(given, seed=seed).held), minlength=20)
    assert counts.min() > 50  # of 90 expected
    assert counts.max() < 130
