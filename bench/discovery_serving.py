"""`/ml/recommendations/{id}` over HTTP: how long 32 clients wait, at rest and while albums are taken in.

`python -m bench.discovery_serving [--rows 100000]`. A server of its own with made-up tracks; each client asks five times a second
for a track drawn by chance. Albums come from the provider twin beside the project, at the pace that the real services allow.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import aiohttp
import numpy as np

from bench.albums import made_up
from bench.home import own_database, temporary_home
from tests.fixtures.twin import FOLDER, free_port, running_twin

CLIENTS, EACH_SECOND, SECONDS, TURNS = 32, 5.0, 15.0, 3
_ROOT = Path(__file__).parents[1]


async def fill(home: Path, rows: int) -> list[str]:
    """Store made-up tracks; the ids of some."""
    from backend.repositories.album_store import AlbumRepository

    async with own_database(home) as database:
        items = made_up(rows)
        for start in range(0, len(items), 1_000):
            await AlbumRepository(database).save_many(items[start : start + 1_000])
        async with database.connection() as connection:
            found = await connection.fetch("SELECT id FROM enhanced_tracks ORDER BY random() LIMIT 20000")
            return [row["id"] for row in found]


async def ask(base: str, ids: list[str]) -> list[float]:
    """Seconds that each request took, from when it was due: a server that falls behind is not asked less."""
    taken: list[float] = []
    waiting = itertools.cycle(ids)

    async def client(session: aiohttp.ClientSession, number: int) -> None:
        began = time.perf_counter() + number / (CLIENTS * EACH_SECOND)
        for turn in range(int(SECONDS * EACH_SECOND)):
            due = began + turn / EACH_SECOND
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            async with session.get(f"{base}/ml/recommendations/{next(waiting)}?k=10") as answer:
                await answer.read()
                if answer.status != 200:
                    raise SystemExit(f"{answer.status}: {await answer.text()}")
            taken.append(time.perf_counter() - due)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CLIENTS)) as session:
        await asyncio.gather(*(client(session, number) for number in range(CLIENTS)))
    return taken


async def ready(base: str, track_id: str) -> float:
    """Seconds until the first answer: the index is built or opened by then."""
    began = time.perf_counter()
    async with aiohttp.ClientSession() as session:
        while True:
            try:
                async with session.get(f"{base}/ml/recommendations/{track_id}") as answer:
                    if answer.status == 200:
                        return time.perf_counter() - began
            except aiohttp.ClientError:
                pass
            if time.perf_counter() - began > 300:
                raise SystemExit("the server does not answer")
            await asyncio.sleep(0.2)


def told(what: str, taken: list[float]) -> str:
    """A line for people."""
    median, high = np.percentile(taken, [50, 99]) * 1e3
    return f"{what}: {len(taken):,} answers, median {median:.1f} ms, p99 {high:.1f} ms"


def measure(rows: int) -> list[str]:
    """At rest, and while albums are taken in."""
    lines: list[str] = []
    with temporary_home() as home, running_twin("--extended", "--no-limits") as twin:
        ids = asyncio.run(fill(home, rows))
        port = free_port()
        environment: dict[str, Any] = {
            **os.environ, **twin.environment(), **twin.open_sources(), "TENSOE_HOME": str(home), "TENSOE_DEMO": "off",
            "LOG_LEVEL": "ERROR", "DATABASE_URL": "", "RATE_LIMIT": "off", "API_PORT": str(port), "API_HOST": "127.0.0.1",
        }  # fmt: skip
        base = f"http://127.0.0.1:{port}"
        for turn in ("built", "opened"):
            with subprocess.Popen([sys.executable, "-m", "backend.startup"], cwd=_ROOT, env=environment) as process:
                try:
                    lines.append(
                        f"first answer, index {turn}: {asyncio.run(ready(base, ids[0])):.1f} s after the start"
                    )
                    if turn == "opened":
                        asyncio.run(_warmed(base, twin))
                        lines += [told("at rest", asyncio.run(ask(base, ids))) for _ in range(TURNS)]
                        for number in range(TURNS):
                            taken = asyncio.run(_while_ingesting(base, ids, twin, seed=3 + number))
                            lines.append(told("while albums come in", taken))
                finally:
                    process.terminate()
                    process.wait(30)
    return lines


async def _ingested(session: aiohttp.ClientSession, base: str, twin: Any, *, n: int, seed: int) -> str:
    """Have albums taken in; the job's id."""
    albums = [[a["album"], a["artist"]] for a in twin.get(f"albums?n={n}&seed={seed}")]
    async with session.post(f"{base}/ml/ingest/batch", json={"albums": albums}) as answer:
        if answer.status != 202:
            raise SystemExit(await answer.text())
        return str((await answer.json())["job_id"])


async def _warmed(base: str, twin: Any) -> None:
    """A few albums taken in, and asked for: what a process does once is done."""
    async with aiohttp.ClientSession() as session:
        job = await _ingested(session, base, twin, n=5, seed=1)
        while True:
            async with session.get(f"{base}/ml/jobs/{job}") as answer:
                if (await answer.json())["state"] != "open":
                    return
            await asyncio.sleep(0.5)


async def _while_ingesting(base: str, ids: list[str], twin: Any, *, seed: int) -> list[float]:
    async with aiohttp.ClientSession() as session:
        job = await _ingested(session, base, twin, n=600, seed=seed)
        taken = await ask(base, ids[len(ids) // 2 :])
        async with session.post(f"{base}/ml/jobs/{job}/cancel") as answer:
            if answer.status >= 400:
                raise SystemExit(await answer.text())
        return taken


def main() -> int:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=100_000)
    options = parser.parse_args()
    if not FOLDER.is_dir():
        print("the provider twin is not beside the project", file=sys.stderr)
        return 2
    print(*measure(options.rows), sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
