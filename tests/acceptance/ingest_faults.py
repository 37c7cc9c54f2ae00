"""Albums from the provider twin while it breaks: faults, rate refusals, a used-up quota, a challenge that comes and goes.

    python tests/acceptance/ingest_faults.py [--albums 150]

The same albums are ingested twice, each time into an empty home: once undisturbed, once under fire. Afterwards what each
source is said to have answered must be the same, and the catalogue right: nothing "not found" that is there, nothing lost.
What was blocked by the challenge is asked for once more with `tensoe retry`.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from backend.repositories.embedded import acquire
from tests.acceptance.ingest_crash import ask, settings
from tests.acceptance.twin_compare import Tally, command_line, compare_all, server
from tests.fixtures.twin import FOLDER, Twin, running_twin

FAULTS = {"500": 0.05, "reset": 0.03, "timeout": 0.03, "truncated": 0.02, "malformed": 0.02}
HOUR = 20  # seconds that stand for the hour of the quota
OUTCOMES = """
SELECT i.album, i.artist, s.source, s.outcome FROM ingest_steps s JOIN ingest_items i USING (job_id, position)
JOIN ingest_jobs j ON j.id = s.job_id ORDER BY j.created_at, s.position, s.source
"""


def disturb(twin: Twin, over: threading.Event) -> None:
    """Let the quota run out once, and the challenge come and go."""
    released, challenged, began = False, False, time.monotonic()
    while not over.wait(0.5):
        stats = twin.get("stats")
        if not released and stats["spotify"]["refused_for_quota"]:
            time.sleep(HOUR)
            twin.post("faults", {"spotify": {"quota": 0}})
            released = True
        now = int(time.monotonic() - began) // 12 % 2 == 0
        if now != challenged:
            challenged = now
            twin.post("faults", {"aoty": {"challenge": challenged}})
    if challenged:
        twin.post("faults", {"aoty": {"challenge": False}})


def ingest(environment: dict[str, str], file: Path) -> tuple[str, str]:
    """Have the list ingested to its end; the job's id and what was printed."""
    done = command_line(["ingest", "--file", str(file), "--json"], environment)
    if not done.stdout.strip():
        raise SystemExit(f"tensoe ingest ended with {done.returncode}:\n{done.stderr[-3000:]}")
    return str(json.loads(done.stdout)["job"]["id"]), done.stderr


def said(environment: dict[str, str], job: str) -> dict[tuple[str, str, str], str]:
    """By album, artist and source: how it answered, the latest job counting."""
    lease = acquire(Path(environment["TENSOE_HOME"]))
    try:
        rows = asyncio.run(ask(lease.dsn, OUTCOMES))
    finally:
        lease.release()
    return {(r["album"], r["artist"], r["source"]): r["outcome"] for r in rows}


def run(*, albums: int, home: Path, seed: int = 1) -> tuple[Tally, list[str], list[str]]:
    """Both ingestions; the tally of the one under fire, lines for people, and what is wrong beside values."""
    tally, lines, wrong = Tally(), [], []
    with running_twin("--extended", "--no-limits") as twin:
        wanted = twin.get(f"albums?n={albums}&seed={seed}")
        file = home / "albums.csv"
        with file.open("w", newline="", encoding="utf-8") as out:
            csv.writer(out).writerows([("album", "artist"), *((w["album"], w["artist"]) for w in wanted)])
        calm = {**settings(twin, home / "calm"), "LOG_LEVEL": "ERROR"}
        job, _ = ingest(calm, file)
        expected = said(calm, job)

        twin.post("reset", {})
        twin.post("faults", {"*": {"faults": FAULTS}, "lastfm": {"rate": 40, "window": 1}})
        twin.post("faults", {"spotify": {"quota": max(20, albums // 2), "quota_retry_after": HOUR}})
        fire = {
            **settings(twin, home / "fire"), "LASTFM_RATE": "42", "INGESTION_REQUEST_SECONDS": "2",
            "INGESTION_RETRY_SECONDS": "[2, 5, 10, 20]", "LOG_LEVEL": "ERROR",
        }  # fmt: skip
        over = threading.Event()
        disturbing = threading.Thread(target=disturb, args=(twin, over))
        disturbing.start()
        started = time.monotonic()
        try:
            job, problems = ingest(fire, file)
        finally:
            over.set()
            disturbing.join()
        seconds = time.monotonic() - started
        stats = twin.get("stats")
        first = said(fire, job)
        blocked = sum(outcome == "blocked" for outcome in first.values())
        twin.post("faults", {"*": {"faults": {}}, "lastfm": {"rate": 0}})
        if blocked:
            again = command_line(["retry", job, "--only", "partial,blocked"], fire)
            lines.append(f"tensoe retry: {again.stdout.strip()[:200]} {again.stderr.strip()[-300:]}")
            worked = command_line(["resume"], fire)
            lines.append(f"tensoe resume: {worked.stdout.strip()[:200]}")
        found = said(fire, job)
        with server(fire) as base:
            lines += compare_all(base, twin, wanted, tally)
    for key, outcome in expected.items():
        if found.get(key) != outcome:
            wrong.append(f"{key}: {found.get(key)!r} instead of {outcome!r}")
    injected = {name: sum(s["faults_injected"].values()) for name, s in stats.items() if s["faults_injected"]}
    lines.append(
        f"{albums} albums in {seconds:.0f} s under fire; faults {injected}, "
        f"refused for rate {stats['lastfm']['refused_for_rate']}, "
        f"for quota {stats['spotify']['refused_for_quota']}; steps blocked by the challenge: {blocked}"
    )
    lines.append(f"steps in all: {len(expected):,}; answered otherwise than undisturbed: {len(wrong)}")
    if not stats["spotify"]["refused_for_quota"] or not blocked or not injected:
        wrong.append("the twin did not disturb as it was to")
    if "Traceback" in problems:
        wrong.append(problems[-2000:])
    return tally, lines, wrong


def main() -> int:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--albums", type=int, default=150)
    options = parser.parse_args()
    if not FOLDER.is_dir():
        print("the provider twin is not beside the project", file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="tensoe-faults-", ignore_cleanup_errors=True) as home:
        Path(home).chmod(0o755)
        tally, lines, wrong = run(albums=options.albums, home=Path(home))
    problems: list[Any] = wrong[:20]
    print(*lines, *problems, *tally.lines(), sep="\n")
    print(json.dumps({"flawless": tally.flawless and not wrong}))
    return 0 if tally.flawless and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
