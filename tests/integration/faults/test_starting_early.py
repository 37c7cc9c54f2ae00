"""Servers and workers that are started before the database is there."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import httpx
import pytest

from backend.repositories.database import Database
from tests.fixtures.forwarding import line_to_postgres
from tests.fixtures.twin import free_port

WORKER = ("-m", "backend.cli", "worker")
SERVER = ("-m", "backend.startup")


@pytest.mark.parametrize(("command", "ready"), [(WORKER, "takes steps of jobs"), (SERVER, "Tensoe is at")])
async def test_they_say_that_they_wait_and_go_on_when_it_is_there(
    database: Database, tmp_path: Path, command: tuple[str, ...], ready: str
) -> None:
    async with line_to_postgres(database.dsn) as (address, line):
        line.cut()
        settings = {
            "DATABASE_URL": address, "TENSOE_HOME": str(tmp_path), "TENSOE_DEMO": "off",
            "API_PORT": str(free_port()), "API_HOST": "127.0.0.1", "PYTHONUNBUFFERED": "1",
        }  # fmt: skip
        running = await asyncio.create_subprocess_exec(
            sys.executable, *command, env={**os.environ, **settings},
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        )  # fmt: skip
        try:
            assert running.stdout is not None
            await heard(running.stdout, "does not answer yet; waiting")
            await line.mend()
            await heard(running.stdout, ready)
            if command == SERVER:
                assert (await asked(settings["API_PORT"])).status_code == 200
            running.send_signal(signal.SIGTERM)
            said = (await running.stdout.read()).decode()
            assert await running.wait() == 0, said
        finally:
            if running.returncode is None:
                running.kill()
                await running.wait()


async def asked(port: str) -> httpx.Response:
    async with httpx.AsyncClient() as client:
        return await client.get(f"http://127.0.0.1:{port}/ready", timeout=60)


async def heard(stream: asyncio.StreamReader, words: str) -> None:
    """Read on until a line has the words."""
    said = ""
    async with asyncio.timeout(60):
        while words not in said:
            line = await stream.readline()
            assert line, f"it ended without {words!r}: {said}"
            said += line.decode()
            assert "Traceback" not in said
