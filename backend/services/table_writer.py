"""Writing tables and matrices as bytes. Imports Arrow, so it is imported where it is used, not at start-up."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Protocol

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from backend.features.matrix import FeatureMatrix
from backend.services.forms import Form

_ROWS: Final = 1_000  # of a matrix written as JSON at once
_ROW_GROUP: Final = 20_000  # least rows of a Parquet row group, as long as there are so many


class Sink(Protocol):
    """Where bytes are written."""

    def write(self, data: bytes, /) -> Any:
        """Take bytes."""
        ...


def write_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema, sink: Any, *, form: Form) -> int:
    """Write record batches as Arrow or Parquet; holds one batch (of Parquet one row group) in memory.

    Returns:
        Rows written.
    """
    rows = 0
    with _writer(schema, sink, form=form) as writer:
        for batch in _grouped(batches, schema) if form is Form.PARQUET else batches:
            rows += batch.num_rows
            writer.write(batch)
    return rows


def _writer(schema: pa.Schema, sink: Any, *, form: Form) -> Any:
    if form is Form.PARQUET:
        return pq.ParquetWriter(sink, schema, compression="zstd")
    # Uncompressed: every reader takes it, and files can be mapped into memory. Parquet is the small form.
    return pa.ipc.new_file(sink, schema) if form is Form.ARROW_FILE else pa.ipc.new_stream(sink, schema)


def _grouped(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterable[pa.Table]:
    kept: list[pa.RecordBatch] = []
    for batch in batches:
        kept.append(batch)
        if sum(b.num_rows for b in kept) >= _ROW_GROUP:
            yield pa.Table.from_batches(kept, schema)
            kept = []
    if kept:
        yield pa.Table.from_batches(kept, schema)


def matrix_table(matrix: FeatureMatrix) -> pa.Table:
    """A matrix as a table: `id`, X's columns (float), and y under the target's name.

    The schema's metadata has `tensoe`: JSON with the target, the columns' origins, and how many rows hold made-up values.
    """
    by_column = np.ascontiguousarray(matrix.X.T)
    arrays = [pa.array(matrix.ids, pa.string()), *map(pa.array, by_column), _y(matrix)]
    names = ["id", *matrix.names, matrix.target.name]
    return pa.table(arrays, names=names).replace_schema_metadata({"tensoe": orjson.dumps(_about(matrix))})


def _y(matrix: FeatureMatrix) -> pa.Array:
    if matrix.y.dtype == object:
        return pa.array(matrix.y.tolist(), pa.string())
    return pa.array(matrix.y, pa.float64(), from_pandas=True)  # NaN becomes null


def _about(matrix: FeatureMatrix) -> dict[str, Any]:
    return {
        "target": matrix.target.name,
        "n_tracks": len(matrix.ids),
        "n_features": len(matrix.columns),
        "synthetic_tracks": int(matrix.synthetic.sum()),
        "columns": [{"name": c.name, "of": c.of, "kind": c.kind, "label": c.label} for c in matrix.columns],
    }


def write_matrix(matrix: FeatureMatrix, sink: Any, *, form: Form) -> int:
    """Write a matrix in any form.

    As JSON: an object with `target`, `n_tracks`, `n_features`, `synthetic_tracks`, `columns`, `ids`, `y` and `X`, a list of
    rows. As NDJSON: an object per track.

    Returns:
        Rows written.
    """
    if form is Form.JSON:
        _write_json(matrix, sink)
    elif form is Form.NDJSON:
        for batch in matrix_table(matrix).to_batches(max_chunksize=_ROWS):
            sink.write(b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in batch.to_pylist()))
    elif form is Form.CSV:
        csv.write_csv(matrix_table(matrix), sink)
    else:
        table = matrix_table(matrix)
        write_batches(table.to_batches(), table.schema, sink, form=form)
    return len(matrix.ids)


def _write_json(matrix: FeatureMatrix, sink: Sink) -> None:
    numpy = orjson.OPT_SERIALIZE_NUMPY  # shortest digits that give the same float32; NaN becomes null
    head = orjson.dumps({**_about(matrix), "ids": matrix.ids, "y": matrix.y.tolist()}, option=numpy)
    sink.write(head[:-1] + b',"X":[')
    for start in range(0, len(matrix.ids), _ROWS):
        rows = orjson.dumps(np.ascontiguousarray(matrix.X[start : start + _ROWS]), option=numpy)[1:-1]
        sink.write(b"," + rows if start else rows)
    sink.write(b"]}")
