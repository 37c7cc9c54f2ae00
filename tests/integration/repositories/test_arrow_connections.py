"""Connections for Arrow are kept for the next reader, and only those that are whole."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from backend.config.settings import DatabaseSettings
from backend.repositories.arrow_connections import ArrowConnections
from backend.repositories.database import Database
from backend.utils.errors import DatabaseUnreachableError
from tests.fixtures.forwarding import line_to_postgres


@pytest.fixture
async def connections(database: Database) -> AsyncIterator[ArrowConnections]:
    """Those of the test's database."""
    found = ArrowConnections(database.dsn)
    yield found
    found.close()


def backend_of(connection: Any) -> int:
    """The number of the server's process behind it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        return int(cursor.fetchone()[0])


async def state_of(database: Database, pid: int) -> str | None:
    """What that process does; None when it has ended."""
    async with database.connection() as connection:
        found: str | None = await connection.fetchval("SELECT state FROM pg_stat_activity WHERE pid = $1", pid)
        return found


async def test_the_next_reader_gets_the_same_and_no_transaction_is_left_open(
    connections: ArrowConnections, database: Database
) -> None:
    with connections.one() as one:
        first = backend_of(one)
        with one.cursor() as cursor:
            cursor.execute("CREATE TEMPORARY TABLE left_behind (n int)")
        assert await state_of(database, first) == "idle in transaction"
    assert await state_of(database, first) == "idle"
    with connections.one() as one:
        assert backend_of(one) == first
        with one.cursor() as cursor:
            cursor.execute("SELECT to_regclass('left_behind') IS NULL")
            assert cursor.fetchone()[0]
        assert await state_of(database, first) == "idle in transaction"


async def test_one_whose_server_is_gone_is_replaced(connections: ArrowConnections, database: Database) -> None:
    with connections.one() as one:
        first = backend_of(one)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT pg_terminate_backend($1, 10000)", first)
    with connections.one() as one:
        assert backend_of(one) != first


async def test_one_that_failed_in_use_is_not_handed_out_again(
    connections: ArrowConnections, database: Database
) -> None:
    pids = []

    def fail() -> None:
        with connections.one() as one:
            pids.append(backend_of(one))
            with one.cursor() as cursor:
                cursor.execute("SELECT generate_series(1, 1000000)")
                cursor.fetch_record_batch()
                raise RuntimeError("half read")

    with pytest.raises(RuntimeError, match="half read"):
        fail()
    with connections.one() as one:
        assert backend_of(one) not in pids


async def test_few_are_kept_and_none_after_closing(connections: ArrowConnections, database: Database) -> None:
    with contextlib.ExitStack() as stack:
        pids = [backend_of(stack.enter_context(connections.one())) for _ in range(4)]
        assert len(set(pids)) == 4
    async with asyncio.timeout(30):  # PostgreSQL takes a moment to let a connection go
        while sorted([await state_of(database, pid) or "" for pid in pids]) != ["", "", "idle", "idle"]:
            await asyncio.sleep(0.05)
    with connections.one() as one:
        last = backend_of(one)
        connections.close()
        assert await state_of(database, last) == "idle in transaction"
    async with asyncio.timeout(30):  # PostgreSQL takes a moment to let a connection go
        while any([await state_of(database, pid) for pid in pids]):
            await asyncio.sleep(0.05)


async def test_a_server_that_goes_while_batches_are_read_is_lost(database: Database) -> None:
    async with line_to_postgres(database.dsn) as (address, line):
        other = await Database.open(DatabaseSettings(database_url=SecretStr(address)), home=Path())
        begun = threading.Event()

        def read() -> None:
            with other.columnar() as connection, connection.cursor() as cursor:
                cursor.execute("SELECT n, repeat('x', 100) AS text FROM generate_series(1, 10000000) AS n")
                for _ in cursor.fetch_record_batch():
                    begun.set()

        reading = asyncio.create_task(asyncio.to_thread(read))
        assert await asyncio.to_thread(begun.wait, 30)
        line.cut()
        with pytest.raises(DatabaseUnreachableError):
            await reading
        await other.close()
