from __future__ import annotations

import json
import tomllib
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.features.splits import SplitRecipe
from backend.utils.errors import InvalidInputError

SHARES = st.lists(st.integers(1, 50), min_size=1, max_size=5).map(
    lambda parts: {f"part {i}": part / sum(parts) for i, part in enumerate(parts)}
)
OTHERS = st.builds(
    SplitRecipe,
    kind=st.sampled_from(["random", "artist", "album", "recording"]),
    parts=SHARES,
    seed=st.integers(-(2**40), 2**40),
    stratify=st.none() | st.just("genre"),
    balanced=st.booleans(),
    artists=st.sampled_from(["whole", "first", "all"]),
    since=st.none() | st.just("created_at"),
)
FOLDS = st.builds(SplitRecipe, kind=st.just("artist"), folds=st.integers(2, 20))
TIMES = st.builds(
    SplitRecipe,
    kind=st.just("time"),
    cuts=st.lists(st.dates(), min_size=2, max_size=2, unique=True).map(lambda days: tuple(sorted(days))),
    gap_days=st.integers(0, 400),
    undated=st.sampled_from([None, "train"]),
)


@given(recipe=OTHERS | FOLDS | TIMES)
def test_json_and_back(recipe: SplitRecipe) -> None:
    assert SplitRecipe.from_plain(json.loads(json.dumps(recipe.to_plain(), allow_nan=False))) == recipe


def test_toml_has_days_of_its_own() -> None:
    told = tomllib.loads('kind = "time"\ncuts = [2015-01-01, "2018-06-30"]\nundated = "train"\n')
    assert SplitRecipe.from_plain(told).cuts == (date(2015, 1, 1), date(2018, 6, 30))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({}, "kind is missing; choose one of random, artist"),
        ({"kind": "genre"}, "kind='genre' is not known"),
        ({"kind": "artist", "sed": 1}, "no sed; it may have kind, parts, seed"),
        ({"kind": "artist", "seed": 1.5}, "seed=1.5"),
        ({"kind": "artist", "seed": True}, "seed=True"),
        ({"kind": "artist", "parts": {"train": 0.8, "test": 0.3}}, "sum to 1.1"),
        ({"kind": "artist", "parts": {"train": 1.2, "test": -0.2}}, "the share of train is 1.2"),
        ({"kind": "artist", "parts": {"train": float("nan")}}, "the share of train is nan"),
        ({"kind": "artist", "parts": {"": 1}}, "a part=''"),
        ({"kind": "artist", "parts": []}, "parts=[] must be"),
        ({"kind": "artist", "parts": {"train": 0.5, "test": 0.5}, "folds": 5}, "either parts or folds"),
        ({"kind": "artist", "folds": 1}, "folds=1"),
        ({"kind": "artist", "artists": "some"}, "choose one of whole, first, all"),
        ({"kind": "artist", "stratify": ""}, "stratify=''"),
        ({"kind": "artist", "balanced": "yes"}, "balanced='yes'"),
        ({"kind": "artist", "gap_days": 3}, "only with kind='time'"),
        ({"kind": "time", "folds": 3}, "cannot go with kind='time'"),
        ({"kind": "time", "cuts": ["2015-01-01"]}, "3 parts need 2 cuts"),
        ({"kind": "time", "cuts": ["2015-01-01", "2014-01-01"]}, "must follow each other"),
        ({"kind": "time", "cuts": ["2015", "2016-01-01"]}, "'2015' in cuts"),
        ({"kind": "time", "cuts": "2015-01-01"}, "must be a list of days"),
        ({"kind": "time", "undated": "nowhere"}, "choose one of train, validation, test"),
        ({"kind": "time", "gap_days": -1}, "gap_days=-1"),
        ([], "not as list"),
    ],
)
def test_what_is_wrong_is_named(values: Any, said: str) -> None:
    with pytest.raises(InvalidInputError) as error:
        SplitRecipe.from_plain(values)
    assert said in str(error.value)
