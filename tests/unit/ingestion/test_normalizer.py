"""Values tidied."""

from __future__ import annotations

import doctest
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.ingestion import normalizer
from backend.ingestion.normalizer import (
    tidy_count,
    tidy_date,
    tidy_duration,
    tidy_features,
    tidy_isrc,
    tidy_popularity,
    tidy_share,
    tidy_text,
    tidy_upc,
)
from backend.models.ingestion_models import AUDIO_FEATURES


def test_examples_in_the_module() -> None:
    tried = doctest.testmod(normalizer)
    assert tried.attempted > 0
    assert tried.failed == 0


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("1969-09-26", "1969-09-26"), ("1969-09", "1969-09"), ("1969", "1969"), (" 1969 ", "1969"),
        ("2021-02-30", "2021-02"), ("2021-13-01", "2021"), ("2021-00-00", "2021"), ("2000-02-29", "2000-02-29"),
        ("1900-02-29", "1900-02"), ("0000", None), ("0000-00-00", None), ("", None), (None, None), ("soon", None),
        ("26.9.1969", None), ("1969-9-26", None), ("1969-09-26T00:00:00Z", None), ("9999", None), ("१९६९", None),
    ],
)  # fmt: skip
def test_dates(text: str | None, date: str | None) -> None:
    assert tidy_date(text) == date


def test_features_in_range_stay_others_go() -> None:
    good = dict.fromkeys(AUDIO_FEATURES, 0.5) | {
        "loudness": -7.5,
        "tempo": 120.1,
        "key": -1,
        "mode": 1,
        "time_signature": 4,
    }
    assert tidy_features(good) == {k: float(v) for k, v in sorted(good.items())}
    bad = {
        "energy": 1.01, "valence": -0.01, "danceability": math.nan, "liveness": math.inf, "tempo": 0, "loudness": -200,
        "key": 12, "mode": 0.5, "time_signature": 0, "acousticness": "0.5", "speechiness": None, "instrumentalness": True,
        "mood": 0.5,
    }  # fmt: skip
    assert tidy_features(bad) == {}
    assert tidy_features(None) == tidy_features({}) == {}
    assert math.copysign(1.0, tidy_features({"loudness": -0.0})["loudness"]) == 1.0


@given(st.dictionaries(st.sampled_from(AUDIO_FEATURES), st.floats() | st.integers() | st.text() | st.none()))
def test_any_features_come_out_finite_and_in_one_order(features: dict[str, object]) -> None:
    found = tidy_features(features)
    assert all(math.isfinite(v) for v in found.values())
    assert list(found) == sorted(found)
    assert tidy_features(found) == found


@pytest.mark.parametrize(
    ("tidy", "value", "expected"),
    [
        (tidy_popularity, 0, 0), (tidy_popularity, 100, 100), (tidy_popularity, 101, None), (tidy_popularity, -1, None),
        (tidy_popularity, 55.4, 55), (tidy_popularity, math.nan, None), (tidy_popularity, True, None),
        (tidy_popularity, "5", None),
        (tidy_share, 81.5, 81.5), (tidy_share, math.inf, None), (tidy_share, None, None),
        (tidy_count, 2**31 - 1, 2**31 - 1), (tidy_count, 2**31, None), (tidy_count, -1, None), (tidy_count, int("9" * 400), None),
        (tidy_duration, 0, None), (tidy_duration, 1, 1), (tidy_duration, 86_400_001, None), (tidy_duration, -5, None),
        (tidy_isrc, "gb-aye-06-01690", "GBAYE0601690"), (tidy_isrc, "GB AYE 06 01690", "GBAYE0601690"),
        (tidy_isrc, "GBAYE06016901", None), (tidy_isrc, "GBAYE0601690\nX", None), (tidy_isrc, None, None),
        (tidy_upc, "602445790128", "602445790128"), (tidy_upc, "00602445790128", "602445790128"),
        (tidy_upc, "0602445790128", "602445790128"), (tidy_upc, "5099749534728", "5099749534728"),
        (tidy_upc, "42", None), (tidy_upc, "000000000000", None), (tidy_upc, "60244579012X", None), (tidy_upc, None, None),
        (tidy_text, "  Abbey\tRoad\x00", "Abbey Road"), (tidy_text, "", None), (tidy_text, None, None),
        (tidy_text, "\ud800", None),
        (tidy_text, "x" * 2_000, "x" * 1_000),
    ],
    ids=lambda value: str(value)[:20],
)  # fmt: skip
def test_values(tidy: Any, value: object, expected: object) -> None:
    assert tidy(value) == expected
    assert type(tidy(value)) is type(expected)
