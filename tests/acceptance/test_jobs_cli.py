"""Jobs from the command line: as its own process, on a real database, with the demo as its source."""

from __future__ import annotations

import asyncio
import csv
import json
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg
import pytest

from backend.repositories.database import Database
from tests.acceptance.test_cli import ROOT, Cli


@pytest.fixture
def tensoe(database: Database, postgres_dsn: str, tmp_path: Path) -> Cli:
    return Cli(postgres_dsn, tmp_path / "home of data")


@pytest.fixture
def albums(tmp_path: Path) -> str:
    path = tmp_path / "albums.csv"
    path.write_text("Abbey Road,The Beatles\nKind of Blue,Miles Davis\nNothing At All,Nobody\n")
    return str(path)


def execute(dsn: str, *statements: str) -> None:
    async def work() -> None:
        connection = await asyncpg.connect(dsn)
        for statement in statements:
            await connection.execute(statement)
        await connection.close()

    asyncio.run(work())


def submitted(tensoe: Cli, albums: str, *words: str) -> str:
    tensoe("ingest", "--file", albums, "--no-wait", *words)
    return str(tensoe.json("jobs")[0]["id"])


def test_a_job_is_held_moved_ahead_taken_up_and_called_off(tensoe: Cli, albums: str) -> None:
    job_id = submitted(tensoe, albums, "--priority", "5")
    assert f"job {job_id}: paused, priority 5; 3 queued" in tensoe("pause", job_id)
    said = tensoe("resume", code=3)
    assert "0 queued" not in said
    assert f"rests; `tensoe resume {job_id}` goes on with it" in said
    assert "priority -7" in tensoe("priority", job_id, "-7")
    assert "-100 to 100" in tensoe("priority", job_id, "500", code=2)
    resumed = tensoe("resume", job_id)
    assert "3 albums: 2 complete, 1 not_found" in resumed
    assert "tensoe unmatched shows what was offered" in " ".join(resumed.split())
    assert "is finished" in tensoe("pause", job_id, code=1)
    other = submitted(tensoe, albums)
    assert tensoe.json("cancel", other)["counts"]["cancelled"] == 3
    assert "was cancelled" in tensoe("resume", other, code=1)
    assert "No job has the id" in tensoe("cancel", "nothing", code=1)
    assert tensoe("resume").strip() == "Nothing waits."


def test_what_did_not_end_well_is_taken_up_again(tensoe: Cli, albums: str) -> None:
    job_id = submitted(tensoe, albums)
    tensoe("resume")
    assert "Nothing to retry" in tensoe("retry", job_id, code=1)
    assert "choose among" in tensoe("retry", job_id, "--only", "soso", code=2)
    assert "either a job's id or" in tensoe("retry", code=2)
    made = json.loads(tensoe("retry", job_id, "--only", "not found", "--json"))
    assert made["total"] == 1
    tensoe("resume")
    assert "1 albums: 1 not_found" in tensoe("jobs", made["job_id"])
    kinds = {j["id"]: j["kind"] for j in tensoe.json("jobs")}
    assert kinds == {job_id: "ingest", made["job_id"]: "retry"}


def test_a_plan_before_and_after(tensoe: Cli, albums: str, tmp_path: Path) -> None:
    twice = tmp_path / "twice.csv"
    twice.write_text("Abbey Road,The Beatles\nabbey road,Beatles\nAbbey Road,The Beatles\nNothing At All,Nobody\n")
    assert "4 albums, 2 of them twice: 2 new, 0 stored and fresh, 0 stored and stale" in tensoe("plan", str(twice))
    submitted(tensoe, albums)
    tensoe("resume")
    found = tensoe.json("plan", str(twice))
    assert (found["new"], found["fresh"], found["duplicates"]) == (1, 1, 2)
    assert {s["source"]: s["calls"] for s in found["sources"] if s["unconfigured"] is None} == {
        "aoty": 0, "demo": 0, "synthetic": 0,
    }  # fmt: skip
    assert len(tensoe.json("jobs")) == 1
    # Where its search is allowed, AOTY takes a request and a half an album, three seconds apart.
    said = tensoe("plan", str(twice), AOTY_ALLOW_SEARCH="true")
    assert "All of it takes about 9 s (aoty is the slowest)" in said
    assert "cannot be read" in tensoe("plan", "no such file.csv", code=2)


def test_dead_letters(tensoe: Cli, albums: str, postgres_dsn: str) -> None:
    assert "No album failed" in tensoe("dead-letters")
    job_id = submitted(tensoe, albums)
    execute(
        postgres_dsn,
        "UPDATE ingest_items SET state = 'done', result = 'failed', detail = 'it broke', finished_at = now()",
        "INSERT INTO ingest_steps (job_id, position, source, state, outcome, detail, failures) "
        f"VALUES ('{job_id}', 1, 'demo', 'done', 'failed', 'answered 500', 4)",
    )
    said = tensoe("dead-letters", "--limit", "2")
    assert "it broke" in said
    more = said.split("--cursor ")[1].strip()
    rest = tensoe("dead-letters", "--cursor", more)
    assert "demo, tried 5 times: failed answered 500" in said + rest
    assert {line.split(" – ")[0] for line in (said + rest).splitlines() if "it broke" in line} == {
        "Abbey Road", "Kind of Blue", "Nothing At All",
    }  # fmt: skip
    assert "3 albums are taken up again" in tensoe("retry", "--dead-letters")
    assert "No album failed" in tensoe("dead-letters")


def test_the_report(tensoe: Cli, albums: str, tmp_path: Path) -> None:
    job_id = submitted(tensoe, albums)
    tensoe("resume")
    file = tmp_path / "report.csv"
    tensoe("report", job_id, "--csv", str(file))
    rows = list(csv.DictReader(file.read_text().splitlines()))
    assert [(r["album"], r["result"], r["demo"]) for r in rows] == [
        ("Abbey Road", "complete", "ok"), ("Kind of Blue", "complete", "ok"), ("Nothing At All", "not_found", "not_found"),
    ]  # fmt: skip
    found = tensoe.json("report", job_id)
    assert [a["album"] for a in found["albums"]] == [r["album"] for r in rows]
    assert "Nothing At All" in tensoe("report", job_id)
    assert "cannot be written" in tensoe("report", job_id, "--csv", str(tmp_path / "no" / "x.csv"), code=2)


def test_who_waits_for_a_throttled_source_is_told_so_and_not_held(tensoe: Cli, albums: str, postgres_dsn: str) -> None:
    job_id = submitted(tensoe, albums)
    until = datetime.now(UTC) + timedelta(hours=14)
    execute(
        postgres_dsn,
        "UPDATE ingest_items SET state = 'waiting', result = 'partial'",
        "INSERT INTO ingest_steps (job_id, position, source, state, outcome, detail, round, not_before) "
        f"SELECT job_id, position, 'demo', 'parked', 'throttled', 'come later', 1, '{until.isoformat()}' FROM ingest_items",
    )
    said = tensoe("resume", code=3)
    assert "3 of 3 albums wait until" in said
    assert "`tensoe worker`" in said
    assert "demo: 3 albums" in said
    assert tensoe.json("jobs")[0]["finished_at"] is None
    execute(postgres_dsn, "UPDATE ingest_steps SET not_before = now()")
    assert "3 albums: 2 complete, 1 not_found" in tensoe("resume")
    assert tensoe("ingest", "--help").count("3 what is left waits") == 1
    assert job_id


def test_a_worker_works_until_it_is_stopped(tensoe: Cli, albums: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "backend.cli", "worker"],
        cwd=ROOT,
        env=tensoe.environment,
        stdout=subprocess.PIPE,
        text=True,
    ) as worker:
        try:
            job_id = submitted(tensoe, albums)
            for _ in range(100):
                (job,) = tensoe.json("jobs")
                if job["finished_at"]:
                    break
                time.sleep(0.2)
            assert (job["id"], job["counts"]["complete"]) == (job_id, 2)
        finally:
            worker.send_signal(signal.SIGTERM)
        said, _ = worker.communicate(timeout=30)
    assert worker.returncode == 0
    first, last = said.splitlines()
    assert first.startswith(f"Worker {worker.pid} on ")
    assert last == "Stopping: what is in work is given back."
