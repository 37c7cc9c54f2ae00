"""Opening a database that somebody else runs: over TCP, with a password, with too few rights, or not there at all."""

from __future__ import annotations

import asyncio
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from backend.config.settings import DatabaseSettings
from backend.repositories.database import Database, open_columnar
from backend.repositories.embedded.binaries import program_folder
from backend.repositories.embedded.layout import plan
from backend.utils.errors import BusyError, ConfigurationError, DatabaseRightsError, DatabaseUnreachableError
from tests.fixtures.twin import free_port

PASSWORD = "correct-horse"


@pytest.fixture(scope="module")
def plain_server() -> Iterator[str]:
    """A server that is not ours: TCP, password, its own superuser; the address without user and password."""
    folder = Path(tempfile.mkdtemp(prefix="tensoe-plain-"))
    programs = program_folder(plan(folder / "home"))
    account: dict[str, Any] = {}
    if os.geteuid() == 0:
        nobody = pwd.getpwnam("nobody")
        os.chown(folder, nobody.pw_uid, nobody.pw_gid)
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    (folder / "password").write_text(PASSWORD)
    (folder / "password").chmod(0o644)
    data, port = folder / "data", free_port()
    subprocess.run(
        [programs / "initdb", "-D", data, "-U", "owner", "--auth=scram-sha-256", f"--pwfile={folder}/password"],
        check=True, capture_output=True, cwd=folder, **account,
    )  # fmt: skip
    command = [str(w) for w in (programs / "postgres", "-D", data, "-p", port, "-h", "127.0.0.1", "-k", folder)]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL, **account) as process:
        try:
            asyncio.run(_prepare(port))
            yield f"127.0.0.1:{port}/postgres"
        finally:
            process.terminate()
    shutil.rmtree(folder, ignore_errors=True)


async def _prepare(port: int) -> None:
    for _ in range(500):
        try:
            connection = await asyncpg.connect(f"postgresql://owner:{PASSWORD}@127.0.0.1:{port}/postgres")
            break
        except (OSError, asyncpg.CannotConnectNowError):
            await asyncio.sleep(0.02)
    await connection.execute(f"CREATE ROLE reader LOGIN PASSWORD '{PASSWORD}'")
    await connection.close()


def settings(url: str, **more: Any) -> DatabaseSettings:
    return DatabaseSettings(database_url=SecretStr(url), **more)


async def opened(url: str, **more: Any) -> Database:
    return await Database.open(settings(url, **more), home=Path("/nowhere"))


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+asyncpg"])
async def test_any_server_will_do(plain_server: str, scheme: str) -> None:
    database = await opened(f"{scheme}://owner:{PASSWORD}@{plain_server}")
    await database.migrate()
    assert not database.embedded
    assert int((await database.version()).split(".")[0]) >= 14
    assert await database.ping() > 0
    await database.close()


async def test_a_transaction_pooler_gets_no_prepared_statements(plain_server: str) -> None:
    database = await opened(f"postgresql://owner:{PASSWORD}@{plain_server}?pgbouncer=true")
    async with database.connection() as connection:
        for _ in range(3):
            await connection.fetchval("SELECT $1::int", 1)
        assert await connection.fetchval("SELECT count(*) FROM pg_prepared_statements") == 0
    await database.close()


@pytest.mark.parametrize("more", ["application_name=mine", "channel_binding=prefer&connect_timeout=5&sslmode=prefer"])
async def test_parameters_that_hosts_give_are_no_stumbling_block(plain_server: str, more: str) -> None:
    database = await opened(f"postgresql://owner:{PASSWORD}@{plain_server}?{more}")
    async with database.connection() as connection:
        name = await connection.fetchval("SHOW application_name")
    assert (name == "mine") is ("mine" in more)
    with database.columnar() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchall() == [(1,)]
    await database.close()


async def test_a_wrong_password_is_said_without_repeating_it(plain_server: str) -> None:
    with pytest.raises(DatabaseUnreachableError, match="refuses us") as caught:
        await opened(f"postgresql://owner:wrong-secret@{plain_server}")
    assert "wrong-secret" not in str(caught.value)
    assert plain_server in str(caught.value)


async def test_a_database_that_does_not_exist(plain_server: str) -> None:
    with pytest.raises(DatabaseUnreachableError, match="no_such"):
        await opened(f"postgresql://owner:{PASSWORD}@{plain_server.replace('/postgres', '/no_such')}")


@pytest.mark.parametrize(
    "host", [f"127.0.0.1:{free_port()}", "no-such-host.invalid"], ids=["closed port", "no such host"]
)
async def test_nobody_answers(host: str) -> None:
    with pytest.raises(DatabaseUnreachableError, match=r"cannot be reached.*unset DATABASE_URL"):
        await opened(f"postgresql://owner:{PASSWORD}@{host}/postgres")


async def test_too_few_rights(plain_server: str) -> None:
    with pytest.raises(DatabaseRightsError, match="GRANT USAGE, CREATE ON SCHEMA public TO reader"):
        await opened(f"postgresql://reader:{PASSWORD}@{plain_server}")


@pytest.mark.parametrize("url", ["mysql://root:secret@localhost/x", "nonsense", "postgresql://u:secret@host:port/x"])
async def test_what_is_no_address_of_a_postgresql(url: str) -> None:
    with pytest.raises(ConfigurationError, match="DATABASE_URL") as caught:
        await opened(url)
    assert "secret" not in str(caught.value)


async def test_a_full_pool_says_when_to_come_again(plain_server: str) -> None:
    database = await opened(
        f"postgresql://owner:{PASSWORD}@{plain_server}", db_pool_size=1, db_max_overflow=0, db_pool_timeout=0.2
    )
    async with database.connection():
        with pytest.raises(BusyError) as caught:
            await database.ping()
    assert caught.value.retry_after > 0
    await database.close()


async def test_an_error_in_a_transaction_leaves_nothing_and_the_connection_usable(database: Database) -> None:
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the block is what is rolled back
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO artists (id, name, name_key) VALUES ('1', 'a', 'a')")
            raise ZeroDivisionError
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT count(*) FROM artists") == 0


async def test_a_cancelled_statement_does_not_spoil_the_pool(database: Database) -> None:
    async def sleep() -> None:
        async with database.transaction() as connection:
            await connection.execute("SELECT pg_sleep(30)")

    task = asyncio.create_task(sleep())
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    for _ in range(20):
        assert await database.ping() < 20


def test_arrow_without_a_server_of_ours(postgres_dsn: str) -> None:
    with open_columnar(settings(postgres_dsn), home=Path("/nowhere")) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 41 + 1 AS answer")
        assert cursor.fetch_arrow_table().to_pydict() == {"answer": [42]}


def test_arrow_where_nobody_answers() -> None:
    with (
        pytest.raises(DatabaseUnreachableError),
        open_columnar(settings(f"postgresql://u:secret@127.0.0.1:{free_port()}/x"), home=Path("/nowhere")),
    ):
        pass
