"""pgqueuer's ways to the database: on one connection, or on the pool that everything shares."""

from __future__ import annotations

import asyncio
import contextlib

from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import NotifyCallback

from backend.repositories.database import Connection, Database


class InTransaction:
    """pgqueuer's driver on one connection, for what is put with other changes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows of a statement."""
        return [dict(row) for row in await self._connection.fetch(query, *args)]


class Pooled:
    """pgqueuer's driver on the pool that everything shares; one connection of it listens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shutdown = asyncio.Event()
        self._listening = contextlib.AsyncExitStack()
        self._hears = asyncio.Event()

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows of a statement."""
        async with self._database.connection() as connection:
            return [dict(row) for row in await connection.fetch(query, *args)]

    async def execute(self, query: str, *args: object) -> str:
        """What a statement did."""
        async with self._database.connection() as connection:
            return str(await connection.execute(query, *args))

    async def notify(self, channel: str, payload: str) -> None:
        """Say something to all who listen."""
        # The manager's first look whether it is heard comes before it listens.
        await self._hears.wait()
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Hear what is said, on a connection of its own.

        It is given back when the manager leaves.
        """

        def hear(_connection: object, _pid: int, _channel: str, payload: str) -> None:
            callback(payload)

        listener = await self._listening.enter_async_context(self._database.connection())
        await listener.add_listener(channel, hear)

        async def leave() -> None:
            if not listener.is_closed():
                await listener.remove_listener(channel, hear)

        self._listening.push_async_callback(leave)
        self._hears.set()

    @property
    def shutdown(self) -> asyncio.Event:
        """Set when the manager is to end."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """A manager of tasks."""
        return TaskManager()

    async def __aenter__(self) -> Pooled:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._listening.aclose()
