"""Forms with a file per table: CSV, NDJSON, Arrow and Parquet, in a folder with `about.json`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pyarrow as pa
from pyarrow import csv

from backend.services.dataset_exports.data_set import DataSet, Table
from backend.services.dataset_exports.flat_columns import flat, flat_schema
from backend.services.forms import Form
from backend.services.table_writer import write_batches


@dataclass(frozen=True, slots=True, kw_only=True)
class TableFiles:
    """A folder with a file per table.

    Attributes:
        name: of the form.
        path: of a table's file within the folder.
        put: writes a table.
    """

    name: str
    path: Callable[[Table], str]
    put: Callable[[DataSet, Table, Path], None]
    suffix: str = ""

    def write(self, dataset: DataSet, place: Path) -> None:
        """Write the folder."""
        place.mkdir()
        (place / "about.json").write_bytes(dataset.about_json)
        for table in dataset.tables:
            path = place / self.path(table)
            path.parent.mkdir(parents=True, exist_ok=True)
            self.put(dataset, table, path)


def put_csv(dataset: DataSet, table: Table, path: Path) -> None:
    """A header and a line per row; texts are quoted, what is unknown is nothing at all, numbers have all their digits."""
    with csv.CSVWriter(path, flat_schema(table.schema)) as file:
        for batch in dataset.batches(table):
            file.write(flat(batch))


def put_ndjson(dataset: DataSet, table: Table, path: Path) -> None:
    """An object per line; what is unknown is null."""
    with path.open("wb") as file:
        for batch in dataset.batches(table):
            pl.DataFrame(batch).write_ndjson(file)


def put_arrow(dataset: DataSet, table: Table, path: Path) -> None:
    """An Arrow IPC file, uncompressed so that it can be mapped into memory."""
    _put(dataset, table, path, form=Form.ARROW_FILE)


def put_parquet(dataset: DataSet, table: Table, path: Path) -> None:
    """A Parquet file, zstd."""
    _put(dataset, table, path, form=Form.PARQUET)


def _put(dataset: DataSet, table: Table, path: Path, *, form: Form) -> None:
    schema = table.schema.with_metadata(dataset.metadata(table))
    with path.open("wb") as file:
        write_batches(_with(schema, dataset.batches(table)), schema, file, form=form)


def _with(schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    return (pa.RecordBatch.from_arrays(batch.columns, schema=schema) for batch in batches)


def beside(suffix: str) -> Callable[[Table], str]:
    """Names of files by kind and part: `features/train.csv`."""
    return lambda table: f"{table.kind}/{table.part}{suffix}"


def partitioned(table: Table) -> str:
    """Names as Hive has them, from which readers take the column `part`: `features/part=train/data.parquet`."""
    return f"{table.kind}/part={table.part}/data.parquet"
