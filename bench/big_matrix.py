"""Training data and the matrix at 50,000 and 1,000,000 rows, each way in a process of its own, against the floor and usual ways.

`python -m bench --only features [--rows 1000000]`. The floor is what the result is made of, read by ADBC into Arrow, with nothing
done to it. Beyond some 50,000 rows the table is made longer by copies of its rows under other ids.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from bench.albums import made_up
from bench.home import own_database, temporary_home
from bench.timing import Result

_MADE: Final = 50_000
_SLOW: Final = 100_000  # rows above which the usual ways, which take minutes then, run once
_ROOT: Final = Path(__file__).parents[1]
_TENTH: Final = 10  # the matrix of a tenth of the most rows: is the cost linear?
_COPIES: Final = """
INSERT INTO enhanced_tracks ({columns})
SELECT {values} FROM enhanced_tracks, generate_series(1, {copies}) AS n LIMIT {rows}
"""
_MATRIX: Final = {
    "floor": "the floor: the same columns by ADBC into Arrow",
    "read_sql": "pandas.read_sql with MultiLabelBinarizer",
    "sqlalchemy": "SQLAlchemy rows, pandas, MultiLabelBinarizer",
}
_ROWS: Final = {**_MATRIX, "read_sql": "pandas.read_sql", "sqlalchemy": "SQLAlchemy rows, pandas"}


@dataclass(frozen=True, slots=True)
class _Run:
    """A way at a size, and what its processes found."""

    what: str
    way: str
    rows: int
    seconds: list[float] = field(default_factory=list)
    peaks: list[int] = field(default_factory=list)

    @property
    def middle(self) -> float:
        return statistics.median(self.seconds)

    @property
    def peak(self) -> int:
        return max(self.peaks)


def measure(*, sizes: Sequence[int], rounds: int) -> list[Result]:
    """Every way at every size, in turns.

    Args:
        sizes: rows of the tables, the smallest first.
        rounds: of each way; the usual ways run once where they take minutes.
    """
    tenth = max(sizes) // _TENTH
    plan = [_Run(*named, rows) for rows in sizes for named in _ways(rows)]
    plan.append(_Run("matrix", "ours", tenth))
    with _homes({run.rows for run in plan}) as homes:
        for turn in range(rounds):
            for run in plan:
                if turn == 0 or run.way in {"ours", "floor"} or run.rows <= _SLOW:
                    _add(run, homes[run.rows])
    found = {(run.what, run.way, run.rows): run for run in plan}
    return [*_compared(found, sizes), *_linear(found, max(sizes), tenth), *_flat(found, sizes)]


def _ways(rows: int) -> Iterator[tuple[str, str]]:
    yield from (("matrix", way) for way in ("ours", *_MATRIX))
    yield "arrow", "ours"
    yield from (("rows", way) for way in _ROWS)
    yield "json", "ours"
    if rows <= _SLOW:
        yield "json", "sqlalchemy"


def _compared(found: dict[tuple[str, str, int], _Run], sizes: Sequence[int]) -> Iterator[Result]:
    for rows in sizes:
        matrix, arrow, text = (found[what, "ours", rows] for what in ("matrix", "arrow", "json"))
        for way, name in _MATRIX.items():
            yield _result(
                matrix, found["matrix", way, rows], f"matrix of {rows:,} rows", name, "≤ 4" if way == "floor" else "< 1"
            )
        for way, name in _ROWS.items():
            other = found["rows", way, rows]
            yield _result(arrow, other, f"{rows:,} training rows as Arrow", name, "" if way == "floor" else "< 1")
        if usual := found.get(("json", "sqlalchemy", rows)):
            yield _result(text, usual, f"{rows:,} training rows as JSON", "SQLAlchemy rows, pandas, to_json", "< 1")


def _result(ours: _Run, other: _Run, what: str, against: str, wanted: str) -> Result:
    return Result(
        what=f"{what}, {_gigabytes(ours)}", against=f"{against}, {_gigabytes(other)}", ours=ours.middle, other=other.middle,
        rows=ours.rows, wanted=wanted,
    )  # fmt: skip


def _linear(found: dict[tuple[str, str, int], _Run], most: int, tenth: int) -> Iterator[Result]:
    whole, part = found["matrix", "ours", most], found["matrix", "ours", tenth]
    yield Result(
        what=f"a tenth of the time of a matrix of {most:,} rows", against=f"a matrix of {tenth:,} rows",
        ours=whole.middle / _TENTH, other=part.middle, wanted="≤ 1.15",
    )  # fmt: skip


def _flat(found: dict[tuple[str, str, int], _Run], sizes: Sequence[int]) -> Iterator[Result]:
    few, many = min(sizes), max(sizes)
    if few < many:
        for what, form in (("json", "JSON"), ("arrow", "Arrow")):
            yield Result(
                what=f"peak memory while {many:,} training rows are streamed as {form}", against=f"{few:,} rows",
                ours=found[what, "ours", many].peak, other=found[what, "ours", few].peak, unit="bytes", wanted="≤ 1.1",
            )  # fmt: skip
    yield Result(
        what=f"peak memory of the process that makes a matrix of {many:,} rows", against="3 GB",
        ours=found["matrix", "ours", many].peak, other=3e9, unit="bytes", wanted="≤ 1",
    )  # fmt: skip


def _gigabytes(run: _Run) -> str:
    return f"{run.peak / 1e9:.1f} GB"


@contextlib.contextmanager
def _homes(sizes: set[int]) -> Iterator[dict[int, Path]]:
    """A home per size, its table filled."""
    with contextlib.ExitStack() as stack:
        made = {rows: stack.enter_context(temporary_home()) for rows in sorted(sizes)}
        for rows, home in made.items():
            asyncio.run(_fill(home, rows))
        yield made


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


def _add(run: _Run, home: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench.ways", run.what, run.way, "--rows", str(run.rows)],
        cwd=_ROOT, check=True, stdout=subprocess.PIPE,
        env={**os.environ, "TENSOE_HOME": str(home), "DATABASE_URL": "", "ML_FEATURE_MATRIX_LIMIT": str(run.rows)},
    )  # fmt: skip
    told = json.loads(done.stdout.splitlines()[-1])
    run.seconds.append(told["seconds"])
    run.peaks.append(told["peak"])
