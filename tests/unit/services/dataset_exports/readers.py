"""Exports read back, each by what its users read it with, into Arrow tables by kind and part."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable, Mapping
from datetime import date, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import csv

from tests.unit.services.dataset_exports.data_sets import Made

Tables = Mapping[tuple[str, str], pa.Table]
Read = Callable[[Path, str, str, pa.Schema], pa.Table]


def read_csv(place: Path, kind: str, part: str, schema: pa.Schema) -> pa.Table:
    options = csv.ConvertOptions(
        column_types=schema, strings_can_be_null=True, quoted_strings_can_be_null=False, null_values=[""]
    )
    parsing = csv.ParseOptions(newlines_in_values=True)
    return csv.read_csv(place / kind / f"{part}.csv", convert_options=options, parse_options=parsing)


def read_parquet(place: Path, kind: str, part: str, schema: pa.Schema) -> pa.Table:
    return pq.ParquetFile(place / kind / f"part={part}" / "data.parquet").read()


def read_flat_parquet(place: Path, kind: str, part: str, schema: pa.Schema) -> pa.Table:
    return pq.ParquetFile(place / kind / f"{part}.parquet").read()


def read_arrow(place: Path, kind: str, part: str, schema: pa.Schema) -> pa.Table:
    with pa.memory_map(str(place / kind / f"{part}.arrow")) as file:
        return pa.ipc.open_file(file).read_all()


def read_ndjson(place: Path, kind: str, part: str, schema: pa.Schema) -> pa.Table:
    lines = (place / kind / f"{part}.jsonl").read_bytes().split(b"\n")
    assert lines.pop() == b""
    rows = [orjson.loads(line) for line in lines]
    assert all(list(row) == schema.names for row in rows)
    return from_python({n: [row[n] for row in rows] for n in schema.names}, schema)


def read_npz(place: Path, kind: str, part: str, schema: pa.Schema) -> pa.Table:
    with np.load(place) as held:
        if kind == "features":
            columns: dict[str, Any] = {"id": held[f"id_{part}"].tolist()}
            assert held[f"id_known_{part}"].all()
            if "target" in schema.names:
                known = held[f"y_known_{part}"]
                columns["target"] = [y if k else None for y, k in zip(held[f"y_{part}"].tolist(), known, strict=True)]
            names = held["feature_names"].tolist()
            assert held[f"X_{part}"].dtype == np.float32
            return from_python(columns | {n: held[f"X_{part}"][:, j].tolist() for j, n in enumerate(names)}, schema)
        return pa.table({f.name: _column(held, f"tracks_{part}.{f.name}", f.type) for f in schema})


def _column(held: Any, name: str, kind: pa.DataType) -> pa.Array:
    known = held[f"{name}.known"]
    if pa.types.is_list(kind):
        items, offsets = _texts(held, f"{name}.item"), held[f"{name}.offsets"]
        values = [items[a:b] for a, b in pairwise(offsets)]
    elif pa.types.is_string(kind):
        values = _texts(held, name)
    else:
        return pa.array(held[name], mask=~known).cast(kind)
    return pa.array([v if k else None for v, k in zip(values, known, strict=True)], kind)


def _texts(held: Any, name: str) -> list[Any]:
    offsets, data = held[f"{name}.offsets"], held[f"{name}.utf8"]
    array = pa.LargeStringArray.from_buffers(len(offsets) - 1, pa.py_buffer(offsets), pa.py_buffer(data))
    return list(array.to_pylist())


def read_sqlite(place: Path, kind: str, part: str, schema: pa.Schema) -> pa.Table:
    with contextlib.closing(sqlite3.connect(place)) as connection:
        found = connection.execute(f'SELECT * FROM "{kind}_{part}"')
        assert [d[0] for d in found.description] == schema.names
        rows = found.fetchall()
    return from_python({n: [row[j] for row in rows] for j, n in enumerate(schema.names)}, schema)


def read_duckdb(place: Path, kind: str, part: str, schema: pa.Schema) -> pa.Table:
    with duckdb.connect(str(place), read_only=True, config={"autoload_known_extensions": False}) as connection:
        found = connection.sql(f'FROM "{kind}_{part}"').to_arrow_table()
    return found.cast(schema) if found.schema.names == schema.names else found  # time zones are the session's


def from_python(columns: dict[str, list[Any]], schema: pa.Schema) -> pa.Table:
    """Values of JSON or SQL as the schema has them; raises when one cannot be."""
    return pa.table({f.name: pa.array([_value(v, f.type) for v in columns[f.name]], f.type) for f in schema})


def _value(value: Any, kind: pa.DataType) -> Any:
    if isinstance(value, str) and pa.types.is_date32(kind):
        return date.fromisoformat(value)
    if isinstance(value, str) and pa.types.is_timestamp(kind):
        return datetime.fromisoformat(value)
    if pa.types.is_boolean(kind) and value is not None:
        assert value in (0, 1)
        return bool(value)
    return value


READERS: Mapping[str, Read] = {
    "csv": read_csv, "parquet": read_parquet, "arrow": read_arrow, "ndjson": read_ndjson, "npz": read_npz,
    "huggingface": read_flat_parquet, "croissant": read_flat_parquet, "sqlite": read_sqlite, "duckdb": read_duckdb,
}  # fmt: skip
JOINED = frozenset({"csv", "sqlite"})
"""Forms without lists."""


def joined(table: pa.Table) -> pa.Table:
    """A table with its lists as texts, said anew here."""
    arrays = [
        pa.array([None if v is None else "; ".join(v) for v in column.to_pylist()], pa.string())
        if pa.types.is_list(column.type) else column
        for column in table.columns
    ]  # fmt: skip
    return pa.table(arrays, names=table.schema.names)


def same(made: Made, place: Path, form: str) -> None:
    """Every table is there as it was: names, types, order, values, what is unknown."""
    for (kind, part), table in made.tables.items():
        wanted = joined(table) if form in JOINED else table
        found = READERS[form](place, kind, part, wanted.schema)
        assert found.schema.remove_metadata().equals(wanted.schema), f"{found.schema} != {wanted.schema}"
        assert found.num_rows == wanted.num_rows
        for name in wanted.schema.names:
            one, other = found.column(name).to_pylist(), wanted.column(name).to_pylist()
            assert one == other, (form, kind, part, name)
