"""Writing tables into a new DuckDB file; no network, no extension."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import pyarrow as pa

_OPTIONS: dict[str, str | bool | int | float | list[str]] = {
    "threads": 1,  # rows come one after the other anyway
    "autoinstall_known_extensions": False,
    "autoload_known_extensions": False,
}


class DuckDbFile:
    """A new file, open to be written."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def put(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """A table with its rows, of the types that Arrow's become."""
        self._insert(f"CREATE TABLE file.{_quoted(name)} AS FROM incoming", schema.empty_table())
        for batch in batches:
            self._insert(f"INSERT INTO file.{_quoted(name)} FROM incoming", pa.Table.from_batches([batch]))

    def _insert(self, statement: str, rows: pa.Table) -> None:
        self._connection.register("incoming", rows)
        self._connection.execute(statement)
        self._connection.unregister("incoming")


@contextlib.contextmanager
def writing(path: Path) -> Iterator[DuckDbFile]:
    """A new DuckDB file; it is whole when this ends without an error.

    Raises:
        OSError: it cannot be written.
    """
    try:
        with duckdb.connect(":memory:", config=_OPTIONS) as connection:
            connection.execute(f"ATTACH '{str(path).replace(chr(39), chr(39) * 2)}' AS file (TYPE duckdb)")
            connection.execute("BEGIN")
            yield DuckDbFile(connection)
            connection.execute("COMMIT")
            connection.execute("DETACH file")  # writes all into the one file
    except duckdb.Error as problem:
        raise OSError(f"{path.name} cannot be written: {problem}") from problem


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
