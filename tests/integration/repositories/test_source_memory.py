"""What sources remember, in the database and in the process: the same for both."""

from __future__ import annotations

import asyncio

import pytest

from backend.ingestion.memory import Memory, ProcessMemory
from backend.repositories.database import Database
from backend.repositories.source_memory import SourceMemory


@pytest.fixture(params=["process", "database"])
def memory(request: pytest.FixtureRequest, database: Database) -> Memory:
    return ProcessMemory() if request.param == "process" else SourceMemory(database, "shop")


async def test_what_is_remembered_is_recalled_until_it_runs_out(memory: Memory) -> None:
    await memory.remember({"a": {"n": [1, "ü", None]}, "b": True}, seconds=60)
    await memory.remember({"c": 1}, seconds=0.02)
    await asyncio.sleep(0.05)
    assert await memory.recall(["a", "b", "c", "d"]) == {"a": {"n": [1, "ü", None]}, "b": True}
    await memory.remember({"b": False}, seconds=60)
    assert await memory.recall(["b"]) == {"b": False}
    assert await memory.recall([]) == {}


async def test_sources_do_not_share_it_and_others_do_over_restarts(database: Database) -> None:
    await SourceMemory(database, "shop").remember({"a": 1}, seconds=60)
    assert await SourceMemory(database, "library").recall(["a"]) == {}
    assert await SourceMemory(database, "shop").recall(["a"]) == {"a": 1}


async def test_many_at_once(database: Database) -> None:
    memory = SourceMemory(database, "shop")
    keys = [f"k{n}" for n in range(50)]
    await asyncio.gather(
        *(memory.remember(dict.fromkeys(reversed(keys) if n % 2 else keys, n), seconds=60) for n in range(8))
    )
    assert len(await memory.recall(keys)) == 50


async def test_what_has_run_out_is_removed(database: Database) -> None:
    memory = SourceMemory(database, "shop")
    await memory.remember({"old": 1}, seconds=-1)
    await memory.remember({"new": 1}, seconds=60)
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT array_agg(key) FROM source_memory") == ["new"]
