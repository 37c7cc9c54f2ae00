from __future__ import annotations

import random

import numpy as np

from backend.features.discovery.listening import Listening


def test_artists_of_the_same_sittings_are_near_and_others_are_not() -> None:
    dice = random.Random(3)
    one, two = [f"a{i}" for i in range(10)], [f"b{i}" for i in range(10)]
    sittings = [dice.sample(one, 5) for _ in range(60)] + [dice.sample(two, 5) for _ in range(60)]
    found = Listening.fit(sittings, dimensions=6)
    vectors = found.of_artists([*one, *two, "unheard", ""])
    likeness = vectors @ vectors.T
    assert likeness[:10, :10].mean() > 0.5
    assert abs(likeness[:10, 10:20].mean()) < 0.1
    assert not vectors[20:].any()
    np.testing.assert_allclose(np.linalg.norm(vectors[:20], axis=1), 1, atol=1e-5)


def test_the_same_sittings_give_the_same_vectors_in_any_order() -> None:
    dice = random.Random(5)
    sittings = [dice.sample([f"a{i}" for i in range(30)], 6) for _ in range(50)]
    first = Listening.fit(sittings)
    second = Listening.fit([list(reversed(sitting)) for sitting in sittings])
    np.testing.assert_array_equal(first.axes, second.axes)


def test_nothing_to_learn_from_says_nothing() -> None:
    for sittings in ([], [["a"]], [["a"], ["b"], ["c"]], [["", ""]], [["a", "b"]]):
        found = Listening.fit(sittings)
        assert found.width == 0
        assert found.of_artists(["a", "b"]).shape == (2, 0)
