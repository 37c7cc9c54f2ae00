"""Two workers with homes of their own and one database, limits on: how near to the allowed rate they come, and never beyond.

    python tests/acceptance/ingest_paced.py [--albums 150] [--rate 5]

The slowest source is asked with `--rate` requests a second; the provider twin refuses what comes faster, counted within ten
seconds. Prints achieved / allowed as the twin saw it, from the slowest source's first request to its last.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.repositories.embedded import acquire
from tests.acceptance.ingest_crash import ask, settings
from tests.acceptance.twin_compare import ROOT, Tally, command_line, compare_all, server
from tests.fixtures.twin import FOLDER, running_twin

WINDOW = 10  # seconds in which the twin counts
PATIENCE = 1200.0


def run(*, albums: int, rate: float, home: Path, seed: int = 2) -> tuple[Tally, list[str], dict[str, float]]:
    """The ingestion; the tally, lines for people, and the figures."""
    tally, lines = Tally(), []
    with running_twin("--extended", "--no-limits") as twin, ExitStack() as stack:
        twin.post("faults", {"musicbrainz": {"rate": rate, "window": WINDOW}})
        shared = settings(twin, home / "database")
        lease = acquire(home / "database")
        stack.callback(lease.release)
        environment = {**shared, "MUSICBRAINZ_RATE": str(rate), "DATABASE_URL": lease.dsn, "LOG_LEVEL": "INFO"}
        wanted = twin.get(f"albums?n={albums}&seed={seed}")
        file = home / "albums.csv"
        with file.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([("album", "artist"), *((w["album"], w["artist"]) for w in wanted)])
        done = command_line(["ingest", "--file", str(file), "--no-wait"], environment)
        if done.returncode:
            raise SystemExit(done.stdout + done.stderr)
        logs = [home / "first.log", home / "second.log"]
        for log in logs:
            place = log.with_suffix("")
            place.mkdir()
            worker = subprocess.Popen(
                [sys.executable, "-m", "backend.cli", "worker"],
                cwd=ROOT, env={**environment, "TENSOE_HOME": str(place)}, stdout=stack.enter_context(log.open("wb")),
                stderr=subprocess.STDOUT,
            )  # fmt: skip
            stack.callback(worker.wait, 30)
            stack.callback(worker.terminate)
        end = time.monotonic() + PATIENCE
        open_ = "SELECT count(*) AS n FROM ingest_items WHERE state <> 'done'"
        while asyncio.run(ask(lease.dsn, open_))[0]["n"]:
            if time.monotonic() > end:
                raise SystemExit("the job was not done in time")
            time.sleep(0.5)
        stats = twin.get("stats")["musicbrainz"]
        (budget,) = asyncio.run(
            ask(lease.dsn, "SELECT rate, refused, granted FROM source_budgets WHERE key = 'musicbrainz'")
        )
        with server({**shared, "DATABASE_URL": lease.dsn}) as base:
            lines += compare_all(base, twin, wanted, tally)
    steps = [log.read_bytes().count(b"source=musicbrainz") for log in logs]
    figures = {
        "share": stats["mean_rate"] / rate,
        "refused": float(stats["refused_for_rate"]),
        "first": float(steps[0]),
        "second": float(steps[1]),
    }
    lines.append(
        f"{albums} albums by two workers: {stats['requests']} requests in {stats['seconds']:.0f} s, "
        f"{stats['mean_rate']:.3f} a second "
        f"of {rate:g} allowed: {figures['share']:.1%}; refused {stats['refused_for_rate']}; rate as learnt {budget['rate']:.2f}"
    )
    lines.append(f"steps of the slowest source by worker: {steps}")
    return tally, lines, figures


def main() -> int:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=150)
    parser.add_argument("--rate", type=float, default=5.0)
    options = parser.parse_args()
    if not FOLDER.is_dir():
        print("the provider twin is not beside the project", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="tensoe-paced-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        tally, lines, figures = run(albums=options.albums, rate=options.rate, home=Path(home))
    print(*lines, *tally.lines(), json.dumps(figures), sep="\n")
    return 0 if tally.flawless and not figures["refused"] else 1


if __name__ == "__main__":
    sys.exit(main())
