"""A worker's host is gone for a while: others take its steps over, and what it does when it is back changes nothing."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx

from backend.demo.catalogue import albums
from backend.repositories.database import Database
from tests.fixtures.api import opened


async def complete(api: httpx.AsyncClient, job: str) -> int:
    found = (await api.get(f"/ml/jobs/{job}")).json()
    assert found["counts"]["failed"] == 0, found
    return int(found["counts"]["complete"])


async def stored_now(database: Database) -> list[int]:
    """How much there is of everything."""
    tables = ("albums", "enhanced_tracks", "source_records", "ingest_items WHERE state = 'done'")
    async with database.connection() as connection:
        return [await connection.fetchval(f"SELECT count(*) FROM {table}") for table in tables]


async def test_a_stopped_worker_is_taken_over_and_does_no_harm_when_it_is_back(
    database: Database, tmp_path: Path
) -> None:
    name = database.dsn.split("?")[0].rsplit("/", 1)[1]
    async with database.connection() as connection:
        # What it has locked when it stops is let go, as docs/operations.md advises.
        await connection.execute(f"ALTER DATABASE {name} SET idle_in_transaction_session_timeout = '2s'")
    usual = {"DATABASE_URL": database.dsn, "TENSOE_HOME": str(tmp_path), "TENSOE_DEMO": "on"}
    usual["INGESTION_MAX_CONCURRENT"] = "2"
    gone = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "backend.cli", "worker", env={**os.environ, **usual},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    try:
        async with opened(worker=False, **usual, RATE_LIMIT="off") as (api, _):
            names = [[album.title, album.artist] for album in albums()]
            job = str((await api.post("/ml/ingest/batch", json={"albums": names})).json()["job_id"])
            async with asyncio.timeout(60):
                while await complete(api, job) < 3:
                    await asyncio.sleep(0.01)
            gone.send_signal(signal.SIGSTOP)
            before = await complete(api, job)
            assert before < len(names)
            async with opened(worker=True, **usual, RATE_LIMIT="off"), asyncio.timeout(90):
                while await complete(api, job) < len(names):
                    await asyncio.sleep(0.1)
                stored = await stored_now(database)
                gone.send_signal(signal.SIGCONT)
                await asyncio.sleep(3)  # it ends what it had begun
                assert await stored_now(database) == stored
            assert await complete(api, job) == len(names)
            assert (await api.get("/albums")).json()["total"] == len(names)
            gone.send_signal(signal.SIGTERM)
            said = (await gone.communicate())[0].decode()
            assert gone.returncode == 0, said
            assert "Traceback" not in said
    finally:
        if gone.returncode is None:
            gone.kill()
            await gone.wait()
        async with database.connection() as connection:
            await connection.execute(f"ALTER DATABASE {name} RESET idle_in_transaction_session_timeout")
