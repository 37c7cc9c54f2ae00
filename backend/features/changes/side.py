"""The two data sets as views of one DuckDB, which reads their Parquet files and keeps to a bound of memory."""

from __future__ import annotations

import contextlib
import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa

from backend.models.datasets import Manifest
from backend.utils.errors import InvalidInputError

_MEMORY: Final = "1GB"  # beyond it DuckDB uses files


@dataclass(frozen=True)
class Side:
    """One of two data sets.

    Attributes:
        folder: where it stands.
        manifest: of it.
    """

    folder: Path
    manifest: Manifest

    @cached_property
    def recipe(self) -> dict[str, Any]:
        """What was asked for."""
        found: dict[str, Any] = json.loads((self.folder / "recipe.json").read_text(encoding="utf-8"))
        return found

    @cached_property
    def pipeline(self) -> dict[str, Any]:
        """What was learnt."""
        found: dict[str, Any] = json.loads((self.folder / "pipeline.json").read_text(encoding="utf-8"))
        return found


@dataclass(frozen=True, kw_only=True)
class Both:
    """Both data sets, to be asked with SQL.

    The views are `before_tracks`, `after_tracks`, `before_features` and `after_features`, each with `part`; the table is `known`.
    """

    connection: duckdb.DuckDBPyConnection
    before: Side
    after: Side

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of an answer."""
        return self.connection.execute(statement, list(parameters)).fetchall()

    def columns(self, view: str) -> dict[str, str]:
        """The columns of a view and their types, in order."""
        return {row[0]: row[1] for row in self.rows(f"DESCRIBE {view}")}


@contextlib.contextmanager
def opened(before: Side, after: Side, known: pa.Table) -> Iterator[Both]:
    """Both data sets.

    Args:
        before: the one.
        after: the other.
        known: of each album that is stored: `album_id`, `is_new` (nothing was known of it at the earlier moment), `moved` (the
            sources whose record changed between both moments, joined by "+"; null for none).

    Raises:
        InvalidInputError: a file is damaged or gone.
    """
    with tempfile.TemporaryDirectory() as folder:
        settings: dict[str, Any] = {
            "memory_limit": _MEMORY, "temp_directory": folder,
            "autoinstall_known_extensions": False, "autoload_known_extensions": False,
        }  # fmt: skip
        try:
            with duckdb.connect(":memory:", config=settings) as connection:
                for name, side in (("before", before), ("after", after)):
                    for kind in ("tracks", "features"):
                        connection.execute(f"CREATE VIEW {name}_{kind} AS {_union(side, kind)}")
                connection.register("known_now", known)
                connection.execute("CREATE TABLE known AS FROM known_now")
                yield Both(connection=connection, before=before, after=after)
        except (duckdb.IOException, duckdb.InvalidInputException, OSError, json.JSONDecodeError) as problem:
            first = str(problem).partition("\n")[0]  # DuckDB's next lines show the statement
            raise InvalidInputError(
                f"a data set is damaged ({first}); `tensoe dataset check` says which file"
            ) from problem


def quoted(name: str) -> str:
    """A name as SQL has it."""
    return '"' + name.replace('"', '""') + '"'


def text(value: str) -> str:
    """A text as SQL has it."""
    return "'" + value.replace("'", "''") + "'"


def _exact(path: Path) -> str:
    """A path that DuckDB takes as it stands, and not as a pattern of paths."""
    return re.sub(r"[\[*?]", r"[\g<0>]", str(path))


def _union(side: Side, kind: str) -> str:
    return " UNION ALL BY NAME ".join(
        f"SELECT *, {text(part)} AS part FROM read_parquet({text(_exact(side.folder / kind / f'{part}.parquet'))})"
        for part in side.manifest.parts
    )
