"""One way to get training data or a matrix, once, in a process of its own: prints seconds and the process's peak memory.

`python -m bench.ways matrix ours --rows 50000`, in the environment of a filled home (`bench.big_matrix`).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from backend.config.settings import AppSettings, DatabaseSettings, MlSettings
from backend.features.matrix import READS, MatrixOptions
from backend.models.results import TrackFilter
from backend.repositories.database import Database, open_columnar
from backend.repositories.track_columns import FLAT_COLUMNS
from backend.repositories.track_reader import TrackReader
from backend.repositories.track_tables import TrackTables
from backend.services.matrices import read_matrix, to_pandas
from backend.services.ml_service import MlService
from bench.matrix import with_pandas

WHATS: Final = ("matrix", "rows", "arrow", "json")
WAYS: Final = ("floor", "ours", "read_sql", "sqlalchemy")
_WARM: Final = 500  # rows of the run before: imports, connections, first compilations
_AS_TEXT: Final = frozenset({"provenance", "tag_weights", "estimates"})


def query(what: str, rows: int) -> str:
    """What the usual ways select: the columns of a matrix or of training data."""
    columns = READS if what == "matrix" else FLAT_COLUMNS
    listed = ", ".join(f'"{c}"::text' if c in _AS_TEXT else f'"{c}"' for c in columns)
    known = "WHERE aoty_score IS NOT NULL " if what == "matrix" else ""
    return f"SELECT {listed} FROM enhanced_tracks {known}ORDER BY id LIMIT {rows}"


def once(what: str, way: str, rows: int) -> float:
    """Seconds of a way, from an open server to the result; the second time, for a server is started once."""
    if way == "sqlalchemy":
        return asyncio.run(_by_sqlalchemy(what, rows))
    if way == "ours" and what in {"arrow", "json"}:
        return asyncio.run(_streamed(what, rows))
    with open_columnar(DatabaseSettings.read(), home=AppSettings.read().tensoe_home) as connection:
        return _timed(lambda most: _by_columns(connection, what, way, most), rows)


def _timed(work: Callable[[int], Any], rows: int) -> float:
    work(_WARM)
    started = time.perf_counter()
    work(rows)
    return time.perf_counter() - started


def _by_columns(connection: Any, what: str, way: str, rows: int) -> Any:
    import pandas as pd

    columns = READS if what == "matrix" else FLAT_COLUMNS
    if way == "read_sql":
        frame = pd.read_sql(query(what, rows), connection)
        return with_pandas(frame) if what == "matrix" else frame
    if way == "floor":
        return TrackTables(connection).arrow(TrackFilter(), limit=rows, columns=columns)
    options = MatrixOptions()
    return to_pandas(
        read_matrix(TrackTables(connection), TrackFilter(), limit=rows, target="aoty_score", options=options)
    )


async def _streamed(form: str, rows: int) -> float:
    """Training data as the server streams them, chunk by chunk, none of them kept."""
    database = await Database.open(DatabaseSettings.read(), home=AppSettings.read().tensoe_home)
    try:
        ml = MlService(TrackReader(database), MlSettings(ml_training_data_limit=rows))

        async def read(most: int) -> None:
            _, chunks = await ml.training_data(TrackFilter(), limit=most, form=form)
            async for _ in chunks:
                pass

        await read(min(_WARM, rows))
        started = time.perf_counter()
        await read(rows)
        return time.perf_counter() - started
    finally:
        await database.close()


async def _by_sqlalchemy(what: str, rows: int) -> float:
    import pandas as pd
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    database = await Database.open(DatabaseSettings.read(), home=AppSettings.read().tensoe_home)
    engine = create_async_engine(database.sqlalchemy_url)

    async def read(most: int) -> None:
        async with engine.connect() as connection:
            found = await connection.execute(text(query(what, most)))
            frame = pd.DataFrame([dict(row) for row in found.mappings()])
        if what == "matrix":
            with_pandas(frame)
        elif what == "json":
            frame.to_json(orient="records", date_format="iso")

    try:
        await read(_WARM)
        started = time.perf_counter()
        await read(rows)
        return time.perf_counter() - started
    finally:
        await engine.dispose()
        await database.close()


def peak() -> int:
    """Bytes of memory that this process had at the most; what it was started by does not count, as it does in `ru_maxrss`."""
    status = Path("/proc/self/status")
    if status.exists():
        found = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(found.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    """One way, once."""
    reader = argparse.ArgumentParser()
    reader.add_argument("what", choices=WHATS)
    reader.add_argument("way", choices=WAYS)
    reader.add_argument("--rows", type=int, required=True)
    given = reader.parse_args()
    seconds = once(given.what, given.way, given.rows)
    print(json.dumps({"seconds": seconds, "peak": peak()}))


if __name__ == "__main__":
    main()
