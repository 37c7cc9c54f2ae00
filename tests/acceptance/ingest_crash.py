"""Albums from the provider twin by several workers, of which one is killed (-9) every few seconds, and PostgreSQL twice.

    python tests/acceptance/ingest_crash.py [--albums 2000] [--workers 3] [--every 4]

Compares what is stored in the end with the twin's catalogue, field by field. Says how long it took at the most until a dead
worker's step was taken over, and exits with 1 when an album is missing, there twice, or wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

import asyncpg

from backend.repositories.embedded import Lease, acquire
from tests.acceptance.twin_compare import ROOT, Tally, command_line, compare_all, server
from tests.fixtures.twin import FOLDER, Twin, running_twin

PATIENCE = 1800.0


@dataclass
class Takeovers:
    """Who has which step, as seen in the queue a few times a second."""

    holders: dict[int, tuple[Any, float]] = field(default_factory=dict)  # message -> holder, when last seen
    last_pick: dict[Any, float] = field(default_factory=dict)  # holder -> when it was last seen to take something new
    kills: list[float] = field(default_factory=list)
    gaps: list[float] = field(default_factory=list)

    def look(self, rows: list[Any], now: float) -> None:
        """Note who holds what; a message with another holder than before has been taken over."""
        for row in rows:
            message, holder = row["id"], row["queue_manager_id"]
            before = self.holders.get(message)
            if before is None or before[0] != holder:
                if before is not None:
                    # From the first kill after its holder last took something: the longest it can have lain.
                    after = [k for k in self.kills if k >= self.last_pick.get(before[0], 0.0) - 0.5]
                    if after:
                        self.gaps.append(now - after[0])
                self.last_pick[holder] = now
            self.holders[message] = holder, now


def settings(twin: Twin, home: Path) -> dict[str, str]:
    """Everything pointed at the twin, fast."""
    names = ("SPOTIFY", "LASTFM", "RECCOBEATS", "DEEZER", "MUSICBRAINZ", "LISTENBRAINZ", "ACOUSTICBRAINZ")
    return {
        **os.environ, **twin.environment(), **twin.open_sources(), **{f"{n}_RATE": "2000" for n in names},
        "AOTY_SECONDS_BETWEEN": "0",
        "TENSOE_HOME": str(home), "DATABASE_URL": "", "LOG_LEVEL": "ERROR", "TENSOE_DEMO": "off",
    }  # fmt: skip


def start_worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """One more worker."""
    return subprocess.Popen(
        [sys.executable, "-m", "backend.cli", "worker"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    )


def _end(workers: list[subprocess.Popen[bytes]]) -> None:
    for worker in workers:
        worker.kill()
        worker.wait()


def kill_postgres(lease: Lease) -> None:
    """Kill the embedded server's first process; its watchdog starts it again."""
    pid = int((lease.folder / "data" / "postmaster.pid").read_text().splitlines()[0])
    os.kill(pid, signal.SIGKILL)


async def ask(dsn: str, statement: str) -> list[Any]:
    """Rows, or none while the server is away."""
    try:
        connection = await asyncpg.connect(dsn, timeout=5)
    except (OSError, asyncpg.PostgresError, TimeoutError):
        return []
    try:
        return list(await connection.fetch(statement))
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
        return []
    finally:
        with suppress(Exception):
            await connection.close(timeout=5)


def work(
    job: str, lease: Lease, environment: dict[str, str], *, workers: int, every: float, postgres: int, seed: int
) -> tuple[Takeovers, int, int]:
    """Have the job worked off under fire; what was seen, how many workers and how often PostgreSQL was killed."""
    dice, seen = random.Random(seed), Takeovers()
    killed = databases = 0
    done = "SELECT count(*) FILTER (WHERE state = 'done') AS done, count(*) AS total FROM ingest_items"
    with ExitStack() as stack:
        running = [start_worker(environment) for _ in range(workers)]
        stack.callback(_end, running)
        end, next_kill = time.monotonic() + PATIENCE, time.monotonic() + 2 * every
        while time.monotonic() < end:
            time.sleep(0.25)
            now = time.monotonic()
            seen.look(
                asyncio.run(ask(lease.dsn, "SELECT id, queue_manager_id FROM tensoe_pgqueuer WHERE status = 'picked'")),
                now,
            )
            (row,) = asyncio.run(ask(lease.dsn, done)) or [None]
            if row is None:
                continue
            if row["done"] == row["total"]:
                return seen, killed, databases
            if databases < postgres and row["done"] > row["total"] * (databases + 1) / (postgres + 1):
                kill_postgres(lease)
                databases += 1
            if now >= next_kill:
                victim = dice.randrange(workers)
                running[victim].kill()
                running[victim].wait()
                seen.kills.append(time.monotonic())
                killed += 1
                running[victim] = start_worker(environment)
                next_kill = now + every * dice.uniform(0.5, 1.5)
    raise SystemExit(f"job {job} was not done after {PATIENCE:.0f} s")


def run(
    *, albums: int, workers: int, every: float, postgres: int, home: Path, seed: int = 1
) -> tuple[Tally, list[str], list[str]]:
    """All of it; the tally, lines for people, and what is wrong beside values."""
    tally, wrong = Tally(), []
    made_up = max(0, albums - 650)
    with running_twin("--extended", "--no-limits", "--scale", str(made_up)) as twin:
        environment = settings(twin, home / "home")
        wanted = twin.get(f"albums?n={albums}&seed={seed}")
        file = home / "albums.csv"
        with file.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([("album", "artist"), *((w["album"], w["artist"]) for w in wanted)])
        submitted = command_line(["ingest", "--file", str(file), "--no-wait"], environment)
        if submitted.returncode:
            raise SystemExit(submitted.stdout + submitted.stderr)
        lease = acquire(home / "home")
        try:
            started = time.monotonic()
            seen, killed, databases = work(
                submitted.stdout.split()[1].rstrip(":"), lease, environment,
                workers=workers, every=every, postgres=postgres, seed=seed,
            )  # fmt: skip
            seconds = time.monotonic() - started
            results = asyncio.run(ask(lease.dsn, "SELECT result, count(*) AS n FROM ingest_items GROUP BY 1"))
            with server(environment) as base:
                lines = compare_all(base, twin, wanted, tally, made_up=bool(made_up))
            stored = asyncio.run(
                ask(lease.dsn, "SELECT count(*) AS n, count(DISTINCT (artist_key, title_key)) AS d FROM albums")
            )
        finally:
            lease.release()
    counts = {r["result"]: r["n"] for r in results}
    # Made-up names may stand twice among the sampled ones: a list takes each pair once.
    asked = len({(w["artist"], w["album"]) for w in wanted})
    if counts.get("complete", 0) + counts.get("partial", 0) != asked:
        wrong.append(f"not every album came in: {counts}")
    twice = stored[0]["n"] - asked
    lines.append(
        f"{asked} albums in {seconds:.0f} s by {workers} workers; {killed} of them killed, "
        f"PostgreSQL {databases} times: {counts}"
    )
    lines.append(f"albums stored beyond those asked for: {max(0, twice)}")
    if twice > 0:
        wrong.append(f"{twice} albums are there twice")
    if seen.gaps:
        usual, longest = statistics.median(seen.gaps), max(seen.gaps)
        lines.append(
            f"{len(seen.gaps)} steps of dead workers taken over; "
            f"after {usual:.1f} s in the middle, {longest:.1f} s at the longest"
        )
    return tally, lines, wrong


def main() -> int:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=2000)
    parser.add_argument("--workers", type=int, default=3)
    parser.add_argument("--every", type=float, default=4.0)
    parser.add_argument("--postgres", type=int, default=2)
    options = parser.parse_args()
    if not FOLDER.is_dir():
        print("the provider twin is not beside the project", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="tensoe-crash-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        tally, lines, wrong = run(
            albums=options.albums,
            workers=options.workers,
            every=options.every,
            postgres=options.postgres,
            home=Path(home),
        )
    print(*lines, *wrong, *tally.lines(), sep="\n")
    print(json.dumps({"flawless": tally.flawless and not wrong}))
    return 0 if tally.flawless and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
