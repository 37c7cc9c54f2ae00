from __future__ import annotations

import asyncio

from backend.repositories.database import Database

_OPEN = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"


async def test_connections_beyond_the_pool_are_closed_when_given_back(database: Database) -> None:
    async def hold() -> None:
        async with database.connection() as connection:
            await connection.fetchval("SELECT pg_sleep(0.05)")

    for _ in range(2):
        await asyncio.gather(*(hold() for _ in range(15)))
    # The server notices closed ones a moment later; it must not take a garbage collection.
    async with asyncio.timeout(10), database.connection() as connection:
        while await connection.fetchval(_OPEN) > 5:  # DB_POOL_SIZE
            await asyncio.sleep(0.02)
