"""Half an hour of everything at once, on this machine alone: reads, writes, ingestion, and something breaks every half minute.

    make soak [MINUTES=30]        # python -m tests.acceptance.soak [--minutes 30] [--readers 6] [--seed 1]

Nothing is to be wrong: no answer, no album lost, doubled or wrong in the end, no status 5xx but a 503 that says when to come
again, memory and connections level. Needs the provider twin beside the project. Exits with 1 when anything is wrong.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

import aiohttp

from tests.acceptance.ingest_crash import ask
from tests.acceptance.soak.asking import Asker
from tests.acceptance.soak.faults import Faults
from tests.acceptance.soak.findings import Findings
from tests.acceptance.soak.levels import Levels
from tests.acceptance.soak.machine import Machine
from tests.acceptance.soak.readers import Reader
from tests.acceptance.soak.writers import Writer
from tests.acceptance.twin_compare import Tally, compare_all
from tests.fixtures.twin import FOLDER, Twin, running_twin

_ALBUMS_A_MINUTE = 170
_SETTLING = 900.0  # seconds at the most, until what was sent is done
_OPEN = "SELECT count(*) AS n FROM ingest_items WHERE state <> 'done'"
_LACKING = "SELECT DISTINCT job_id FROM ingest_items WHERE result IS NOT NULL AND result <> 'complete'"
_STORED = "SELECT count(*) AS n, count(DISTINCT (artist, title)) AS d FROM albums"


async def soak(
    machine: Machine, findings: Findings, wanted: list[tuple[str, str]], *, minutes: float, readers: int, seed: int
) -> tuple[list[str], list[tuple[str, str]]]:
    """All at once, until the time is over; the levels, and the albums that were asked for."""
    over, levels = asyncio.Event(), Levels(machine, findings)
    async with aiohttp.ClientSession() as session:
        asker = Asker(session, machine, findings)
        await _up(asker)
        writer = Writer(asker, wanted, seed=seed)
        async with asyncio.TaskGroup() as tasks:
            for number in range(readers):
                tasks.create_task(Reader(asker, machine.twin, seed=seed * 100 + number).go_on(over))
            for work in (writer.lists, writer.histories, writer.datasets, levels.go_on):
                tasks.create_task(work(over))
            tasks.create_task(Faults(machine, findings, seed=seed).go_on(over))
            await asyncio.sleep(60 * minutes)
            over.set()
        await _settled(asker, machine, findings)
    return levels.judged(), writer.sent


async def _up(asker: Asker) -> None:
    async with asyncio.timeout(120):
        while await asker.ask("GET", "/live", what="live") is None:
            await asyncio.sleep(0.5)


async def _settled(asker: Asker, machine: Machine, findings: Findings) -> None:
    """Until nothing is open; what a challenge or fault kept from being complete is asked for once more."""
    for again in (True, False):
        end = time.monotonic() + _SETTLING
        while not (rows := await ask(machine.dsn, _OPEN)) or rows[0]["n"]:
            if time.monotonic() > end:
                findings.is_wrong(f"{rows[0]['n'] if rows else 'unknown'} albums were not done in {_SETTLING:.0f} s")
                return
            await asyncio.sleep(2)
        if again:
            for row in await ask(machine.dsn, _LACKING):
                # 409: nothing of what a retry takes.
                await asker.ask("POST", f"/ml/jobs/{row['job_id']}/retry", what="retry", expected=(409, 422))


async def _judged(machine: Machine, findings: Findings, twin: Twin, wanted: list[dict[str, str]]) -> Tally:
    """Everything that is stored against the truth."""
    tally = Tally()
    await asyncio.to_thread(compare_all, machine.base, twin, wanted, tally, made_up=True)
    rows = await ask(machine.dsn, _STORED)
    stored, asked = rows[0]["n"], len(wanted)
    if rows[0]["d"] != stored:
        findings.is_wrong(f"{stored - rows[0]['d']} albums are there twice")
    if stored != asked:
        findings.is_wrong(f"{stored} albums are stored, {asked} were asked for")
    findings.written["albums asked for"], findings.written["albums stored"] = asked, stored
    if not tally.flawless:
        findings.is_wrong("values differ from the services'")
    return tally


def main() -> int:
    """Run from a terminal."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30.0)
    parser.add_argument("--readers", type=int, default=6)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not FOLDER.is_dir():
        print("the provider twin is not beside the project", file=sys.stderr)
        return 2
    findings = Findings()
    made_up = int(options.minutes * _ALBUMS_A_MINUTE)
    with (
        tempfile.TemporaryDirectory(prefix="tensoe-soak-", ignore_cleanup_errors=True) as folder,
        running_twin("--extended", "--no-limits", "--scale", str(made_up)) as twin,
    ):
        Path(folder).chmod(0o755)
        # Made-up names may stand twice among them: a list takes each pair once.
        listed = {(w["album"], w["artist"]): w for w in twin.get(f"albums?n={650 + made_up}&seed=1")}
        machine = Machine(twin, Path(folder) / "home")
        try:
            levels, sent = asyncio.run(
                soak(
                    machine,
                    findings,
                    list(listed),
                    minutes=options.minutes,
                    readers=options.readers,
                    seed=options.seed,
                )
            )
            tally = asyncio.run(_judged(machine, findings, twin, [listed[pair] for pair in sent]))
        finally:
            machine.close()
        log = (Path(folder) / "server.log").read_text(errors="replace")
    print(f"{options.minutes:g} minutes, seed {options.seed}", *findings.lines(), *levels, *tally.lines(), sep="\n")
    if "Traceback" in log:
        print("the server's log:", log[-6000:], sep="\n")
    print(json.dumps({"flawless": not findings.wrong and "Traceback" not in log}))
    return 0 if not findings.wrong and "Traceback" not in log else 1


if __name__ == "__main__":
    sys.exit(main())
