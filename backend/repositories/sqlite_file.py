"""Writing tables into a new SQLite file."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa


class SqliteFile:
    """A new file, open to be written; the same tables give the same bytes with the same SQLite."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def put(self, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]) -> None:
        """A table with its rows; `id` is its key. NaN is not known to SQLite and becomes NULL."""
        columns = ", ".join(f"{_quoted(f.name)} {_type(f.type)}{_key(f.name)}" for f in schema)
        self._connection.execute(f"CREATE TABLE {_quoted(name)} ({columns})")
        statement = f"INSERT INTO {_quoted(name)} VALUES ({', '.join('?' * len(schema))})"
        for batch in batches:
            self._connection.executemany(statement, zip(*map(_values, batch.columns), strict=True))


@contextlib.contextmanager
def writing(path: Path) -> Iterator[SqliteFile]:
    """A new SQLite file; it is whole when this ends without an error.

    Raises:
        OSError: it cannot be written.
    """
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            # Nobody reads it before it is whole, and half of it is thrown away: no journal.
            connection.executescript("PRAGMA page_size=4096; PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; BEGIN")
            yield SqliteFile(connection)
            connection.execute("COMMIT")
    except sqlite3.Error as problem:
        raise OSError(f"{path.name} cannot be written: {problem}") from problem


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _key(name: str) -> str:
    return " PRIMARY KEY" if name == "id" else ""


def _type(kind: pa.DataType) -> str:
    if pa.types.is_boolean(kind) or pa.types.is_integer(kind):
        return "INTEGER"
    return "REAL" if pa.types.is_floating(kind) else "TEXT"


def _values(column: pa.Array) -> list[Any]:
    values: list[Any] = column.to_pylist()
    if pa.types.is_date(column.type) or pa.types.is_timestamp(column.type):
        return [None if v is None else v.isoformat() for v in values]
    return values
