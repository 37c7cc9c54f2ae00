from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.features import target as targets
from backend.features.columns import Column, slug, with_unique_names
from backend.features.matrix import FeatureMatrix, MatrixOptions, build
from backend.utils.errors import InvalidInputError
from tests.unit.features.tracks import known, mixed, table

ALL = MatrixOptions(min_features=0, keep_unlabelled=True)
TARGETS = (*targets.NUMBERS, "genre", "genre:rock", "mood:dark", "hip hop", "warm")


def column(matrix: FeatureMatrix, name: str) -> list[float]:
    values: list[float] = matrix.X[:, matrix.names.index(name)].tolist()
    return values


@pytest.mark.parametrize("name", TARGETS)
def test_the_target_is_never_among_the_columns(name: str) -> None:
    matrix = build(mixed(80), target=name)
    target = matrix.target
    assert len(matrix.ids) > 0
    for made in matrix.columns:
        if target.kind == "tag":
            assert (made.of, made.label) != (target.field, target.tag)
            assert (made.of, made.kind) != (target.field, "missing")
        else:
            assert made.of != target.field
    for scores in targets.SCORES:
        assert all(made.of != scores for made in matrix.columns)


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_missing_and_names_are_unique(name: str) -> None:
    matrix = build(mixed(80), target=name, options=MatrixOptions(keep_unlabelled=True, min_features=0))
    assert matrix.X.shape == (80, len(matrix.names))
    assert matrix.X.dtype == np.float32
    assert np.isfinite(matrix.X).all()
    assert len(set(matrix.names)) == len(matrix.names)
    assert matrix.ids == [f"t{i:04}" for i in range(80)]


def test_unknown_numbers_get_the_median_and_a_flag() -> None:
    rows = [known(tempo=100.0), known(tempo=None), known(tempo=120.0), known(tempo=float("nan")), known(tempo=90.0)]
    matrix = build(table(rows))
    assert column(matrix, "tempo") == [100, 100, 120, 100, 90]
    assert column(matrix, "tempo_missing") == [0, 1, 0, 1, 0]


def test_a_column_of_which_nothing_is_known_is_zero_and_flagged() -> None:
    matrix = build(table([known(popularity=None), known(popularity=None)]))
    assert column(matrix, "popularity") == [0, 0]
    assert column(matrix, "popularity_missing") == [1, 1]


def test_key_and_time_signature_are_categories() -> None:
    rows = [
        known(key=0, time_signature=4, mode=1),
        known(key=11, time_signature=7, mode=0),
        known(key=-1, time_signature=None, mode=None),  # -1: no key was found
    ]
    matrix = build(table(rows))
    assert [column(matrix, f"key_{name}") for name in ("0", "11", "missing")] == [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    assert [column(matrix, f"time_signature_{name}") for name in ("4", "other", "missing")] == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 1],
    ]
    assert [column(matrix, name) for name in ("mode", "mode_missing")] == [[1, 0, 0], [0, 0, 1]]
    assert sum(matrix.X[:, matrix.names.index(f"key_{i}")].sum() for i in range(12)) == 2


def test_explicit_and_tags() -> None:
    rows = [
        known(explicit=True, genres=["rock", "hip hop"]),
        known(explicit=None, genres=[]),
        known(explicit=False, genres=None, moods=None),
    ]
    matrix = build(table(rows))
    assert column(matrix, "explicit") == [1, 0, 0]
    assert column(matrix, "explicit_missing") == [0, 1, 0]
    assert column(matrix, "genre_hip_hop") == [1, 0, 0]
    assert column(matrix, "genres_missing") == [0, 1, 1]
    assert column(matrix, "moods_missing") == [0, 0, 1]


def test_only_the_most_frequent_tags_become_columns() -> None:
    rows = [known(genres=["a", "b"]), known(genres=["b", "c"]), known(genres=["b"])]
    matrix = build(table(rows), options=MatrixOptions(genres=2, moods=0))
    assert [made.label for made in matrix.columns if made.kind == "tag"] == ["b", "a"]


def test_tracks_of_which_too_little_is_known_are_left_out() -> None:
    rows: list[dict[str, Any]] = [
        {"aoty_score": 70.0, "tempo": 100.0, "genres": ["rock"]},
        {"aoty_score": 71.0, "tempo": 100.0, "genres": ["rock"], "explicit": False},
        {"aoty_score": 72.0, "tempo": 100.0, "genres": [], "key": -1, "explicit": False},
    ]
    assert build(table(rows), options=MatrixOptions(min_features=3)).ids == ["t0001"]
    assert build(table(rows), options=MatrixOptions(min_features=2)).ids == ["t0000", "t0001", "t0002"]


def test_what_the_target_hides_does_not_count_as_known() -> None:
    rows: list[dict[str, Any]] = [{"popularity": 5, "tempo": 1.0, "energy": 0.5}]
    assert build(table(rows), target="popularity", options=MatrixOptions(min_features=3)).ids == []
    assert build(table(rows), target="popularity", options=MatrixOptions(min_features=2)).ids == ["t0000"]


def test_tracks_without_the_target_are_left_out_unless_kept() -> None:
    rows = [known(), known(aoty_score=None)]
    assert build(table(rows)).ids == ["t0000"]
    kept = build(table(rows), options=ALL)
    assert kept.ids == ["t0000", "t0001"]
    np.testing.assert_array_equal(kept.y, [80.0, np.nan])


def test_y_of_tags() -> None:
    rows = [known(genres=["rock", "pop"]), known(genres=["jazz"]), known(genres=[]), known(genres=None)]
    np.testing.assert_array_equal(build(table(rows), target="genre:pop", options=ALL).y, [1, 0, np.nan, np.nan])
    assert build(table(rows), target="Pop").y.tolist() == [1, 0]
    assert build(table(rows), target="genre").y.tolist() == ["rock", "jazz"]
    assert build(table(rows), target="genre", options=ALL).y.tolist() == ["rock", "jazz", None, None]


def test_y_of_a_score_keeps_its_value() -> None:
    assert build(table([known(aoty_critic_score=91.5)]), target="aoty_critic_score").y.tolist() == [91.5]


@pytest.mark.parametrize("name", ["nonsense", "", "genre:", "genre:polka", "mood:rock", "audio_features", "id"])
def test_an_unknown_target_is_refused_with_the_choices(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"choose one of aoty_score, .*genre:<name>"):
        build(table([known()]), target=name)


@pytest.mark.parametrize("name", [*targets.NUMBERS, "genre"])
def test_no_track_gives_an_empty_matrix_with_the_columns(name: str) -> None:
    matrix = build(table([]), target=name)
    assert matrix.X.shape == (0, len(matrix.names))
    assert len(matrix.y) == 0
    assert "genres_missing" in matrix.names or name == "genre"


def test_all_unknown() -> None:
    matrix = build(table([{}, {}]), options=ALL)
    flags = [made.kind == "missing" for made in matrix.columns]
    assert matrix.X[:, flags].all()
    assert not matrix.X[:, [not flag for flag in flags]].any()


def test_rows_with_made_up_values_are_told() -> None:
    assert build(table([known(synthetic=True), known()])).synthetic.tolist() == [True, False]


@settings(max_examples=50)
@given(tags=st.lists(st.text(min_size=1, max_size=6), max_size=30))
def test_names_of_columns_are_unique_words_whatever_the_tags(tags: list[str]) -> None:
    columns = with_unique_names(Column(name=f"genre_{slug(tag)}", of="genres", label=tag) for tag in tags)
    names = [made.name for made in columns]
    assert len(set(names)) == len(names)
    assert all(c.isalnum() or c == "_" for name in names for c in name)
    assert [made.label for made in columns] == tags
