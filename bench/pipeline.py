"""The whole pipeline against a bare client that makes the same requests of the same stand-in for the services, no limits on.

`python -m bench.pipeline [--albums N] [--workers N]`. The stand-in (the provider twin beside the project) is one more process
on the same machine and answers both alike. The bare client reads and decodes each answer, keeps as many requests on their
way as the pipeline may, and does nothing else; its requests are those that the pipeline sent, recorded in a first run.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import aiohttp

from backend.serving import loop_factory
from backend.utils.collector import look_less_often
from bench.home import temporary_home
from bench.timing import Result
from tests.fixtures.twin import FOLDER, Twin, running_twin

_AT_ONCE = 40
_RATE = "5000"
_ROOT = Path(__file__).parents[1]


def settings_of(twin: Twin, home: Path) -> dict[str, str]:
    """Everything pointed at the twin, without limits."""
    rates = {f"{name}_RATE": _RATE for name in ("SPOTIFY", "LASTFM", "RECCOBEATS", "DEEZER", "MUSICBRAINZ")}
    rates |= {"LISTENBRAINZ_RATE": _RATE, "ACOUSTICBRAINZ_RATE": _RATE, "AOTY_SECONDS_BETWEEN": "0.0002"}
    return {
        **twin.environment(), **twin.open_sources(), **rates,
        "TENSOE_HOME": str(home), "TENSOE_DEMO": "off", "LOG_LEVEL": "ERROR",
    }  # fmt: skip


async def ingest(
    albums: list[dict[str, Any]], *, record: list[tuple[Any, ...]] | None = None, workers: int = 1
) -> float:
    """Ingest as a job, worker and all; seconds from the list's acceptance to the job's end.

    Args:
        albums: of the list.
        record: is told of every request of this process.
        workers: this process, and `tensoe worker` for each further one.
    """
    from backend.config.settings import Settings
    from backend.ingestion import transport
    from backend.models.ingestion_models import AlbumQuery
    from backend.startup import configure, open_container

    if record is not None:
        sent = transport.exchange

        async def noted(session: aiohttp.ClientSession, method: str, url: str, **more: Any) -> Any:
            kept = {k: more.get(k) for k in ("params", "data", "json", "headers")}
            record.append((method, url, kept))
            return await sent(session, method, url, **more)

        transport.exchange = noted
    settings = Settings()
    configure(settings)
    async with open_container(settings) as container:
        look_less_often()  # as `tensoe worker` does
        others = [_worker() for _ in range(workers - 1)]
        started = time.perf_counter()
        job = await container.ingestion.submit([AlbumQuery(album=a["album"], artist=a["artist"]) for a in albums])
        while (  # noqa: ASYNC110 - the job ends in the database, which sets no event
            status := await container.ingestion.status(job, limit=1)
        ).finished_at is None:
            await asyncio.sleep(0.1)
        seconds = time.perf_counter() - started
        for other in others:
            other.terminate()
            other.communicate()
        if status.counts["complete"] + status.counts["partial"] != len(albums):
            raise SystemExit(f"not every album came in: {status.counts}")
    return seconds


def _worker() -> subprocess.Popen[bytes]:
    """One more worker, ready to work."""
    worker = subprocess.Popen([sys.executable, "-m", "backend.cli", "worker"], cwd=_ROOT, stdout=subprocess.PIPE)
    assert worker.stdout is not None
    worker.stdout.readline()
    return worker


async def replay(requests: list[tuple[str, str, dict[str, Any]]]) -> float:
    """The same requests, bare."""
    waiting = iter(requests)

    async def client(session: aiohttp.ClientSession) -> None:
        for method, url, more in waiting:
            async with session.request(method, url, **more) as answer:
                body = await answer.read()
                if b"json" in answer.headers.get("content-type", "").encode():
                    json.loads(body)

    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=_AT_ONCE)) as session:
        started = time.perf_counter()
        await asyncio.gather(*(client(session) for _ in range(_AT_ONCE)))
        return time.perf_counter() - started


def _with_loop(work: Any) -> float:
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        return float(runner.run(work))


def _run(part: str, twin: Twin, home: Path, file: Path, albums: int, *, workers: int = 1) -> dict[str, Any]:
    """One part in a process of its own."""
    sizes = ["--albums", str(albums), "--workers", str(workers)]
    done = subprocess.run(
        [sys.executable, "-m", "bench.pipeline", "--part", part, "--file", str(file), *sizes],
        env={**os.environ, **settings_of(twin, home)}, cwd=_ROOT, check=True, stdout=subprocess.PIPE,
    )  # fmt: skip
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(*, albums: int = 300, rounds: int = 3, workers: int = 1) -> list[Result]:
    """Both in turns, each pipeline run in an empty home."""
    if not FOLDER.is_dir():
        return []
    ours: list[float] = []
    bare: list[float] = []
    with running_twin("--extended", "--no-limits") as twin, tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "requests.json"
        file.write_text(json.dumps({"albums": twin.get(f"albums?n={albums}&seed=3"), "requests": []}))
        with temporary_home() as home:
            calls = _run("record", twin, home, file, albums)["calls"]
        for _ in range(rounds):
            with temporary_home() as home:
                ours.append(_run("ours", twin, home, file, albums, workers=workers)["seconds"])
                bare.append(_run("bare", twin, home, file, albums)["seconds"])
    return [
        Result(
            what=f"ingest {albums:,} albums ({calls:,} requests), no limits" + f", {workers} workers" * (workers > 1),
            against="a bare client, the same requests of the same stand-in",
            ours=statistics.median(ours),
            other=statistics.median(bare),
            rows=calls,
            wanted="≤ 2",
        )
    ]


def main() -> None:
    """Run all, or the part that a process of its own is for."""
    reader = argparse.ArgumentParser(prog="python -m bench.pipeline", description=__doc__)
    reader.add_argument("--albums", type=int, default=300)
    reader.add_argument("--rounds", type=int, default=3)
    reader.add_argument("--workers", type=int, default=1)
    reader.add_argument("--part", choices=("record", "ours", "bare"))
    reader.add_argument("--file", type=Path)
    given = reader.parse_args()
    if given.part is None:
        for found in measure(albums=given.albums, rounds=given.rounds, workers=given.workers):
            share = found.other / found.ours
            speeds = f"{(found.rows or 0) / found.ours:,.0f} requests/s; bare {(found.rows or 0) / found.other:,.0f}/s"
            print(f"{found.what}: {speeds}; share {share:.2f}")
        return
    work = json.loads(given.file.read_text())
    if given.part == "bare":
        print(json.dumps({"seconds": _with_loop(replay(work["requests"]))}))
        return
    record: list[tuple[Any, ...]] | None = [] if given.part == "record" else None
    seconds = _with_loop(ingest(work["albums"], record=record, workers=given.workers))
    if record is not None:
        work["requests"] = [r for r in record if not r[1].endswith("/api/token")]
        given.file.write_text(json.dumps(work, default=dict))
    print(json.dumps({"seconds": seconds, "calls": len(work["requests"])}))


if __name__ == "__main__":
    main()
