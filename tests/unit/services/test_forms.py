from __future__ import annotations

import csv
import io
import json

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from backend.features.matrix import FeatureMatrix, MatrixOptions, build
from backend.services.forms import Form, form_of
from backend.services.table_writer import write_batches, write_matrix
from backend.utils.errors import InvalidInputError
from tests.unit.features.tracks import mixed

KEPT = MatrixOptions(keep_unlabelled=True, min_features=0)


def written(matrix: FeatureMatrix, form: Form) -> bytes:
    sink = io.BytesIO()
    assert write_matrix(matrix, sink, form=form) == len(matrix.ids)
    return sink.getvalue()


def read(body: bytes, form: Form) -> pa.Table:
    if form is Form.PARQUET:
        return pq.read_table(io.BytesIO(body))
    return (pa.ipc.open_stream if form is Form.ARROW else pa.ipc.open_file)(body).read_all()


@pytest.mark.parametrize("form", [Form.ARROW, Form.ARROW_FILE, Form.PARQUET])
@pytest.mark.parametrize("target", ["aoty_score", "genre", "genre:rock"])
def test_a_matrix_as_a_table_holds_ids_features_and_the_target(form: Form, target: str) -> None:
    matrix = build(mixed(40), target=target, options=KEPT)
    table = read(written(matrix, form), form)
    assert table.column_names == ["id", *matrix.names, target]
    assert table.column("id").to_pylist() == matrix.ids
    features = np.column_stack([table.column(name).to_numpy() for name in matrix.names])
    np.testing.assert_array_equal(features, matrix.X)
    assert features.dtype == np.float32
    wanted = [None if value is None or value != value else value for value in matrix.y.tolist()]
    assert table.column(target).to_pylist() == wanted
    about = orjson.loads(table.schema.metadata[b"tensoe"])
    assert about["target"] == target
    assert [column["name"] for column in about["columns"]] == matrix.names


@pytest.mark.parametrize("rows", [0, 1, 1_000, 1_001, 2_500])
def test_a_matrix_as_json_is_the_matrix(rows: int) -> None:
    matrix = build(mixed(rows), options=KEPT)
    body = json.loads(written(matrix, Form.JSON))
    assert body["n_tracks"] == rows == len(body["X"])
    assert [column["name"] for column in body["columns"]] == matrix.names
    assert body["ids"] == matrix.ids
    assert body["synthetic_tracks"] == 0
    assert np.array(body["X"], np.float32).tolist() == matrix.X.tolist()
    assert body["y"] == [None if np.isnan(value) else value for value in matrix.y]


def test_a_matrix_as_lines_and_as_csv() -> None:
    matrix = build(mixed(30), target="genre:hip hop")
    lines = [json.loads(line) for line in written(matrix, Form.NDJSON).splitlines()]
    rows = list(csv.DictReader(io.StringIO(written(matrix, Form.CSV).decode())))
    assert [line["id"] for line in lines] == [row["id"] for row in rows] == matrix.ids
    assert [line["genre:hip hop"] for line in lines] == matrix.y.tolist()
    assert [float(row["tempo"]) for row in rows] == pytest.approx([line["tempo"] for line in lines])


def test_parquet_groups_rows_and_counts_them() -> None:
    batch = pa.record_batch({"n": pa.array(range(9_000))})
    sink = io.BytesIO()
    assert write_batches([batch] * 5, batch.schema, sink, form=Form.PARQUET) == 45_000
    assert pq.ParquetFile(sink).num_row_groups == 2


def test_no_batch_is_still_a_file_with_a_schema() -> None:
    schema = pa.schema({"id": pa.string()})
    for form in (Form.ARROW, Form.ARROW_FILE, Form.PARQUET):
        sink = io.BytesIO()
        assert write_batches([], schema, sink, form=form) == 0
        assert read(sink.getvalue(), form).schema == schema


@pytest.mark.parametrize("name", ["xml", "", "arrow_file", "JSON"])
def test_a_form_that_is_not_allowed_is_refused_with_those_that_are(name: str) -> None:
    with pytest.raises(InvalidInputError, match="choose one of json, csv"):
        form_of(name, (Form.JSON, Form.CSV))
