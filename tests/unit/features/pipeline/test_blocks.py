"""Each block: its columns, what it learns, and what it makes of odd values."""

from __future__ import annotations

import math
from datetime import date
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from sklearn.decomposition import TruncatedSVD
from sklearn.feature_extraction.text import TfidfVectorizer

from backend.features.pipeline import (
    ArtistFigures,
    Audio,
    Block,
    Flag,
    MultiHot,
    Numbers,
    Terms,
    Times,
    TitleForm,
    TrackFeatures,
)
from backend.features.pipeline.recipe import KINDS, from_json, to_json
from backend.utils.errors import InvalidInputError


def features(block: Block, **columns: Any) -> dict[str, list[float]]:
    """The block's columns, learnt from these tracks and computed for them."""
    table = pa.table(columns)
    made = TrackFeatures((block,)).fit(table)
    values = made.transform(table)
    return {name: values[:, i].tolist() for i, name in enumerate(made.get_feature_names_out())}


def test_numbers_fill_with_the_median_and_say_so() -> None:
    found = features(Numbers(fields=("tempo",)), tempo=pa.array([100.0, None, 140.0, math.nan, math.inf]))
    assert found == {"tempo": [100, 120, 140, 120, 120], "tempo_missing": [0, 1, 0, 1, 1]}


def test_robust_scaling_takes_the_median_and_the_quartiles() -> None:
    found = features(Numbers(fields=("tempo",), scale="robust"), tempo=[0.0, 10.0, 20.0, 30.0, 40.0])
    assert found["tempo"] == [-1, -0.5, 0, 0.5, 1]
    flat = features(Numbers(fields=("tempo",), scale="robust"), tempo=[7.0, 7.0, None])
    assert flat["tempo"] == [0, 0, 0]


@pytest.mark.parametrize(
    ("tempo", "folded"), [(80, 80), (159.5, 159.5), (160, 80), (79, 158), (20, 80), (330, 82.5), (1280, 1280)]
)
def test_tempo_is_folded_into_one_octave(tempo: float, folded: float) -> None:
    assert features(Audio(fields=("tempo",), tempo="folded"), tempo=[float(tempo)])["tempo_folded"] == [folded]


def test_a_tempo_of_nothing_is_unknown_when_folded() -> None:
    assert features(Audio(fields=("tempo",), tempo="folded"), tempo=[0.0, 90.0])["tempo_missing"] == [1, 0]


def test_keys_a_fifth_apart_are_neighbours_on_the_circle() -> None:
    found = features(Audio(fields=("key",), key="fifths"), key=pa.array([0.0, 7.0, 6.0, -1.0, None]))
    places = np.column_stack([found["key_fifths_x"], found["key_fifths_y"]])
    assert places[0].tolist() == [1, 0]
    assert places[2].tolist() == [-1, 0]
    np.testing.assert_allclose(places[1], [math.cos(math.tau / 12), 0.5], atol=1e-6)
    assert places[3:].tolist() == [[0, 0], [0, 0]]
    assert found["key_missing"] == [0, 0, 0, 1, 1]


def test_key_and_time_signature_as_classes() -> None:
    found = features(
        Audio(fields=("key", "mode", "time_signature")),
        key=pa.array([0.0, 11.0, -1.0]), mode=pa.array([1.0, 0.0, None]), time_signature=pa.array([4.0, 7.0, None]),
    )  # fmt: skip
    assert (found["key_0"], found["key_11"], found["key_missing"]) == ([1, 0, 0], [0, 1, 0], [0, 0, 1])
    assert (found["mode"], found["mode_missing"]) == ([1, 0, 0], [0, 0, 1])
    assert (found["time_signature_4"], found["time_signature_other"]) == ([1, 0, 0], [0, 1, 0])
    assert found["time_signature_missing"] == [0, 0, 1]


def test_tags_by_frequency_then_name_each_once_a_track() -> None:
    genres = [["pop", "pop", "rock"], ["rock", None], None, ["jazz"], []]
    found = features(MultiHot(field="genres", most=2), genres=pa.array(genres, pa.list_(pa.string())))
    assert list(found) == ["genre_rock", "genre_jazz", "genres_missing"]
    assert found["genre_rock"] == [1, 1, 0, 0, 0]
    assert found["genres_missing"] == [0, 0, 1, 0, 1]


def test_tags_left_out_make_room_for_others() -> None:
    genres = pa.array([["rock", "pop"], ["rock", "jazz"], ["rock"]])
    without = MultiHot(field="genres", most=2, without=("rock",), flagged=False)
    assert list(features(without, genres=genres)) == ["genre_jazz", "genre_pop"]
    assert list(features(MultiHot(field="genres", least=2), genres=genres)) == ["genre_rock", "genres_missing"]
    assert list(features(MultiHot(field="genres", most=0), genres=genres)) == ["genres_missing"]


def test_terms_are_scikit_learns_tf_idf_and_svd() -> None:
    dice = np.random.default_rng(3)
    names = [f"g{i}" for i in range(12)]
    lists = [sorted(dice.choice(names, dice.integers(1, 6), replace=False)) for _ in range(200)]
    found = features(Terms(field="genres", dimensions=4, least=1), genres=pa.array(lists))
    mine = np.column_stack([found[f"genre_svd_{i:02}"] for i in range(4)])
    tfidf = TfidfVectorizer(analyzer=lambda tags: tags).fit_transform(lists)
    theirs = TruncatedSVD(4, algorithm="arpack", random_state=0).fit_transform(tfidf)
    # Axes may point the other way; what lies where relative to what is the same.
    np.testing.assert_allclose(np.abs(mine), np.abs(theirs), atol=0.02)
    np.testing.assert_allclose(mine @ mine.T, theirs @ theirs.T, atol=0.02)


def test_terms_of_titles_are_words_in_any_script() -> None:
    titles = pa.array(["Red Sun", "red moon!", "Солнце (red)", "солнце moon", None, "…"])
    found = features(Terms(field="title", dimensions=2, least=2), title=titles)
    mine = np.column_stack(list(found.values()))
    assert (mine[4:] == 0).all()
    assert (np.abs(mine[:4]).sum(axis=1) > 0).all()


def test_too_few_terms_make_no_column() -> None:
    assert features(Terms(field="genres"), genres=pa.array([["rock"]])) == {}
    (alike,) = features(Terms(field="genres", least=1), genres=pa.array([["rock", "pop"]] * 3)).values()
    assert alike == pytest.approx([1.0] * 3)


def test_terms_that_all_tracks_share_are_one_point() -> None:
    found = features(Terms(field="moods", dimensions=2, least=1), moods=pa.array([["calm", "warm"]] * 6))
    (values,) = found.values()
    np.testing.assert_allclose(np.abs(values), 1, atol=1e-6)


def test_what_a_title_says() -> None:
    titles = [
        "Song (Live at Wembley)",
        "Song - Remastered 2011",
        "Live Forever",
        "A (feat. B) [Demo]",
        "",
        None,
        "X, Pt. 2",
    ]
    found = features(TitleForm(), title=pa.array(titles))
    assert found["title_live"] == [1, 0, 0, 0, 0, 0, 0]
    assert found["title_remaster"] == [0, 1, 0, 0, 0, 0, 0]
    assert found["title_feat"] == [0, 0, 0, 1, 0, 0, 0]
    assert found["title_demo"] == [0, 0, 0, 1, 0, 0, 0]
    assert found["title_part"] == [0, 0, 0, 0, 0, 0, 1]
    assert found["title_words"] == [4, 4, 2, 4, 0, 0, 3]
    assert found["title_letters"][2] == 12


def test_age_is_reckoned_on_the_data_sets_day() -> None:
    days = pa.array([date(2016, 1, 1), date(1969, 9, 26), None], pa.date32())
    found = features(Times(day=date(2026, 1, 1)), release_date=days, release_year=pa.array([2016, 1969, None]))
    assert found["release_decade"] == [2010, 1960, 1985]
    assert found["release_age_years"][0] == pytest.approx(10.0, abs=0.01)
    assert found["release_date_missing"] == [0, 0, 1]


def test_artists_of_the_training_tracks_alone_are_known() -> None:
    train = pa.table({"artist": ["A", "a ", "A", "B", None, ""], "energy": [0.1, 0.2, 0.6, 0.9, 0.5, 0.5]})
    made = TrackFeatures((ArtistFigures(fields=("energy",), least=3),)).fit(train)
    test = pa.table({"artist": ["A", "B", "C", None], "energy": [1.0, 1.0, 1.0, 1.0]})
    np.testing.assert_allclose(made.transform(test), [[3, 0.2, 0], [0, 0.5, 1], [0, 0.5, 1], [0, 0.5, 1]], atol=1e-6)


@pytest.mark.parametrize(
    "block",
    [
        Numbers(fields=("tempo",), scale="robust"), Flag(), Audio(key="fifths"), MultiHot(field="moods", without=("dark",)),
        Terms(field="title", seed=4), TitleForm(), Times(day=date(2026, 2, 3)), ArtistFigures(least=1),
    ],
    ids=lambda b: b.kind,
)  # fmt: skip
def test_a_block_comes_back_from_json(block: Block) -> None:
    assert from_json(to_json(block)) == block


def test_every_kind_of_block_is_tested_above() -> None:
    assert len(KINDS) == 8


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"kind": "magic"}, "no block of features is called 'magic'; there are numbers,"),
        ({}, "no block of features is called None"),
        ({"kind": "multi_hot", "field": "genres", "top": 3}, "no option top; it has field, most"),
        ({"kind": "multi_hot"}, "missing required field `field`"),
        ({"kind": "multi_hot", "field": "titles"}, "Invalid enum value 'titles'"),
        ({"kind": "numbers", "fields": ["tempi"]}, "'tempi' is no numeric field; there are aoty_score"),
        ({"kind": "terms", "field": "genres", "dimensions": 0}, "Expected `int` >= 1"),
        ({"kind": "audio", "tempo": "slow"}, "Invalid enum value 'slow'"),
    ],
)
def test_a_block_that_cannot_be_is_refused_by_name(values: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError) as problem:
        from_json(values)
    assert says in str(problem.value)
