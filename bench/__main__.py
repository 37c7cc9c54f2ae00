"""`python -m bench [--quick] [--write] [--only NAME] [--scale]`: prints the table; `--write` also renews docs/performance.md."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

# Before NumPy is imported: more threads than work make small fits slower on small machines.
os.environ.setdefault("OMP_NUM_THREADS", "1")

from bench import report
from bench.timing import Result

PARTS = ("write", "import", "ingest", "serve", "load", "matrix", "features", "start")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """How much is measured."""

    written: int = 50_000
    served: int = 50_000
    matrix: int = 20_000
    features: tuple[int, ...] = (50_000, 1_000_000)
    imported: int = 100_000
    ingested: int = 200
    rounds: int = 5


QUICK = Sizes(written=3_000, served=2_000, matrix=2_000, features=(3_000,), imported=3_000, ingested=20, rounds=3)


async def run(sizes: Sizes, parts: tuple[str, ...]) -> list[Result]:
    """All measurements of the parts."""
    found: list[Result] = []
    if {"write", "serve", "load", "matrix"} & set(parts):
        found += await _with_database(sizes, parts)
    if "import" in parts:
        found += await _imported(sizes)
    if "features" in parts:
        from bench import big_matrix

        found += await asyncio.to_thread(big_matrix.measure, sizes=sizes.features, rounds=min(3, sizes.rounds))
    if "ingest" in parts:
        from bench import pipeline

        found += await asyncio.to_thread(pipeline.measure, albums=sizes.ingested, rounds=sizes.rounds)
    if "start" in parts:
        from bench import start_up

        found += await start_up.measure(rounds=sizes.rounds)
    return found


async def _with_database(sizes: Sizes, parts: tuple[str, ...]) -> list[Result]:
    from backend.repositories.album_store import AlbumRepository
    from bench import bulk_write, matrix
    from bench.albums import made_up
    from bench.home import own_database, temporary_home

    found: list[Result] = []
    with temporary_home() as home:
        async with own_database(home) as database:
            items = made_up(max(sizes.written, sizes.served))
            if "write" in parts:
                found += await bulk_write.measure(database, items, rounds=sizes.rounds)
            await AlbumRepository(database).save_many(items)
            async with database.connection() as connection:
                await connection.execute("VACUUM ANALYZE enhanced_tracks")
            if "matrix" in parts:
                found += await matrix.measure(database, rows=sizes.matrix, rounds=sizes.rounds)
            if "serve" in parts:
                found += await _served(home, sizes)
            if "load" in parts:
                from bench import load

                found += await asyncio.to_thread(load.measure, home, rows=sizes.served, rounds=sizes.rounds)
    return found


async def _imported(sizes: Sizes) -> list[Result]:
    from bench import table_import
    from bench.home import own_database, temporary_home

    found: list[Result] = []
    with temporary_home() as home:
        async with own_database(home) as database:
            made_up = home / "made up.csv"
            table_import.generate(made_up, sizes.imported)
            tables = [made_up, table_import.REAL] if table_import.REAL.exists() else [made_up]
            for table in tables:
                found += await table_import.measure(database, table, rounds=sizes.rounds)
    return found


async def _served(home: Path, sizes: Sizes) -> list[Result]:
    from backend.config.settings import Settings
    from backend.startup import configure, open_container
    from bench import serving

    most = str(max(sizes.served, 50_000))
    ours = {
        "TENSOE_HOME": str(home),
        "TENSOE_DEMO": "off",
        "LOG_LEVEL": "ERROR",
        "ML_TRAINING_DATA_LIMIT": most,
        "RATE_LIMIT": "off",
    }
    os.environ.update(ours)
    os.environ.pop("DATABASE_URL", None)
    settings = Settings()
    configure(settings)
    async with open_container(settings, worker=False) as container:
        return await serving.measure(container, rows=sizes.served, rounds=sizes.rounds)


def main() -> None:
    """Read the arguments, measure, print."""
    reader = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    reader.add_argument("--quick", action="store_true", help="small sizes: shows that it runs, not how fast it is")
    reader.add_argument("--write", action="store_true", help="renew the table in docs/performance.md")
    reader.add_argument("--rows", type=int, help="of the tables of import and features (1000000 takes a while)")
    reader.add_argument("--only", choices=PARTS, action="append", help="only this part; may be repeated")
    reader.add_argument(
        "--scale", action="store_true", help="memory of ingestion from 1,000 to 100,000 albums: half an hour"
    )
    reader.add_argument("--albums", type=int, nargs="+", help="with --scale: these lists instead")
    given = reader.parse_args()
    if given.scale:
        from bench import scale

        scale.measure(given.albums or scale.SIZES)
        return
    if given.quick and given.write:
        reader.error("--quick figures are not for the page")
    sizes = QUICK if given.quick else Sizes()
    if given.rows:
        sizes = replace(sizes, imported=given.rows, features=(given.rows,))
    results = asyncio.run(run(sizes, tuple(given.only or PARTS)))
    print(report.table(results))
    print(f"\n{report.machine()}")
    if given.write:
        report.write(results)
    sys.exit(0)


if __name__ == "__main__":
    main()
