"""The transformer: what scikit-learn promises of one, and that training and serving see the same numbers."""

from __future__ import annotations

import json
import pickle
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError, SkipTestWarning
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import estimator_checks
from sklearn.utils.estimator_checks import check_estimator

from backend.features.pipeline import (
    ArtistFigures,
    Audio,
    Block,
    DuckEngine,
    Flag,
    MultiHot,
    Numbers,
    Terms,
    Times,
    TitleForm,
    TrackFeatures,
)
from backend.utils.errors import InvalidInputError
from tests.unit.features import tracks

EVERY: tuple[Block, ...] = (
    Numbers(scale="robust"), Audio(tempo="folded", key="fifths", scale="robust"), MultiHot(field="genres", most=4),
    MultiHot(field="moods", most=2, flagged=False), Terms(field="genres", dimensions=3), Terms(field="title", dimensions=5),
    TitleForm(), Times(day=date(2026, 1, 1)), ArtistFigures(), Flag(),
)  # fmt: skip

WITHOUT_DATA = (
    estimator_checks.check_estimator_cloneable, estimator_checks.check_estimator_repr, estimator_checks.check_set_params,
    estimator_checks.check_get_params_invariance, estimator_checks.check_no_attributes_set_in_init,
    estimator_checks.check_parameters_default_constructible, estimator_checks.check_mixin_order,
    estimator_checks.check_valid_tag_types,
)  # fmt: skip


def dated(table: pa.Table) -> pa.Table:
    days = [None if i % 7 == 0 else date(1960 + i % 60, 1 + i % 12, 1 + i % 28) for i in range(table.num_rows)]
    return table.append_column("release_date", pa.array(days, pa.date32()))


@pytest.fixture(scope="module")
def table() -> pa.Table:
    return dated(tracks.mixed(600))


@pytest.fixture(scope="module")
def fitted(table: pa.Table) -> TrackFeatures:
    return TrackFeatures(EVERY).fit(table)


@pytest.fixture(scope="module")
def matrix(fitted: TrackFeatures, table: pa.Table) -> Any:
    return fitted.transform(table)


def test_float32_a_name_per_column_and_nothing_missing(fitted: TrackFeatures, matrix: Any) -> None:
    names = list(fitted.get_feature_names_out())
    assert matrix.shape == (600, len(names))
    assert len(set(names)) == len(names)
    assert matrix.dtype == np.float32
    assert np.isfinite(matrix).all()
    assert {"duration_ms", "tempo_folded", "key_fifths_x", "genre_jazz", "mood_dark", "genre_svd_02", "title_svd_04",
            "title_live", "release_age_years", "artist_tracks", "explicit"} <= set(names)  # fmt: skip


def test_a_single_track_gets_the_numbers_that_it_had_among_all(
    fitted: TrackFeatures, table: pa.Table, matrix: Any
) -> None:
    served = TrackFeatures.from_json(json.loads(json.dumps(fitted.to_json())))
    alone = np.concatenate([served.transform(table.slice(i, 1)) for i in range(40)])
    np.testing.assert_array_equal(alone, matrix[:40])


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10_000), n=st.integers(1, 60))
def test_the_order_of_rows_is_kept(fitted: TrackFeatures, table: pa.Table, matrix: Any, seed: int, n: int) -> None:
    chosen = np.random.default_rng(seed).integers(0, 600, n)
    np.testing.assert_array_equal(fitted.transform(table.take(pa.array(chosen))), matrix[chosen])


def test_the_number_of_threads_and_the_order_of_training_rows_change_nothing(
    fitted: TrackFeatures, table: pa.Table, matrix: Any
) -> None:
    one = TrackFeatures(EVERY, engine=DuckEngine(threads=1)).fit(table)
    assert one.fingerprint() == fitted.fingerprint()
    np.testing.assert_array_equal(one.transform(table), matrix)


def test_beyond_memory_it_goes_to_files(table: pa.Table, matrix: Any, tmp_path: Any) -> None:
    engine = DuckEngine(memory="64MB", folder=str(tmp_path), threads=1)
    np.testing.assert_array_equal(TrackFeatures(EVERY, engine=engine).fit(table).transform(table), matrix)


@pytest.mark.parametrize(
    "given_as",
    [
        lambda t: t.to_pandas(),
        pl.from_arrow,
        lambda t: pa.RecordBatchReader.from_batches(t.schema, t.to_batches(100)),
        lambda t: t.combine_chunks().to_batches()[0],
    ],
    ids=["pandas", "polars", "reader", "batch"],
)
def test_any_form_of_table_is_taken(fitted: TrackFeatures, table: pa.Table, matrix: Any, given_as: Any) -> None:
    np.testing.assert_array_equal(fitted.transform(given_as(table)), matrix)


def test_batches_are_the_matrix_piece_by_piece(fitted: TrackFeatures, table: pa.Table, matrix: Any) -> None:
    read = fitted.batches(pa.RecordBatchReader.from_batches(table.schema, table.to_batches(70))).read_all()
    assert read.column_names == list(fitted.get_feature_names_out())
    np.testing.assert_array_equal(np.column_stack([c.to_numpy() for c in read.columns]), matrix)


def test_sparse_holds_the_same(table: pa.Table, matrix: Any) -> None:
    made = TrackFeatures(EVERY, sparse=True).fit(table).transform(table)
    assert isinstance(made, scipy.sparse.csr_array)
    assert made.dtype == np.float32
    np.testing.assert_array_equal(made.toarray(), matrix)


def test_frames_come_out_when_asked_for(table: pa.Table, matrix: Any) -> None:
    features = TrackFeatures(EVERY).set_output(transform="polars").fit(table)
    frame = features.transform(table)
    assert isinstance(frame, pl.DataFrame)
    assert frame.columns == list(features.get_feature_names_out())
    np.testing.assert_array_equal(frame.to_numpy(), matrix)
    other = clone(features).set_output(transform="pandas").fit(table).transform(table.to_pandas())
    assert isinstance(other, pd.DataFrame)
    np.testing.assert_array_equal(other.to_numpy(), matrix)


def test_clones_pickles_and_skops(fitted: TrackFeatures, table: pa.Table, matrix: Any) -> None:
    copy = clone(fitted)
    assert copy.get_params() == fitted.get_params()
    with pytest.raises(NotFittedError):
        copy.transform(table)
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(fitted)).transform(table), matrix)
    data = skops.io.dumps(fitted)
    ours = skops.io.get_untrusted_types(data=data)
    assert {name.split(".")[0] for name in ours} == {"backend", "datetime"}
    np.testing.assert_array_equal(skops.io.loads(data, trusted=ours).transform(table), matrix)


def test_it_stands_in_a_pipeline(table: pa.Table) -> None:
    y = np.arange(table.num_rows) % 2
    model = make_pipeline(TrackFeatures(EVERY), StandardScaler(), LogisticRegression(max_iter=200)).fit(table, y)
    assert model.predict(table.slice(0, 3)).shape == (3,)


@pytest.mark.parametrize("check", WITHOUT_DATA, ids=lambda c: c.__name__)
def test_scikit_learns_own_checks_that_need_no_array(check: Any) -> None:
    check("TrackFeatures", TrackFeatures())


def test_scikit_learn_says_itself_that_its_other_checks_do_not_apply() -> None:
    # They feed arrays of numbers; features of tracks are computed from named fields, texts and lists.
    with pytest.warns(SkipTestWarning, match="Can't test estimator TrackFeatures which requires input"):
        check_estimator(TrackFeatures())


def test_what_is_no_table_of_tracks_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="not ndarray: features are computed from named fields"):
        TrackFeatures().fit(np.zeros((3, 4)))
    with pytest.raises(InvalidInputError, match="have no column duration_ms, popularity"):
        TrackFeatures().fit(pa.table({"id": ["a"]}))
    with pytest.raises(InvalidInputError, match="the column title of these tracks cannot be string"):
        TrackFeatures((TitleForm(),)).fit(pa.table({"title": [["a"]]}))


def test_nothing_known_and_no_rows(table: pa.Table) -> None:
    empty = table.slice(0, 0)
    features = TrackFeatures(EVERY).fit(empty)
    assert features.transform(empty).shape == (0, len(features.columns_))
    unknown = pa.table({name: pa.nulls(3) for name in table.column_names})
    made = features.transform(unknown)
    assert np.isfinite(made).all()
    assert made.shape[0] == 3
    names = list(features.get_feature_names_out())
    assert (made[:, [i for i, n in enumerate(names) if n.endswith("_missing")]] == 1).all()


def test_a_pipeline_of_another_version_is_refused(fitted: TrackFeatures) -> None:
    with pytest.raises(InvalidInputError, match="of version 2"):
        TrackFeatures.from_json(fitted.to_json() | {"version": 2})
    with pytest.raises(InvalidInputError, match="no fitted pipeline"):
        TrackFeatures.from_json({"format": "pickle"})
