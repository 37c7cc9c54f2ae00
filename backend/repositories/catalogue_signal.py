"""Word between processes that the catalogue changed, by PostgreSQL's LISTEN and NOTIFY: each empties its own cache."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from collections.abc import Awaitable, Callable
from typing import Final

import asyncpg
import structlog

from backend.repositories.database import Database
from backend.utils.errors import BusyError, DatabaseError

log = structlog.get_logger(__name__)

_CHANNEL: Final = "tensoe_catalogue"


class CatalogueSignal:
    """Tells and hears.

    Args:
        database: where both meet; `listen` keeps one pooled connection.
        probe_seconds: between looks whether that connection still lives.
        again_seconds: before a lost one is made again.
    """

    def __init__(self, database: Database, *, probe_seconds: float = 15.0, again_seconds: float = 5.0) -> None:
        self._database = database
        self._probe_seconds = probe_seconds
        self._again_seconds = again_seconds
        self._me = secrets.token_hex(8)

    async def announce(self) -> None:
        """Tell the other processes that the catalogue changed."""
        async with self._database.connection() as connection:
            await connection.execute("SELECT pg_notify($1, $2)", _CHANNEL, self._me)

    async def listen(self, changed: Callable[[], Awaitable[None]]) -> None:
        """Await `changed` whenever another process announces; until cancelled.

        What was said while the connection was lost is unknown, so `changed` is awaited after each new connection too.
        """
        while True:
            try:
                await self._listen(changed)
            except (DatabaseError, BusyError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
                log.warning("cannot hear of changes to the catalogue; trying again", fault=type(problem).__name__)
            await asyncio.sleep(self._again_seconds)

    async def _listen(self, changed: Callable[[], Awaitable[None]]) -> None:
        heard = asyncio.Event()

        def hear(_connection: object, _pid: int, _channel: str, who: str) -> None:
            if who != self._me:
                heard.set()

        async with self._database.connection() as connection:
            await connection.add_listener(_CHANNEL, hear)
            try:
                await changed()
                while True:
                    with contextlib.suppress(TimeoutError):
                        await asyncio.wait_for(heard.wait(), self._probe_seconds)
                    if heard.is_set():
                        heard.clear()
                        await changed()
                    else:
                        await connection.execute("SELECT 1")  # raises when the connection is lost
            finally:
                if not connection.is_closed():
                    await connection.remove_listener(_CHANNEL, hear)
