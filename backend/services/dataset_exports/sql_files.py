"""SQLite and DuckDB: one file with a table per part, and `about`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa

from backend.repositories import duckdb_file, sqlite_file
from backend.services.dataset_exports.data_set import DataSet
from backend.services.dataset_exports.flat_columns import flat, flat_schema
from backend.utils.errors import InvalidInputError

_MOST_COLUMNS = 2000  # SQLITE_MAX_COLUMN as it is nearly everywhere built


class Sqlite:
    """The form `sqlite`: flags are 0 and 1, dates ISO 8601, lists joined."""

    name = "sqlite"
    suffix = ".sqlite"

    def write(self, dataset: DataSet, place: Path) -> None:
        """Write the file."""
        _check(dataset)
        for table in dataset.tables:
            if (count := len(table.schema)) > _MOST_COLUMNS:
                raise InvalidInputError(f"SQLite holds {_MOST_COLUMNS} columns, {table.name} has {count}; take parquet")
        with sqlite_file.writing(place) as file:
            for table in dataset.tables:
                file.put(table.name, flat_schema(table.schema), (flat(b) for b in dataset.batches(table)))
            file.put("about", *_about(dataset))


class DuckDb:
    """The form `duckdb`: types as they are.

    The one form whose bytes differ each time: DuckDB puts a random mark into its files, and memory it did not clear.
    """

    name = "duckdb"
    suffix = ".duckdb"

    def write(self, dataset: DataSet, place: Path) -> None:
        """Write the file."""
        _check(dataset)
        with duckdb_file.writing(place) as file:
            for table in dataset.tables:
                file.put(table.name, table.schema, dataset.batches(table))
            file.put("about", *_about(dataset))


def _about(dataset: DataSet) -> tuple[pa.Schema, Iterator[pa.RecordBatch]]:
    """Name and value of what is told of the data set; what is no text as JSON."""
    import msgspec

    told = {k: v if isinstance(v, str) else msgspec.json.encode(v).decode() for k, v in dataset.about.items()}
    batch = pa.record_batch({"id": list(told), "value": list(told.values())})
    return batch.schema, iter([batch])


def _check(dataset: DataSet) -> None:
    """SQL does not tell small letters and capitals apart."""
    for table in dataset.tables:
        seen: dict[str, str] = {}
        for name in table.schema.names:
            other = seen.setdefault(name.lower(), name)
            if other is not name:
                raise InvalidInputError(
                    f"{table.name} has columns {other!r} and {name!r}, which are one to SQL; take parquet"
                )
