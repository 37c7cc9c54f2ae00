from __future__ import annotations

import asyncio
import gc
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from backend.config.settings import DatabaseSettings
from backend.repositories.database import Database
from backend.repositories.faults import told_once
from backend.utils.errors import DatabaseUnreachableError
from tests.fixtures.forwarding import forwarded


async def test_connections_are_used_again_and_never_more_than_allowed(database: Database) -> None:
    seen: set[int] = set()

    async def hold() -> None:
        async with database.connection() as connection:
            seen.add(await connection.fetchval("SELECT pg_backend_pid() FROM pg_sleep(0.02)"))

    for _ in range(3):
        await asyncio.gather(*(hold() for _ in range(20)))
    assert len(seen) <= 15  # DB_POOL_SIZE and DB_MAX_OVERFLOW


async def test_a_cancelled_user_leaves_no_transaction_behind(database: Database) -> None:
    async def write() -> None:
        async with database.transaction() as connection:
            await connection.execute("INSERT INTO artists (id, name, name_key) VALUES ('1', 'a', 'a')")
            await asyncio.sleep(30)

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.1)
    writing.cancel()
    await asyncio.wait({writing})
    for _ in range(5):
        async with database.connection() as connection:
            assert not connection.is_in_transaction()
            assert await connection.fetchval("SELECT count(*) FROM artists") == 0


async def test_lost_connections_are_replaced(database: Database) -> None:
    async with database.connection() as one, database.connection() as other:
        await one.execute("SELECT pg_terminate_backend($1)", await other.fetchval("SELECT pg_backend_pid()"))
    for _ in range(5):
        assert await database.ping() < 20


async def test_a_server_that_says_it_goes_before_it_does_is_lost_and_nothing_else(database: Database) -> None:
    # Wire form: PostgreSQL documentation, "Message Formats", ErrorResponse; as all processes get it when one is killed.
    said = b"SFATAL\0VFATAL\0C57P02\0Mterminating connection because of crash of another server process\0\0"
    fatal = b"E" + (len(said) + 4).to_bytes(4) + said
    loop, heard = asyncio.get_running_loop(), list[dict[str, Any]]()
    before = loop.get_exception_handler()
    loop.set_exception_handler(lambda _, context: heard.append(context))
    with told_once():
        await _lose_one_while_copying(database, fatal)
        gc.collect()  # what nobody asked for is said when it is forgotten
        futures = [context for context in heard if "future" in context]
        loop.call_exception_handler({"message": "anything else"})
    loop.set_exception_handler(before)
    assert futures == []
    assert heard[-1]["message"] == "anything else"


async def _lose_one_while_copying(database: Database, fatal: bytes) -> None:
    async with forwarded(database.dsn) as (address, clients):
        settings = DatabaseSettings(database_url=SecretStr(address))
        other = await Database.open(settings, home=Path())
        try:

            async def write() -> None:
                async with other.transaction() as connection:
                    copy, columns = connection.copy_records_to_table, ("id", "name", "name_key")
                    await copy("artists", records=[("1", "a", "a")], columns=columns)
                    clients[-1].write(fatal)
                    await asyncio.sleep(0.05)
                    await copy("artists", records=[("2", "b", "b")], columns=columns)

            with pytest.raises(DatabaseUnreachableError):
                await write()
            assert await other.ping() < 20, "the connection is not handed out again"
        finally:
            await other.close()
