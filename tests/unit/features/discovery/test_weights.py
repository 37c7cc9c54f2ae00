from __future__ import annotations

import numpy as np
import pytest

from backend.features.discovery.weights import DEFAULT, GROUPS, Examples, Weights, example, learn
from backend.utils.errors import InvalidInputError


def test_weights_are_shares_and_refuse_what_is_none() -> None:
    found = Weights.from_plain({"audio": 3, "genres": 1})
    assert found.of["audio"] == 0.75
    assert found.of["year"] == 0
    assert sum(DEFAULT.of.values()) == pytest.approx(1)
    for wrong in ({"colour": 1.0}, {"audio": -1.0, "genres": 2.0}, {"audio": 0.0}, {"audio": float("nan")}):
        with pytest.raises(InvalidInputError):
            Weights.from_plain(wrong)


def test_the_group_by_which_playlists_are_made_gets_the_weight() -> None:
    dice = np.random.default_rng(0)

    def playlist(told: int) -> Examples:
        wanted, others = dice.random((5, len(GROUPS))), dice.random((200, len(GROUPS)))
        wanted[:, told] = 0.9 + 0.1 * dice.random(5)
        return Examples(wanted, others)

    found = learn([playlist(GROUPS.index("genres")) for _ in range(40)], n_tracks=10_000)
    assert max(found.of, key=lambda group: found.of[group]) == "genres"
    assert found.of["genres"] > 0.8
    assert min(found.of.values()) >= 0


def test_a_group_that_is_the_same_for_all_gets_no_weight() -> None:
    dice = np.random.default_rng(1)
    examples = []
    for _ in range(20):
        wanted, others = dice.random((4, len(GROUPS))), dice.random((50, len(GROUPS)))
        wanted[:, 0] = others[:, 0] = 0.5
        wanted[:, 1] += 1
        examples.append(Examples(wanted, others))
    found = learn(examples, n_tracks=500)
    assert found.of["audio"] == 0
    with pytest.raises(InvalidInputError, match="long enough"):
        learn([], n_tracks=10)


def test_an_example_draws_from_the_whole_catalogue_what_the_playlist_does_not_hold() -> None:
    asked: list[tuple[list[int], list[int]]] = []

    def parts(seeds: object, rows: object) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        # Typed as object: what is noted is whatever comes.
        asked.append((list(seeds), list(rows)))  # type: ignore[call-overload]
        return np.arange(len(asked[-1][1]) * len(GROUPS), dtype=float).reshape(-1, len(GROUPS))

    seeds, wanted, rng = np.arange(7), np.arange(7, 10), np.random.default_rng(0)
    found = example(seeds, wanted, parts, n_tracks=10_000, rng=rng)
    assert found is not None
    shown, rows = asked[0]
    assert shown == list(range(7))
    assert rows[:3] == [7, 8, 9]
    drawn = np.array(rows[3:])
    assert len(drawn) == len(set(rows[3:])) == len(found.others) == 300
    assert drawn.min() >= 10
    assert 4_000 < drawn.mean() < 6_000  # not those of the lowest rows alone
    assert found.wanted.tolist() == parts(seeds, rows)[:3].tolist()
    assert example(seeds, wanted, parts, n_tracks=10, rng=rng) is None
