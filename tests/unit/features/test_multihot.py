from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st
from sklearn.preprocessing import MultiLabelBinarizer

from backend.features import multihot

NAMES = st.sampled_from(["rock", "pop", "jazz", "hip hop", "r&b", "", "ø"]) | st.text(max_size=4)
LISTS = st.lists(st.none() | st.lists(NAMES, max_size=6), max_size=12)


def array(lists: list[list[str] | None]) -> pa.ListArray:
    return pa.array(lists, pa.list_(pa.string()))


@given(lists=LISTS, classes=st.lists(NAMES, max_size=5, unique=True), start=st.integers(0, 3))
def test_scatter_equals_scikit_learn(lists: list[list[str] | None], classes: list[str], start: int) -> None:
    mine = np.zeros((len(lists[start:]), len(classes)), np.float32)
    multihot.scatter(array(lists).slice(start), classes, mine)
    wanted = [[tag for tag in tags or () if tag in classes] for tags in lists[start:]]
    if wanted and classes:
        theirs = MultiLabelBinarizer(classes=classes).fit_transform(wanted)
        np.testing.assert_array_equal(mine, theirs)
    else:
        assert not mine.any()


def test_counts_are_of_lists_ordered_by_frequency_then_name() -> None:
    lists = array([["pop", "pop", "rock"], ["rock", None], None, ["jazz"], []])  # type: ignore[list-item]  # null inside
    assert list(multihot.counts(lists).items()) == [("rock", 2), ("jazz", 1), ("pop", 1)]
