"""A backup restored into an empty home is the same, table by table and file by file; a damaged one changes nothing."""

from __future__ import annotations

import asyncio
import os
import stat
import tarfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from pydantic import SecretStr

from backend.config.settings import DatabaseSettings
from backend.models.access import Access
from backend.repositories.api_keys import ApiKeys
from backend.repositories.database import Database
from backend.repositories.dumping import Dumps
from backend.services.access_service import AccessService
from backend.services.backup_service import BackupService
from backend.utils.errors import ConflictError, DatabaseError, InvalidInputError
from tests.integration.catalogue import fill

EVERY_TABLE = "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1"


async def contents(database: Database) -> dict[str, str]:
    """Of every table its rows, as one digest."""
    digest = "count(*) || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"
    async with database.connection() as connection:
        tables = [row[0] for row in await connection.fetch(EVERY_TABLE)]
        return {table: await connection.fetchval(f"SELECT {digest} FROM {table} t") for table in tables}


@pytest.fixture
async def empty(database: Database, worker_id: str) -> AsyncIterator[Database]:
    """Another database of the same server, as migrations make it."""
    parts, name = urlsplit(database.dsn), f"restored_{worker_id}"
    connection = await asyncpg.connect(database.dsn)
    await connection.execute(f"DROP DATABASE IF EXISTS {name}")
    await connection.execute(f"CREATE DATABASE {name}")
    other = await Database.open(
        DatabaseSettings(database_url=SecretStr(urlunsplit(parts._replace(path=f"/{name}")))), home=Path()
    )
    try:
        await other.migrate()
        yield other
    finally:
        await other.close()
        await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
        await connection.close()


def service(database: Database, home: Path) -> BackupService:
    async def changed() -> None:
        (home / "told").touch()

    return BackupService(Dumps(database), home, changed=changed)


async def filled(database: Database, home: Path) -> None:
    await fill(database, albums=30)
    await AccessService(ApiKeys(database)).make("nightly", scopes=[Access.INGEST])
    built = home / "datasets" / ("a" * 64)
    (built / "parts").mkdir(parents=True)
    (built / "manifest.json").write_text("{}")
    (built / "parts" / "train.parquet").write_bytes(os.urandom(10_000))
    (home / "datasets" / ".abandoned").mkdir()


async def test_what_comes_back_is_what_was_there(database: Database, empty: Database, tmp_path: Path) -> None:
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "backup.tar"
    await filled(database, here)
    before = await contents(database)
    made = await service(database, here).make(file)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert made.datasets == ["a" * 64]
    assert made.counts["albums"] == 30
    assert sorted(p.name for p in tmp_path.iterdir()) == ["backup.tar", "here"], "nothing unfinished is left"

    assert await contents(empty) != before
    restored = await service(empty, there).restore(file)
    assert restored == made
    assert await contents(empty) == before
    for path in (here / "datasets" / ("a" * 64)).rglob("*.*"):
        assert (there / path.relative_to(here)).read_bytes() == path.read_bytes()
    assert sorted(p.name for p in there.iterdir()) == ["datasets", "told"]
    # Sequences go on behind what was restored.
    async with empty.transaction() as connection:
        await connection.execute(
            "INSERT INTO deeds (at, name, address, method, path, status, request) VALUES (now(), '', '', '', '', 1, '')"
        )
    await fill(empty, albums=5, seed=9)


async def test_a_backup_never_takes_the_place_of_what_is_there(
    database: Database, empty: Database, tmp_path: Path
) -> None:
    await filled(database, tmp_path / "here")
    file = tmp_path / "backup.tar"
    file.write_text("mine")
    with pytest.raises(InvalidInputError, match="is there already"):
        await service(database, tmp_path / "here").make(file)
    assert file.read_text() == "mine"
    with pytest.raises(InvalidInputError, match="cannot be written"):
        await service(database, tmp_path / "here").make(tmp_path / "nowhere" / "b.tar")
    await service(database, tmp_path / "here").make(tmp_path / "b.tar", datasets=False)
    before = await contents(database)
    with pytest.raises(ConflictError, match="30 albums"):
        await service(database, tmp_path / "here").restore(tmp_path / "b.tar")
    assert await contents(database) == before


@pytest.mark.parametrize("harm", ["cut short", "a bit turned", "another file", "a newer one", "out of its folder"])
async def test_a_damaged_backup_changes_nothing(database: Database, empty: Database, tmp_path: Path, harm: str) -> None:
    here, there, file = tmp_path / "here", tmp_path / "there", tmp_path / "b.tar"
    await filled(database, here)
    await service(database, here).make(file)
    whole, said = file.read_bytes(), "damaged|not whole"
    if harm == "cut short":
        file.write_bytes(whole[: len(whole) // 2])
    elif harm == "a bit turned":
        at = whole.index(b"PGDMP") + 5_000
        file.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    elif harm == "another file":
        file.write_text("hello\n" * 1000)
        said = "no backup"
    elif harm == "a newer one":
        newest = (await Dumps(database).revision()).encode()
        file.write_bytes(whole.replace(b'"revision":"' + newest, b'"revision":"9999', 1))
        said = "newer than this one"
    else:
        outside = tmp_path / "evil"
        outside.write_text("x")
        with tarfile.open(file, "a") as tar:
            tar.add(outside, "../evil-outside")
    before = await contents(empty)
    if harm == "out of its folder":
        with pytest.raises(InvalidInputError):
            await service(empty, there).restore(file)
        assert not (tmp_path / "evil-outside").exists()
    else:
        with pytest.raises(InvalidInputError, match=said):
            await service(empty, there).restore(file)
    assert await contents(empty) == before
    assert not list(there.iterdir())


async def test_a_database_that_refuses_keeps_what_it_has(database: Database, empty: Database, tmp_path: Path) -> None:
    await filled(database, tmp_path / "here")
    file = tmp_path / "b.tar"
    await service(database, tmp_path / "here").make(file)
    async with empty.connection() as connection:
        # Somebody built on our tables: dropping them would take his work along.
        await connection.execute("CREATE VIEW mine AS SELECT id FROM albums")
    before = await contents(empty)
    with pytest.raises(DatabaseError, match="pg_restore ended with"):
        await service(empty, tmp_path / "there").restore(file)
    assert await contents(empty) == before
    assert not (tmp_path / "there" / "datasets").exists()


async def test_who_writes_meanwhile_goes_on(database: Database, empty: Database, tmp_path: Path) -> None:
    await filled(database, tmp_path / "here")
    making = asyncio.create_task(service(database, tmp_path / "here").make(tmp_path / "b.tar"))
    async with asyncio.timeout(60):
        await fill(database, albums=20, seed=5)
    await making
    await service(empty, tmp_path / "there").restore(tmp_path / "b.tar")
    async with empty.connection() as connection:
        albums = await connection.fetchval("SELECT count(*) FROM albums")
        orphans = await connection.fetchval(
            "SELECT count(*) FROM enhanced_tracks t WHERE NOT EXISTS (SELECT FROM albums a WHERE a.id = t.album_id)"
        )
    assert 30 <= albums <= 50
    assert orphans == 0
