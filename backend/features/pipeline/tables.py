"""What callers give as tracks – Arrow, Polars, pandas, a reader – as Arrow with the types that expressions expect."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa

from backend.features.columns import CATEGORIES, CONTINUOUS, TAGS
from backend.features.pipeline.block import ROW
from backend.utils.errors import InvalidInputError

Tracks: TypeAlias = Any
"""A `pyarrow.Table`, `RecordBatchReader` or `RecordBatch`, a Polars or a pandas DataFrame: one row per track."""

_TEXTS: Final = frozenset({"title", "artist", "album", "id"})
# As they are stored: a track that is served as JSON has the same numbers as it had in training.
_REALS: Final = frozenset({*CONTINUOUS, *CATEGORIES})
_DATES: Final = frozenset({"release_date"})


def prepare(tracks: Tracks, fields: Sequence[str]) -> pa.Table | pa.RecordBatchReader:
    """The fields of the tracks, numbered in their order; a reader stays one.

    Raises:
        InvalidInputError: this is no table of tracks, a field is missing, or it cannot be of its type.
    """
    if isinstance(tracks, pa.RecordBatchReader):
        return _numbered(tracks, fields)
    table = _cast(_arrow(tracks), fields)
    return table.append_column(ROW, pa.array(np.arange(table.num_rows, dtype=np.int64)))


def _arrow(tracks: Tracks) -> pa.Table:
    if isinstance(tracks, pa.Table):
        return tracks
    if isinstance(tracks, pa.RecordBatch):
        return pa.Table.from_batches([tracks])
    if type(tracks).__module__.startswith("pandas.") and hasattr(tracks, "columns"):
        return pa.Table.from_pandas(tracks, preserve_index=False)
    if hasattr(tracks, "__arrow_c_stream__"):  # Polars, DuckDB, Ibis, …
        return pa.table(tracks)
    raise InvalidInputError(
        f"TrackFeatures takes a table of tracks (pyarrow, Polars or pandas), not {type(tracks).__name__}: "
        "features are computed from named fields"
    )


def _cast(table: pa.Table, fields: Sequence[str]) -> pa.Table:
    if lacking := [field for field in fields if field not in table.column_names]:
        raise InvalidInputError(
            f"these tracks have no column {', '.join(lacking)}, which the features are computed from; "
            "where nothing is known of it, give one of nulls"
        )
    columns = {}
    for field in fields:
        column, kind = table.column(field), _type(field, table.schema.field(field).type)
        try:
            columns[field] = column if column.type == kind else column.cast(kind)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as problem:
            raise InvalidInputError(f"the column {field} of these tracks cannot be {kind}: {problem}") from problem
    return pa.table(columns) if columns else table.select([])


def _type(field: str, given: pa.DataType) -> pa.DataType:
    if field in TAGS:
        return pa.list_(pa.string())
    if field in _TEXTS:
        return pa.string()
    if field in _DATES:
        return pa.date32()
    if field in _REALS:
        return pa.float32()
    numeric = pa.types.is_integer(given) or pa.types.is_floating(given) or pa.types.is_boolean(given)
    return given if numeric else pa.float64()


def _numbered(reader: pa.RecordBatchReader, fields: Sequence[str]) -> pa.RecordBatchReader:
    schema = _cast(reader.schema.empty_table(), fields).schema.append(pa.field(ROW, pa.int64()))

    def batches() -> Iterator[pa.RecordBatch]:
        start = 0
        for batch in reader:
            table = _cast(pa.Table.from_batches([batch]), fields)
            rows = np.arange(start, start + batch.num_rows, dtype=np.int64)
            start += batch.num_rows
            yield from table.append_column(ROW, pa.array(rows)).to_batches()

    return pa.RecordBatchReader.from_batches(schema, batches())
