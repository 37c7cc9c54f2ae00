from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.features.discovery import path
from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.songs import NOBODY
from backend.utils.errors import InvalidInputError
from tests.unit.features.tracks import mixed, table


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 300), ends=st.tuples(st.integers(0, 149), st.integers(0, 149)), steps=st.integers(2, 12))
def test_a_way_has_its_ends_its_length_no_song_twice_and_no_artist_twice_in_a_row(
    seed: int, ends: tuple[int, int], steps: int
) -> None:
    index = DiscoveryIndex.build(mixed(150, seed=seed, holes=0.1))
    artists = index.rows.artists[list(ends)]
    if index.rows.songs[ends[0]] == index.rows.songs[ends[1]]:
        with pytest.raises(InvalidInputError, match="same song"):
            path.find(index, *ends, steps=steps)
        return
    if steps == 2 and artists[0] == artists[1] != NOBODY:
        with pytest.raises(InvalidInputError, match="artist twice in a row"):
            path.find(index, *ends, steps=steps)
        return
    found = path.find(index, *ends, steps=steps)
    rows = [pick.row for pick in found.steps]
    assert (rows[0], rows[-1], len(rows)) == (*ends, steps)
    songs = index.rows.songs[rows]
    assert len(set(songs.tolist())) == steps
    for before, after in pairwise(index.rows.artists[rows].tolist()):
        assert before != after or before == NOBODY
    for before, pick in zip([rows[0], *rows], found.steps, strict=False):
        assert sum(pick.contributions.values()) == pytest.approx(pick.score, abs=1e-9)
        assert pick.because == index.rows.names([before])[0]
    assert list(found.places[1:-1]) == sorted(found.places[1:-1])
    assert found.smoothness.mean_step == pytest.approx(np.mean(found.distances[1:]), abs=1e-3)
    assert found.smoothness.largest_step == max(found.distances[1:])
    assert path.find(index, *ends, steps=steps) == found


def line(n: int) -> list[dict[str, Any]]:
    """Tracks of twenty years, each by an artist of its own: near in time is near."""
    return [
        {"id": f"t{i:03}", "title": f"Song {i}", "artist": f"Artist {i}", "release_year": 1980 + 20 * i // n}
        for i in range(n)
    ]


def test_along_a_line_the_way_goes_along_the_line_in_even_steps() -> None:
    index = DiscoveryIndex.build(table(line(200)))
    found = path.find(index, 0, 199, steps=9)
    rows = [pick.row for pick in found.steps]
    years = [row // 10 for row in rows]
    assert years == sorted(years)
    assert found.smoothness.unevenness < 0.15
    assert found.smoothness.largest_step < 0.4 * found.smoothness.direct
    assert found.smoothness.value > 0.5
    # Half as many steps are about twice as long.
    assert path.find(index, 0, 199, steps=5).smoothness.mean_step > 1.5 * found.smoothness.mean_step


def test_what_is_not_allowed_stands_at_the_ends_alone() -> None:
    index = DiscoveryIndex.build(table(line(60)))
    allowed = np.arange(60) % 2 == 1
    rows = [pick.row for pick in path.find(index, 0, 58, steps=8, allowed=allowed).steps]
    assert all(row % 2 for row in rows[1:-1])


@pytest.mark.parametrize(
    ("steps", "ends", "said"),
    [
        (1, (0, 5), "ask for 2 to 100"),
        (101, (0, 5), "ask for 2 to 100"),
        (5, (3, 3), "same song"),
        (90, (0, 5), "no way of 90"),
    ],
)
def test_ways_that_there_are_none(steps: int, ends: tuple[int, int], said: str) -> None:
    index = DiscoveryIndex.build(table(line(20)))
    with pytest.raises(InvalidInputError, match=said):
        path.find(index, *ends, steps=steps)


def test_one_artist_alone_has_no_way() -> None:
    rows = [{**row, "artist": "One"} for row in line(20)]
    with pytest.raises(InvalidInputError, match="artist twice in a row"):
        path.find(DiscoveryIndex.build(table(rows)), 0, 19, steps=4)
