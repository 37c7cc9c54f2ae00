"""The tables come from the migrations, and the migrations from the tables."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr

from backend.config.settings import DatabaseSettings
from backend.repositories.database import Database
from backend.utils.errors import ConfigurationError
from tests.fixtures.postgres import with_database

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
async def empty_dsn(postgres_dsn: str, worker_id: str) -> str:
    """A database without any table."""
    name = f"empty_{worker_id}"
    admin = await asyncpg.connect(with_database(postgres_dsn, "postgres"))
    await admin.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
    await admin.execute(f"CREATE DATABASE {name}")
    await admin.close()
    return with_database(postgres_dsn, name)


async def opened(dsn: str) -> Database:
    return await Database.open(DatabaseSettings(database_url=SecretStr(dsn)), home=Path("/nowhere"))


def alembic(*words: str, dsn: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "alembic", *words], cwd=ROOT, env={**os.environ, "DATABASE_URL": dsn},
        capture_output=True, text=True, check=False,
    )  # fmt: skip


async def test_several_processes_may_migrate_at_once(empty_dsn: str) -> None:
    databases = [await opened(empty_dsn) for _ in range(4)]
    await asyncio.gather(*(d.migrate() for d in databases))
    async with databases[0].connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM alembic_version") == 1
        assert await connection.fetchval("SELECT count(*) FROM enhanced_tracks") == 0
    for database in databases:
        await database.close()


def test_the_promised_commands_work_and_the_models_hold_nothing_the_migrations_lack(empty_dsn: str) -> None:
    done = alembic("upgrade", "head", dsn=empty_dsn)
    assert done.returncode == 0, done.stderr
    checked = alembic("check", dsn=empty_dsn)
    assert "No new upgrade operations detected" in checked.stdout, checked.stdout + checked.stderr
    back = alembic("downgrade", "base", dsn=empty_dsn)
    assert back.returncode == 0, back.stderr


async def test_the_promised_table_has_its_columns_and_types(database: Database) -> None:
    promised = {
        "id": "text", "title": "text", "artist": "text", "album": "text", "genres": "ARRAY", "moods": "ARRAY",
        "audio_features": "jsonb", "popularity": "integer", "duration_ms": "integer", "track_number": "integer",
        "release_date": "date", "aoty_score": "real", "explicit": "boolean",
        "created_at": "timestamp without time zone", "updated_at": "timestamp without time zone",
    }  # fmt: skip
    async with database.connection() as connection:
        columns = await connection.fetch(
            "SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_name = 'enhanced_tracks'"
        )
        indexes = await connection.fetch(
            "SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'enhanced_tracks'"
        )
    found = {c["column_name"]: c["data_type"] for c in columns}
    assert {k: found.get(k) for k in promised} == promised
    assert {c["column_name"] for c in columns if c["is_nullable"] == "NO"} >= {"id", "title", "artist"}
    gin = {i["indexname"] for i in indexes if "USING gin" in i["indexdef"]}
    assert {"idx_tracks_genres", "idx_tracks_moods"} <= gin


async def test_a_database_of_a_newer_version_is_left_alone(empty_dsn: str) -> None:
    database = await opened(empty_dsn)
    await database.migrate()
    async with database.connection() as connection:
        await connection.execute("UPDATE alembic_version SET version_num = 'of_tomorrow'")
    with pytest.raises(ConfigurationError, match="newer Tensoe"):
        await database.migrate()
    await database.close()
