"""The server as a process: `python -m backend.startup` and `uvicorn backend.main:app`."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from backend.repositories.database import Database
from tests.fixtures.twin import free_port

ROOT = Path(__file__).resolve().parents[2]
STARTUP = [sys.executable, "-m", "backend.startup"]


def _environment(home: Path, port: int, **variables: str) -> dict[str, str]:
    names = {"PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH"}
    # Also that sources without a key are switched off: nobody is asked for real.
    kept = {k: v for k, v in os.environ.items() if k in names or k.endswith("_ENABLED")}
    usual = {"TENSOE_HOME": str(home), "API_HOST": "127.0.0.1", "API_PORT": str(port), "PYTHONPATH": str(ROOT)}
    return kept | usual | variables


@contextlib.contextmanager
def process(command: list[str], home: Path, port: int, **variables: str) -> Iterator[subprocess.Popen[str]]:
    """A server; when the test ends it is stopped and must end by itself."""
    running = subprocess.Popen(
        command,
        cwd=home,  # where no .env lies
        env=_environment(home, port, **variables),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield running
    finally:
        if running.poll() is None:
            running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)


def answer_of(port: int, running: subprocess.Popen[str], *, path: str = "/", seconds: float = 60) -> httpx.Response:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if running.poll() is not None:
            pytest.fail(f"the server ended: {running.communicate()}")
        with contextlib.suppress(httpx.TransportError):
            return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10)
        time.sleep(0.05)
    pytest.fail("the server did not answer")


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_startup_serves_says_where_and_stops_cleanly(database: Database, tmp_path: Path, stop: signal.Signals) -> None:
    port = free_port()
    with process(STARTUP, tmp_path, port, DATABASE_URL=database.dsn, TENSOE_DEMO="off") as running:
        answer = answer_of(port, running)
        assert answer.json()["status"] == "ok"
        running.send_signal(stop)
        out, err = running.communicate(timeout=30)
    assert running.returncode == 0, err
    assert f"http://127.0.0.1:{port}/docs" in out
    assert "Traceback" not in err


def test_the_demo_is_loaded_into_an_empty_database(database: Database, tmp_path: Path) -> None:
    port = free_port()
    with process(STARTUP, tmp_path, port, DATABASE_URL=database.dsn) as running:
        until = time.monotonic() + 90
        data = answer_of(port, running).json()["data"]
        while data["albums"] < 60 and time.monotonic() < until:
            time.sleep(0.2)
            data = answer_of(port, running).json()["data"]
        assert data["albums"] >= 60


def test_uvicorn_takes_the_app_by_name(database: Database, tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "uvicorn", "backend.main:app", "--port", str(port), "--host", "127.0.0.1"]
    with process(command, tmp_path, port, DATABASE_URL=database.dsn, TENSOE_DEMO="off") as running:
        assert answer_of(port, running).json()["status"] == "ok"
        running.send_signal(signal.SIGTERM)
        running.communicate(timeout=30)


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"ENVIRONMENT": "production"}, "API_KEYS"),
        ({"API_PORT": "many"}, "API_PORT"),
        ({"RATE_LIMIT": "often"}, "RATE_LIMIT"),
        (
            {"DATABASE_URL": "postgresql://u:planted-password@127.0.0.1:1/x", "DB_START_TIMEOUT": "1"},
            "cannot be reached",
        ),
        ({"REDIS_URL": "ftp://:planted-password@h"}, "REDIS_URL"),
    ],
)
def test_what_keeps_it_from_starting_is_one_sentence(
    database: Database, tmp_path: Path, variables: dict[str, str], named: str
) -> None:
    with process(STARTUP, tmp_path, free_port(), **{"DATABASE_URL": database.dsn, **variables}) as running:
        out, err = running.communicate(timeout=60)
    assert running.returncode == 1
    assert named in err
    assert "Traceback" not in err
    assert "planted-password" not in out + err


def test_a_taken_port_is_named(database: Database, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with process(STARTUP, tmp_path, port, DATABASE_URL=database.dsn) as running:
            _, err = running.communicate(timeout=60)
    assert running.returncode == 1
    assert "API_PORT" in err
    assert "Traceback" not in err


def test_importing_the_app_is_light() -> None:
    heavy = "{'pandas', 'sklearn', 'polars', 'pyarrow', 'scipy', 'jinja2', 'alembic'}"
    code = f"import sys, backend.main; print(sorted({heavy} & set(sys.modules)))"
    shown = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=_environment(ROOT, 0), capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"
