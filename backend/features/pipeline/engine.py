"""Where expressions over tracks are computed: DuckDB inside this process, by way of Ibis.

Blocks speak Ibis alone. Whoever outgrows one machine gives another engine with the same three methods.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol, TypeAlias

import duckdb
import ibis
import ibis.expr.types as ir
import pyarrow as pa

Readable: TypeAlias = "pa.Table | pa.RecordBatchReader"

TRACKS: Final = "tracks"
_ROWS_AT_ONCE: Final = 50_000


class Prepared(Protocol):
    """An expression that is ready to run, any number of times."""

    def stream(self, tables: Mapping[str, Readable]) -> pa.RecordBatchReader:
        """The answer over these tables, batch by batch; rows in order where the expression orders them."""
        ...


class Engine(Protocol):
    """What computes expressions over named tables (`ibis.table(schema, name=...)`)."""

    def prepare(self, expression: ir.Table) -> Prepared:
        """Make an expression ready to run."""
        ...

    def table(self, expression: ir.Table, tables: Mapping[str, Readable]) -> pa.Table:
        """The whole answer over these tables."""
        ...


@dataclass(frozen=True, kw_only=True)
class DuckEngine:
    """DuckDB in this process.

    Attributes:
        threads: it uses at most; None for one per core.
        memory: it uses at most, as "2GB"; what needs more goes to files in `folder`. None: DuckDB's own limit.
        folder: for files beyond memory.
    """

    threads: int | None = None
    memory: str | None = None
    folder: str | None = None
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)
    _opened: list[duckdb.DuckDBPyConnection] = field(default_factory=list, repr=False, compare=False)

    def prepare(self, expression: ir.Table) -> Prepared:
        """See `Engine`."""
        return _Statement(self, _sql(expression.op()))

    def table(self, expression: ir.Table, tables: Mapping[str, Readable]) -> pa.Table:
        """See `Engine`."""
        return self.prepare(expression).stream(tables).read_all()

    def cursor(self) -> duckdb.DuckDBPyConnection:
        """A new cursor on the one database in memory: what it registers, others do not see."""
        with self._lock:
            if not self._opened:
                # Nothing is loaded from anywhere, and no file but those beyond memory is touched.
                settings: dict[str, Any] = {
                    "autoinstall_known_extensions": False, "autoload_known_extensions": False,
                    "enable_external_access": self.folder is not None,
                }  # fmt: skip
                settings |= {"threads": self.threads} if self.threads else {}
                settings |= {"memory_limit": self.memory} if self.memory else {}
                settings |= {"temp_directory": self.folder} if self.folder else {}
                self._opened.append(duckdb.connect(":memory:", config=settings))
            return self._opened[0].cursor()

    def __reduce__(self) -> tuple[Any, ...]:
        return _engine, (self.threads, self.memory, self.folder)


@lru_cache(maxsize=64)
def _sql(operation: Any) -> str:
    """An expression as SQL; equal ones are written once, for that takes longer than computing a few thousand rows."""
    return str(ibis.to_sql(operation.to_expr(), dialect="duckdb", pretty=False))


def _engine(threads: int | None, memory: str | None, folder: str | None) -> DuckEngine:
    """An engine out of a pickle: settings alone, for a database in memory stays where it is."""
    return DuckEngine(threads=threads, memory=memory, folder=folder)


@dataclass(frozen=True, slots=True)
class _Statement:
    engine: DuckEngine
    sql: str

    def stream(self, tables: Mapping[str, Readable]) -> pa.RecordBatchReader:
        cursor = self.engine.cursor()
        for name, table in tables.items():
            cursor.register(name, table)
        reader: pa.RecordBatchReader = cursor.sql(self.sql).to_arrow_reader(_ROWS_AT_ONCE)
        return reader
