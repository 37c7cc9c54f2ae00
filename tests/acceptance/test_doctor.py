"""`tensoe doctor` as its own process, and the same over HTTP."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend.repositories.database import Database
from tests.fakes.lastfm import KEY, FakeLastfm
from tests.fakes.server import in_a_thread
from tests.fixtures.api import Open
from tests.fixtures.twin import free_port

ROOT = Path(__file__).resolve().parents[2]


class Cli:
    """Runs the command in a folder of its own; Album of the Year, which needs no key, leads nowhere."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, *words: str, code: int = 0, **settings: str) -> str:
        usual = {"PYTHONPATH": str(ROOT), "TENSOE_HOME": str(self.folder / "home"), "AOTY_URL": NOWHERE}
        done = subprocess.run(
            [sys.executable, "-m", "backend.cli", "doctor", *words],
            cwd=self.folder,
            env={**os.environ, **usual, **settings},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        assert "planted" not in done.stdout + done.stderr
        return done.stdout

    def findings(self, *words: str, code: int = 0, **settings: str) -> dict[str, dict[str, Any]]:
        found = json.loads(self(*words, "--json", code=code, **settings))
        assert (found["grade"] == "problem") == bool(found["problems"]) == bool(code)
        return {f["check"]: f for f in found["findings"]}


NOWHERE = f"http://127.0.0.1:{free_port()}"


@pytest.fixture
def doctor(tmp_path: Path) -> Cli:
    return Cli(tmp_path)


def test_a_fresh_install_is_looked_at_and_nothing_is_made(doctor: Cli) -> None:
    said = doctor("--offline")
    assert "no data yet" in said
    assert "warning  key: lastfm" in said
    assert "https://www.last.fm/api/account/create" in said
    assert said.rstrip().endswith("warnings.")
    assert list(doctor.folder.iterdir()) == []


def test_what_is_wrong_is_said_and_the_exit_code_tells(doctor: Cli, database: Database) -> None:
    fake = FakeLastfm()
    with in_a_thread(fake) as base:
        settings = {
            "DATABASE_URL": database.dsn, "LASTFM_API_URL": f"{base}/2.0/", "REDIS_URL": "redis://:planted-pw@127.0.0.1:1/0",
            "SPOTIFY_CLIENT_ID": "planted-id", "SPOTIFY_CLIENT_SECRET": "planted-secret", "SPOTIFY_ACCOUNTS_URL": NOWHERE,
        }  # fmt: skip
        found = doctor.findings(code=1, LASTFM_API_KEY="planted-wrong-key", **settings)
        assert found["reach: lastfm"]["grade"] == "problem"
        assert found["reach: lastfm"]["said"].startswith("key: Last.fm refuses LASTFM_API_KEY (Invalid API key")
        assert found["reach: spotify"]["said"].startswith("unreachable")
        assert found["cache"]["grade"] == "warning"
        assert found["tables"]["grade"] == found["database"]["grade"] == "ok"
        found = doctor.findings(code=1, LASTFM_API_KEY=KEY, **settings)
        assert found["reach: lastfm"]["grade"] == "ok"
        assert len(fake.asked) == 2
        assert "reach: lastfm" not in doctor.findings("--offline", code=0, LASTFM_API_KEY=KEY, **settings)
        assert len(fake.asked) == 2


def test_settings_that_do_not_fit_are_the_one_thing_to_mend(doctor: Cli) -> None:
    found = doctor.findings("--offline", code=1, API_PORT="planted")
    assert found.keys() == {"settings file", "settings"}
    assert "API_PORT" in found["settings"]["said"]
    (doctor.folder / ".env").write_bytes(b"LASTFM_API_KEY=\xff\n")
    found = doctor.findings("--offline", code=1)
    assert found.keys() == {"settings file"}
    assert "UTF-8" in found["settings file"]["said"]


def test_a_database_that_is_away_keeps_nothing_else_from_being_looked_at(doctor: Cli) -> None:
    address = f"postgresql://me:planted-password@127.0.0.1:{free_port()}/tensoe"
    found = doctor.findings("--offline", code=1, DATABASE_URL=address)
    assert found["database"]["grade"] == "problem"
    assert "cannot be reached" in found["database"]["said"]
    assert {"disk", "folder", "API keys"} <= found.keys()


KEYS = {
    "API_KEYS": "planted-api-key-1",
    "SPOTIFY_CLIENT_SECRET": "planted-spotify-1",
    "LASTFM_API_KEY": "planted-lastfm",
}


async def test_over_http_it_needs_a_key_and_tells_none(open_api: Open) -> None:
    nowhere = {"AOTY_URL": NOWHERE, "LASTFM_API_URL": NOWHERE}
    async with open_api(**KEYS, **nowhere) as api:
        refused = await api.get("/system/doctor")
        assert refused.status_code == 401
        answer = await api.get("/system/doctor", headers={"x-api-key": "planted-api-key-1"})
        assert answer.status_code == 200
        assert "planted" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
        found = answer.json()
        assert found["grade"] == "problem"
        shown = {f["check"]: f for f in found["findings"]}
        assert shown["reach: lastfm"]["grade"] == "problem"
        assert shown["tables"]["grade"] == "ok"
        answer = await api.get("/system/doctor?offline=true", headers={"x-api-key": "planted-api-key-1"})
        assert not [f for f in answer.json()["findings"] if f["check"].startswith("reach")]


async def test_without_keys_everybody_may_ask(api: httpx.AsyncClient) -> None:
    assert (await api.get("/system/doctor?offline=true")).json()["grade"] in {"ok", "warning"}
