"""From the command until `/` answers, in a warm home, against importing three libraries in a bare Python."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from bench.home import temporary_home, wait_for_rest
from bench.timing import Result, in_turns

_ROOT = Path(__file__).parents[1]
_PATIENCE = 120.0
_LIBRARIES = "fastapi, sqlalchemy, polars"


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def start_and_stop(home: Path, *, settle: float = 0.0) -> float:
    """Seconds from the command until `/` answered; the server is stopped again.

    Args:
        home: the TENSOE_HOME.
        settle: seconds to go on running after the answer.
    """
    port = _free_port()
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("DATABASE_", "REDIS_", "TENSOE_"))}
    environment = kept | {
        "TENSOE_HOME": str(home),
        "API_PORT": str(port),
        "API_HOST": "127.0.0.1",
        "LOG_LEVEL": "ERROR",
    }
    started = time.perf_counter()
    server = subprocess.Popen(
        [sys.executable, "-m", "backend.startup"], cwd=_ROOT, env=environment, stdout=subprocess.DEVNULL
    )
    try:
        _wait_for_answer(port, server)
        seconds = time.perf_counter() - started
        time.sleep(settle)
    finally:
        server.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            server.wait(30)
        if server.poll() is None:
            server.kill()
            server.wait()
    return seconds


def _wait_for_answer(port: int, server: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if server.poll() is not None:
            raise SystemExit(f"the server ended with {server.returncode} before it answered")
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=10) as reply:
                if reply.status == 200:
                    return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.01)
    raise SystemExit(f"the server did not answer within {_PATIENCE:g} seconds")


async def measure(*, rounds: int) -> list[Result]:
    """Interleave starts with imports; the home is made, filled and at rest before each."""
    with temporary_home() as home:
        start_and_stop(home, settle=20)  # makes the database and loads the demo
        taken: list[float] = []

        async def rested() -> None:
            await asyncio.to_thread(wait_for_rest, home)

        async def ours() -> None:
            taken.append(await asyncio.to_thread(start_and_stop, home))

        async def imports() -> None:
            await asyncio.to_thread(
                subprocess.run, [sys.executable, "-c", f"import {_LIBRARIES}"], check=True, cwd=_ROOT
            )

        _, other = await in_turns(ours, imports, rounds=rounds, before=rested)
    counted = sorted(taken[1:])
    middle = counted[len(counted) // 2]  # without the time to stop
    return [
        Result(
            what="start a warm home until / answers",
            against=f"import {_LIBRARIES}",
            ours=middle,
            other=other,
            wanted="≤ 4",
        )
    ]
