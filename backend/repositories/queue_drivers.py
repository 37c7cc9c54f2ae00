"""pgqueuer's ways to the database: on the connection of a transaction, or on one that it keeps."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Final

from pgqueuer.core.tm import TaskManager
from pgqueuer.ports.driver import NotifyCallback

from backend.repositories.database import Connection, Database

AT_WORK: Final = "tensoe worker"
"""The application_name of the connection that a worker keeps, for those who look how the work stands."""

_DUE: Final = '"table_changed_event"'
_PAUSE: Final = 0.05  # seconds between two times at which it is passed on that something is due


class InTransaction:
    """pgqueuer's driver on one connection, for what is put with other changes."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows of a statement."""
        return [dict(row) for row in await self._connection.fetch(query, *args)]


class Held:
    """pgqueuer's driver on one connection of the pool, held for as long as the manager runs: it looks, notes and listens.

    One, for each has to learn the queue's types and to plan its statements, which on a new one costs more than a hundred looks.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._shutdown = asyncio.Event()
        self._held = contextlib.AsyncExitStack()
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._left = False
        self._hears = asyncio.Event()
        self.heard = 0
        """How often it was said that something is due."""

    @contextlib.asynccontextmanager
    async def _mine(self) -> AsyncIterator[Connection]:
        async with self._turn:
            if self._left:  # what ended last is noted after the manager has left
                async with self._database.connection() as another:
                    yield another
                return
            # One that is lost stays: whoever runs the manager begins anew, and listens anew.
            connection: Connection = self._connection
            if connection is None:
                connection = self._connection = await self._held.enter_async_context(self._database.connection())
                # The look for what is due takes as long to plan as to be done, and its plan is always the same.
                await connection.execute(
                    f"SET plan_cache_mode = force_generic_plan; SET application_name = '{AT_WORK}'"
                )
            with self._database.watched(connection):
                yield connection

    async def fetch(self, query: str, *args: object) -> list[dict[str, object]]:
        """The rows of a statement."""
        async with self._mine() as connection:
            return [dict(row) for row in await connection.fetch(query, *args)]

    async def execute(self, query: str, *args: object) -> str:
        """What a statement did."""
        async with self._mine() as connection:
            return str(await connection.execute(query, *args))

    async def notify(self, channel: str, payload: str) -> None:
        """Say something to all who listen."""
        # The manager's first look whether it is heard comes before it listens.
        await self._hears.wait()
        await self.execute("SELECT pg_notify($1, $2)", channel, payload)

    async def add_listener(self, channel: str, callback: NotifyCallback) -> None:
        """Hear what is said: that something is due not oftener than a look is worth, all else at once."""

        def is_due(payload: str | bytes | bytearray) -> None:
            self.heard += 1
            callback(payload)

        due = _Spaced(is_due)

        def hear(_connection: object, _pid: int, _channel: str, payload: str) -> None:
            (due if _DUE in payload else callback)(payload)

        async with self._mine() as connection:
            await connection.add_listener(channel, hear)

        async def leave() -> None:
            due.stop()
            if not connection.is_closed():
                await connection.remove_listener(channel, hear)
                await connection.execute("RESET plan_cache_mode; RESET application_name")

        self._held.push_async_callback(leave)
        self._hears.set()

    @property
    def shutdown(self) -> asyncio.Event:
        """Set when the manager is to end."""
        return self._shutdown

    @property
    def tm(self) -> TaskManager:
        """A manager of tasks."""
        return TaskManager()

    async def __aenter__(self) -> Held:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Give the connection back, also where the manager never began; a second time does nothing."""
        # In its turn: a statement may be under way.
        async with self._turn:
            self._left = True
            await self._held.aclose()


class _Spaced:
    """Passes a call on at once, and those that come soon after it as one: each has the queue looked through."""

    def __init__(self, callback: NotifyCallback) -> None:
        self._callback = callback
        self._last = float("-inf")
        self._later: asyncio.TimerHandle | None = None

    def __call__(self, payload: str) -> None:
        if self._later is None:
            loop = asyncio.get_running_loop()
            self._later = loop.call_later(max(0.0, self._last + _PAUSE - loop.time()), self._pass_on, payload)

    def stop(self) -> None:
        if self._later is not None:
            self._later.cancel()

    def _pass_on(self, payload: str) -> None:
        self._later, self._last = None, asyncio.get_running_loop().time()
        self._callback(payload)
