"""The map in a real browser, from a real server: `python -m bench.map --points 100000 1000000`.

Made-up tracks are stored, the server indexes them and draws their map; Chromium without a graphics card opens it, pans and zooms.
Printed are the drawing's time, the server's memory above what the index takes, the first picture, and the time between frames.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
from playwright.async_api import Page, async_playwright

from backend.features.columns import CONTINUOUS
from backend.ingestion import vocabulary
from bench.discovery import made_up
from bench.home import own_database, temporary_home
from tests.fixtures.browser import FLAGS, chromium_path
from tests.fixtures.twin import free_port

_ROOT = Path(__file__).parents[1]
_AT_ONCE = 20_000
_PATIENCE = 1_800
_SECONDS = 4
# Something moves in every frame, and the browser's own clock tells how long after the one before it came.
_MOVED = """([how, seconds]) => new Promise((done) => {
  const stage = document.querySelector('[role=application]');
  const gaps = [];
  const began = performance.now();
  let last = 0;
  const tick = (now) => {
    if (last) gaps.push(now - last);
    last = now;
    if (now - began > 1000 * seconds) return done(gaps);
    const turn = Math.floor(gaps.length / 12) % 4;
    const box = stage.getBoundingClientRect();
    const middle = {clientX: box.left + box.width / 2, clientY: box.top + box.height / 2};
    stage.dispatchEvent(how === 'pan'
      ? new KeyboardEvent('keydown', {key: ['ArrowRight', 'ArrowDown', 'ArrowLeft', 'ArrowUp'][turn], bubbles: true})
      : new WheelEvent('wheel', {deltaY: [-20, -20, 20, 20][turn], ...middle, bubbles: true, cancelable: true}));
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})"""
_FIRST = "() => performance.getEntriesByName('map-first-picture')[0]?.startTime ?? 0"


async def fill(home: Path, rows: int) -> None:
    """Store made-up tracks as any other, at the level of all rights."""
    table = made_up(rows)
    names = [node["name"] for node in vocabulary.tree()][:300]
    async with own_database(home) as database, database.connection() as connection:
        albums = sorted({(a, n, t) for a, n, t in _of(table, "album_id", "artist", "album")})
        artists = sorted({artist for _, artist, _ in albums})
        await connection.copy_records_to_table(
            "artists", records=[(a, a, a.lower()) for a in artists], columns=["id", "name", "name_key"]
        )
        await connection.copy_records_to_table(
            "albums",
            records=[(a, t, n, t.lower(), n.lower(), n, 10) for a, n, t in albums],
            columns=["id", "title", "artist", "title_key", "artist_key", "artist_id", "total_tracks"],
        )
        for start in range(0, rows, _AT_ONCE):
            records = [
                (
                    row["id"], row["title"], row["artist"], row["album"], row["album_id"],
                    [names[int(g.split()[1])] for g in row["genres"]], row["moods"],
                    json.dumps({f: float(row[f]) for f in CONTINUOUS}), row["popularity"],
                    date(row["release_year"], 1, 1), float(row["popularity"] // 2 + 40), '{"title": "bench"}', True,
                )
                for row in table.slice(start, _AT_ONCE).to_pylist()
            ]  # fmt: skip
            await connection.copy_records_to_table(
                "enhanced_tracks",
                records=records,
                columns=[
                    "id", "title", "artist", "album", "album_id", "genres", "moods", "audio_features", "popularity",
                    "release_date", "aoty_score", "provenance", "synthetic",
                ],
            )  # fmt: skip


def _of(table: Any, *names: str) -> Iterator[tuple[str, ...]]:
    return zip(*(table.column(name).to_pylist() for name in names), strict=True)


class Memory:
    """The greatest resident memory of a process since a moment, read ten times a second."""

    def __init__(self, pid: int) -> None:
        self._path = Path(f"/proc/{pid}/status")
        self.peak = 0
        self._ended = threading.Event()
        threading.Thread(target=self._watch, daemon=True).start()

    def now(self) -> int:
        """MB of its own; files that are mapped count for nobody."""
        status = self._path.read_text().splitlines()
        return next(int(line.split()[1]) for line in status if line.startswith("RssAnon")) // 1024

    def _watch(self) -> None:
        while not self._ended.wait(0.1) and self._path.exists():
            self.peak = max(self.peak, self.now())

    def end(self) -> None:
        """Stop reading."""
        self._ended.set()


@contextmanager
def server(home: Path, **variables: str) -> Iterator[tuple[str, int]]:
    """A server process of its own; its address and its number."""
    port = free_port()
    environment = {
        **os.environ, "TENSOE_HOME": str(home), "TENSOE_DEMO": "off", "LOG_LEVEL": "ERROR", "DATABASE_URL": "",
        "RATE_LIMIT": "off", "API_PORT": str(port), "API_HOST": "127.0.0.1",
        **variables,
    }  # fmt: skip
    with subprocess.Popen([sys.executable, "-m", "backend.startup"], cwd=_ROOT, env=environment) as process:
        try:
            yield f"http://127.0.0.1:{port}", process.pid
        finally:
            process.terminate()
            process.wait(60)


def _until(url: str, fits: Any) -> float:
    began = time.perf_counter()
    while time.perf_counter() - began < _PATIENCE:
        try:
            with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
                if fits(answer.status, answer.read()):
                    return time.perf_counter() - began
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit(f"{url} does not answer as it should")


async def _looked_at(base: str) -> list[str]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium_path(), args=FLAGS, headless=True)
        page = await browser.new_page(viewport={"width": 1440, "height": 900})
        lines = []
        for turn in ("new", "again"):
            await page.goto(f"{base}/studio/map")
            while not (first := await page.evaluate(_FIRST)):
                await page.wait_for_timeout(50)
            lines.append(f"  first picture ({turn}): {first / 1e3:.2f} s after the address was opened")
        await page.wait_for_timeout(3_000)
        lines.append(await _frames(page, "panning, all in view", "pan"))
        lines.append(await _frames(page, "zooming", "zoom"))
        await page.mouse.move(620, 440)
        for _ in range(12):
            await page.mouse.wheel(0, -80)
        await page.wait_for_timeout(2_000)
        lines.append(await _frames(page, "panning, near", "pan"))
        await browser.close()
    return lines


async def _frames(page: Page, what: str, how: str) -> str:
    gaps = np.array(await page.evaluate(_MOVED, [how, _SECONDS]))
    median, high = np.percentile(gaps, [50, 95])
    return (
        f"  {what}: {len(gaps) / _SECONDS:.0f} frames a second, median {median:.0f} ms, 95 of 100 within {high:.0f} ms"
    )


def measure(rows: int) -> Iterator[str]:
    """Lines for people."""
    with temporary_home() as home:
        began = time.perf_counter()
        asyncio.run(fill(home, rows))
        yield f"{rows:,} points (stored in {time.perf_counter() - began:.0f} s)"
        with server(home) as (base, _):  # so that the index is there, and only opened the next time
            _until(f"{base}/ml/recommendations/t00000007", lambda status, _: status == 200)
        with server(home) as (base, pid):
            _until(f"{base}/ml/recommendations/t00000007", lambda status, _: status == 200)
            memory = Memory(pid)
            before = memory.now()
            taken = _until(f"{base}/ml/map", lambda status, body: status == 200 and len(body) == 4 * rows)
            yield f"  drawn in {taken:.0f} s, in the background"
            yield f"  memory while it is drawn: {memory.peak - before} MB above the {before} MB of the server with its index"
            memory.peak = 0
            yield from asyncio.run(_looked_at(base))
            for name in ("genre", "mood", "year", "score", "popularity", "source"):
                _until(f"{base}/ml/map/columns/{name}", lambda status, _: status == 200)
            memory.end()
            looked, after = memory.peak - before, memory.now() - before
            yield f"  memory while it is looked at, all columns: {looked} MB above, {after} MB afterwards"


def main() -> int:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--points", type=int, nargs="+", default=[100_000])
    options = parser.parse_args()
    if chromium_path() is None:
        print("there is no Chromium on this machine", file=sys.stderr)
        return 2
    for rows in options.points:
        for line in measure(rows):
            print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
