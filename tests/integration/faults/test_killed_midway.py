"""A process is killed (-9) in the middle of what it makes; whoever runs next completes it, and nothing half-made is ever seen."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from backend.config.settings import DatabaseSettings
from backend.repositories.database import Database
from backend.services.dataset_folders import DataSetFolders
from tests.fixtures.api import ALBUMS, opened
from tests.fixtures.postgres import with_database

# Ends itself before the n-th of the statements that the migrations send.
MIGRATE = """
import asyncio, os, signal, sys
from pathlib import Path
from pydantic import SecretStr
from sqlalchemy import Engine, event
from backend.config.settings import DatabaseSettings
from backend.repositories.database import Database

left = int(sys.argv[1])

@event.listens_for(Engine, "before_cursor_execute")
def count(*_):
    global left
    left -= 1
    if not left:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    database = await Database.open(DatabaseSettings(database_url=SecretStr(os.environ["DATABASE_URL"])), home=Path())
    await database.migrate()
    await database.close()

asyncio.run(main())
"""

SHAPE = """
SELECT table_name, column_name, data_type, is_nullable, column_default FROM information_schema.columns
    WHERE table_schema = 'public'
UNION ALL SELECT tablename, indexname, indexdef, '', '' FROM pg_indexes WHERE schemaname = 'public'
UNION ALL SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid), '', '' FROM pg_constraint
    WHERE connamespace = 'public'::regnamespace
UNION ALL SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid), '', '' FROM pg_trigger WHERE NOT tgisinternal
UNION ALL SELECT 'function', proname, prosrc, '', '' FROM pg_proc WHERE pronamespace = 'public'::regnamespace
ORDER BY 1, 2, 3
"""


@pytest.fixture
async def empty_dsn(postgres_dsn: str, worker_id: str) -> AsyncIterator[str]:
    """A database without any table."""
    name = f"killed_{worker_id}"
    admin = await asyncpg.connect(with_database(postgres_dsn, "postgres"))
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {name}")
    yield with_database(postgres_dsn, name)
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.close()


async def shape(dsn: str) -> list[tuple[object, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [tuple(row) for row in await connection.fetch(SHAPE)]
    finally:
        await connection.close()


async def test_migrations_that_are_killed_are_taken_up_again(empty_dsn: str, postgres_dsn: str) -> None:
    for statement in (3, 40, 90, 25, 12):
        run = await asyncio.create_subprocess_exec(
            sys.executable, "-c", MIGRATE, str(statement), env={**os.environ, "DATABASE_URL": empty_dsn}
        )
        assert await run.wait() == -signal.SIGKILL, "it was through before it could be killed"
    database = await Database.open(DatabaseSettings(database_url=SecretStr(empty_dsn)), home=Path())
    try:
        async with asyncio.timeout(60):  # no lock of a dead process is in the way
            await database.migrate()
        assert await shape(empty_dsn) == await shape(postgres_dsn)
    finally:
        await database.close()


async def test_a_data_set_whose_build_is_killed_is_not_there_and_the_next_build_is(
    database: Database, tmp_path: Path
) -> None:
    usual = {"DATABASE_URL": database.dsn, "TENSOE_HOME": str(tmp_path), "TENSOE_DEMO": "on"}
    async with opened(worker=False, **usual, RATE_LIMIT="off") as (api, _):
        for album, artist in ALBUMS:
            answer = await api.post("/ml/ingest/album", json={"album_name": album, "artist_name": artist})
            assert answer.status_code == 200
    recipe = tmp_path / "songs.toml"
    recipe.write_text("target = 'tempo'\nnaive_gain = false\n")
    build = (sys.executable, "-m", "backend.cli", "dataset", "build", str(recipe))
    folders = DataSetFolders(tmp_path / "datasets")
    with subprocess.Popen(build, env={**os.environ, **usual}, stdout=subprocess.DEVNULL) as building:
        while sum(path.is_file() for path in (tmp_path / "datasets").rglob("*")) < 3 and building.poll() is None:
            time.sleep(0.001)
        building.kill()
    assert building.returncode == -signal.SIGKILL, "it was through before it could be killed"
    assert folders.all() == []
    subprocess.run(build, env={**os.environ, **usual}, stdout=subprocess.DEVNULL, check=True)
    (found,) = folders.all()
    assert found.name == "songs"
    assert folders.damaged(found) == []
