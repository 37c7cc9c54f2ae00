"""Tracks near a taste, over a few tracks whose similarity is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from backend.features.discovery.choosing import Taste
from backend.features.discovery.index import DiscoveryIndex
from backend.models.ingestion_models import RightsLevel
from backend.services.taste_engine import Near, Wish, near
from backend.utils.errors import NotFoundError
from tests.unit.features.songs import songs


@pytest.fixture(scope="module")
def index() -> DiscoveryIndex:
    table = songs(30)
    n = table.num_rows
    more: dict[str, Any] = {
        "id": [f"t{i:04}" for i in range(n)],
        "title": [f"Song {i}" for i in range(n)],
        "album": [None] * n, "album_id": [None] * n, "synthetic": [True] * n,
        "recording_id": [None] * n,
    }  # fmt: skip
    for name, values in more.items():
        column = pa.array(values, pa.string() if name in {"album", "album_id", "recording_id"} else None)
        table = table.drop_columns([name]) if name in table.column_names else table
        table = table.append_column(name, column)
    return DiscoveryIndex.build(table)


def wish(seeds: dict[str, float], **more: Any) -> Wish:
    usual: dict[str, Any] = {"known_artists": (), "left_out": (), "k": 10, "per_artist": 2, "rights": RightsLevel.ANY}
    return Wish(seeds=seeds, **{**usual, **more})


def scores(index: DiscoveryIndex, seeds: dict[str, float]) -> np.ndarray[Any, Any]:
    """The weighted mean of the likeness to each seed, worked out seed by seed, less what is taken off for commonness."""
    vectors = index.vectors(range(len(index.rows)))
    total = sum(seeds.values())
    likeness = sum(w / total * (vectors[:, :-1] @ vectors[index.rows.find(s), :-1]) for s, w in seeds.items())
    return np.asarray(likeness - vectors[:, -1])


def shown(found: list[Near]) -> list[str]:
    return [pick.card["id"] for pick in found]


def test_a_score_is_the_weighted_mean_and_its_parts_sum_to_it(index: DiscoveryIndex) -> None:
    seeds = {"t0003": 3.0, "t0100": 1.0}
    expected = scores(index, seeds)
    _, new = near(index, wish(seeds))
    assert len(new) == 10
    for pick in new:
        assert pick.score == pytest.approx(expected[index.rows.find(pick.card["id"])], abs=1e-5)
        assert sum(pick.contributions.values()) == pytest.approx(pick.score, abs=1e-6)
    assert [p.score for p in new] == sorted((p.score for p in new), reverse=True)


def test_the_best_come_first_and_none_that_could_be_better_is_missing(index: DiscoveryIndex) -> None:
    seeds = {"t0003": 1.0}
    _, new = near(index, wish(seeds, per_artist=1_000, k=20))
    expected = np.round(scores(index, seeds), 6)
    assert min(p.score for p in new) >= np.partition(expected, -20)[-20] - 1e-5


def test_weights_move_it_towards_the_heavier_seed(index: DiscoveryIndex) -> None:
    one, other = "t0003", "t0200"
    nearest = {seed: index.ask(index.like([index.rows.find(seed)]), Taste(k=1))[0].id for seed in (one, other)}
    for heavy, light in ((one, other), (other, one)):
        _, new = near(index, wish({heavy: 100.0, light: 1.0}, left_out=(one, other)))
        assert nearest[heavy] in shown(new)
        assert new[0].because == heavy


def test_known_artists_are_familiar_and_nobody_stands_in_both(index: DiscoveryIndex) -> None:
    known = {index.rows.cards([index.rows.find("t0003")])[0]["artist"].lower()}
    familiar, new = near(index, wish({"t0003": 1.0}, known_artists=known, left_out=("t0003",)))
    assert {p.card["artist"].lower() for p in familiar} == known
    assert not {p.card["artist"].lower() for p in new} & known
    assert "t0003" not in shown(familiar)
    for found in (familiar, new):
        of = [p.card["artist"] for p in found]
        assert max(of.count(artist) for artist in of) <= 2


def test_what_is_left_out_never_comes(index: DiscoveryIndex) -> None:
    _, before = near(index, wish({"t0003": 1.0}))
    gone = shown(before)[:5]
    _, after = near(index, wish({"t0003": 1.0}, left_out=gone))
    assert not set(gone) & set(shown(after))
    assert len(after) == 10


def test_the_same_each_time_and_an_unknown_seed_is_named(index: DiscoveryIndex) -> None:
    seeds = {"t0003": 1.0, "t0100": 2.0}
    assert near(index, wish(seeds)) == near(index, wish(seeds))
    with pytest.raises(NotFoundError, match="No track has the id 'nothing'"):
        near(index, wish({"nothing": 1.0}))
