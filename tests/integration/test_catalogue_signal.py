"""A server hears that another process changed the catalogue, and empties its own cache."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from backend.cache import MemoryCache
from backend.config.settings import Settings
from backend.models.ingestion_models import AlbumQuery
from backend.repositories.catalogue_signal import CatalogueSignal
from backend.repositories.database import Database
from backend.startup import open_container
from tests.fixtures.api import environment


async def until(happened: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not happened():
            await asyncio.sleep(0.01)


async def test_others_are_heard_and_oneself_is_not(database: Database) -> None:
    one, other = CatalogueSignal(database), CatalogueSignal(database)
    heard: list[int] = []

    async def changed() -> None:
        heard.append(1)

    listening = asyncio.create_task(one.listen(changed))
    await until(lambda: len(heard) == 1)  # with the connection
    await one.announce()
    await other.announce()
    await until(lambda: len(heard) == 2)
    await other.announce()
    await until(lambda: len(heard) == 3)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)
    assert len(heard) == 3


async def test_a_lost_connection_is_made_again_and_counts_as_a_change(database: Database) -> None:
    heard: list[int] = []

    async def changed() -> None:
        heard.append(1)

    signal = CatalogueSignal(database, probe_seconds=0.05, again_seconds=0.05)
    listening = asyncio.create_task(signal.listen(changed))
    await until(lambda: len(heard) == 1)
    async with database.connection() as connection:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() "
            "AND datname = current_database() AND backend_type = 'client backend'"
        )
    await until(lambda: len(heard) == 2)
    listening.cancel()
    await asyncio.gather(listening, return_exceptions=True)


async def test_an_ingestion_elsewhere_is_seen_here_though_cached(database: Database, tmp_path: Path) -> None:
    with environment(DATABASE_URL=database.dsn, TENSOE_HOME=str(tmp_path), TENSOE_DEMO="on"):
        settings = Settings()
        # The stand-ins are in use, but the catalogue must not load by itself: the job would be the change.
        async with (
            open_container(settings, worker=False, server=True) as here,
            open_container(settings, worker=False) as there,
        ):
            assert isinstance(here.cache, MemoryCache)
            before = (await here.services.analytics.summary())["albums"]
            await there.ingestion.ingest(AlbumQuery(album="Abbey Road", artist="The Beatles"))
            async with asyncio.timeout(20):
                while (await here.services.analytics.summary())["albums"] == before:
                    await asyncio.sleep(0.01)
