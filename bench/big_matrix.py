"""The matrix from the database, each way in a process of its own: seconds and peak memory, against the floor and two usual ways.

`python -m bench --only features [--rows 1000000]`. The floor is what the matrix is made of, read by ADBC into Arrow, with nothing
done to it. Beyond some 50,000 rows the table is made longer by copies of its rows under other ids.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from bench.albums import made_up
from bench.home import own_database, temporary_home
from bench.timing import Result

WAYS = ("floor", "ours", "read_sql", "sqlalchemy")
_MADE = 50_000
_WARM = 500  # rows of the run before: imports, connections, first compilations
_ROOT = Path(__file__).parents[1]
_COPIES = """
INSERT INTO enhanced_tracks ({columns})
SELECT {values} FROM enhanced_tracks, generate_series(1, {copies}) AS n LIMIT {rows}
"""


def measure(*, rows: int, rounds: int, slow: bool) -> list[Result]:
    """Each way in turns.

    Args:
        rows: of the table.
        rounds: of each way.
        slow: measure the usual ways as well; at a million rows they take minutes and most of the memory.
    """
    ways = WAYS if slow else WAYS[:2]
    seconds: dict[str, list[float]] = {way: [] for way in ways}
    peaks: dict[str, int] = {}
    with temporary_home() as home:
        asyncio.run(_fill(home, rows))
        for _ in range(rounds):
            for way in ways:
                found = _run(way, home, rows)
                seconds[way].append(found["seconds"])
                peaks[way] = max(peaks.get(way, 0), found["peak"])
    middle = {way: statistics.median(taken) for way, taken in seconds.items()}
    names = {
        "floor": "the floor: the same columns by ADBC into Arrow",
        "read_sql": "pandas.read_sql with MultiLabelBinarizer",
        "sqlalchemy": "SQLAlchemy rows, pandas, MultiLabelBinarizer",
    }
    return [
        Result(
            what=f"matrix of {rows:,} rows, {peaks['ours'] / 1e9:.1f} GB at the most",
            against=f"{names[way]}, {peaks[way] / 1e9:.1f} GB",
            ours=middle["ours"],
            other=middle[way],
            rows=rows,
            wanted="≤ 4" if way == "floor" else "< 1",
        )
        for way in ways
        if way != "ours"
    ]


async def _fill(home: Path, rows: int) -> None:
    from backend.models.ingestion_models import RightsLevel
    from backend.repositories.album_store import AlbumRepository

    async with own_database(home) as database:
        items = made_up(min(rows, _MADE))
        await AlbumRepository(database).save_many(items)
        there = sum(len(merged[RightsLevel.ANY].tracks) for merged, _ in items)
        async with database.connection() as connection:
            if there < rows:
                named = await connection.fetch(
                    "SELECT column_name AS name FROM information_schema.columns WHERE table_name = 'enhanced_tracks' "
                    "AND is_generated = 'NEVER' ORDER BY ordinal_position"
                )
                columns = [row["name"] for row in named]
                values = ["id || '-' || n" if c in {"id", "recording_id"} else f'"{c}"' for c in columns]
                await connection.execute(
                    _COPIES.format(
                        columns=", ".join(f'"{c}"' for c in columns), values=", ".join(values),
                        copies=-(-(rows - there) // there), rows=rows - there,
                    )
                )  # fmt: skip
            await connection.execute("VACUUM ANALYZE enhanced_tracks")


def _run(way: str, home: Path, rows: int) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "bench.big_matrix", way, "--rows", str(rows)], cwd=_ROOT, check=True, stdout=subprocess.PIPE,
        env={**os.environ, "TENSOE_HOME": str(home), "DATABASE_URL": "", "ML_FEATURE_MATRIX_LIMIT": str(rows)},
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _one(way: str, rows: int) -> float:
    """Seconds of one way, from an open server to the matrix; the second time, for a server is started once."""
    from backend.config.settings import AppSettings, DatabaseSettings
    from backend.features.matrix import READS, MatrixOptions
    from backend.models.results import TrackFilter
    from backend.repositories.database import open_columnar
    from backend.repositories.track_tables import TrackTables
    from backend.services.matrices import read_matrix, to_pandas
    from bench.matrix import with_pandas

    columns = ", ".join(f'"{c}"::text' if c == "provenance" else f'"{c}"' for c in READS)

    def once(connection: Any, most: int) -> None:
        query = f"SELECT {columns} FROM enhanced_tracks WHERE aoty_score IS NOT NULL ORDER BY id LIMIT {most}"
        if way == "floor":
            TrackTables(connection).arrow(TrackFilter(), limit=most, columns=READS)
        elif way == "ours":
            options = MatrixOptions()
            to_pandas(
                read_matrix(TrackTables(connection), TrackFilter(), limit=most, target="aoty_score", options=options)
            )
        elif way == "read_sql":
            import pandas as pd

            with_pandas(pd.read_sql(query, connection))
        else:
            with_pandas(asyncio.run(_by_sqlalchemy(query)))

    with open_columnar(DatabaseSettings.read(), home=AppSettings.read().tensoe_home) as connection:
        once(connection, _WARM)
        started = time.perf_counter()
        once(connection, rows)
        return time.perf_counter() - started


async def _by_sqlalchemy(query: str) -> Any:
    import pandas as pd
    from sqlalchemy import text
    from sqlalchemy.ext.asyncio import create_async_engine

    from backend.config.settings import AppSettings, DatabaseSettings
    from backend.repositories.database import Database

    database = await Database.open(DatabaseSettings.read(), home=AppSettings.read().tensoe_home)
    try:
        engine = create_async_engine(database.dsn.replace("postgresql://", "postgresql+asyncpg://", 1))
        async with engine.connect() as connection:
            found = await connection.execute(text(query))
            frame = pd.DataFrame([dict(row) for row in found.mappings()])
        await engine.dispose()
        return frame
    finally:
        await database.close()


def main() -> None:
    """One way, once."""
    import resource

    reader = argparse.ArgumentParser()
    reader.add_argument("way", choices=WAYS)
    reader.add_argument("--rows", type=int, required=True)
    given = reader.parse_args()
    seconds = _one(given.way, given.rows)
    print(json.dumps({"seconds": seconds, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024}))


if __name__ == "__main__":
    main()
