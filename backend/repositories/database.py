"""PostgreSQL: one pool for everything short, Arrow connections for bulk."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias

import asyncpg
import structlog

from backend.config.settings import DatabaseSettings
from backend.repositories.address import Address
from backend.repositories.arrow_connections import ArrowConnections
from backend.repositories.embedded import Lease, acquire
from backend.repositories.faults import LOST, is_lost, of_arrow, passing, unreachable
from backend.utils.errors import (
    BusyError,
    DatabaseError,
    DatabaseReadOnlyError,
    DatabaseRefusesError,
    DatabaseRightsError,
    DatabaseTooOldError,
    DatabaseUnreachableError,
)
from backend.utils.tracing import child

log = structlog.get_logger(__name__)

Connection: TypeAlias = asyncpg.Connection
"""A raw connection of the pool; asyncpg ships no types."""

_OLDEST: Final = 140000  # server_version_num of PostgreSQL 14
_CONNECT_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 5
_LOOK_SECONDS: Final = 1.0  # between looks for a database that is waited for
_RELEASE_SECONDS: Final = 5.0  # for a statement that was cancelled to end; then its connection is closed
_IDLE_SECONDS: Final = 60.0  # after which an unused connection is closed


class Database:
    """The database in use; opened once and passed on.

    Attributes:
        dsn: its address for libpq (ADBC, alembic); holds the password, so it is never logged.
        embedded: whether it is our own server.
    """

    def __init__(self, pool: asyncpg.Pool, address: Address, *, patience: float, lease: Lease | None = None) -> None:
        self._pool = pool
        self._patience = patience
        self._address = address
        self._lease = lease
        self.dsn = address.dsn
        self.embedded = lease is not None
        self._arrow = ArrowConnections(address.dsn)

    @classmethod
    async def open(cls, settings: DatabaseSettings, *, home: Path, wait: float = 0.0) -> Database:
        """Open the database of the settings; without `DATABASE_URL` join or start the embedded server.

        Args:
            settings: where it is.
            home: of the embedded server.
            wait: seconds for which one that does not answer is waited for.

        Raises:
            DatabaseUnreachableError: nobody answers, or the name or password is refused.
            DatabaseTooOldError: the server is older than PostgreSQL 14.
            DatabaseRightsError: the user may not create tables there.
        """
        lease = None
        if settings.database_url is None:
            lease = await asyncio.to_thread(acquire, home)
            address = Address.parse(lease.dsn)
        else:
            address = Address.parse(settings.database_url.get_secret_value())
        # asyncpg's own pool: a connection is had in 0.02 ms, and who lost its server is replaced without a query to find out.
        pool = asyncpg.create_pool(
            address.asyncpg,
            min_size=0,
            max_size=settings.db_pool_size + settings.db_max_overflow,
            max_inactive_connection_lifetime=_IDLE_SECONDS,
            timeout=_CONNECT_SECONDS,
            reset=_as_it_is,
            **address.asyncpg_options,
        )
        database = cls(pool, address, patience=settings.db_pool_timeout, lease=lease)
        try:
            await pool  # which connects to nobody yet
            await database._wait_for(wait)
            await database._check()
        except BaseException:
            await database.close()
            raise
        return database

    async def _wait_for(self, seconds: float) -> None:
        """Return when it answers, when waiting would change nothing, or when the time is over."""
        end, told = time.monotonic() + seconds, False
        while time.monotonic() < end:
            try:
                async with asyncio.timeout_at(asyncio.get_running_loop().time() + max(0.0, end - time.monotonic())):
                    await self.ping()
            except DatabaseRefusesError:
                return
            except (DatabaseUnreachableError, BusyError, TimeoutError) as problem:
                if not told:
                    log.warning("the database does not answer yet; waiting", seconds=seconds, detail=str(problem))
                told = True
                await asyncio.sleep(min(_LOOK_SECONDS, max(0.0, end - time.monotonic())))
            else:
                if told:
                    log.warning("the database answers; going on")
                return

    async def _check(self) -> None:
        async with self.connection() as connection:
            number = await connection.fetchval("SELECT current_setting('server_version_num')::int")
            may_create = await connection.fetchval(
                "SELECT has_schema_privilege(current_schema(), 'CREATE')"
                " AND has_schema_privilege(current_schema(), 'USAGE')"
            )
        if number < _OLDEST:
            raise DatabaseTooOldError(
                f"The database at {self._address.shown} is PostgreSQL {number // 10000}; Tensoe needs 14 or newer."
            )
        if not may_create:
            raise DatabaseRightsError(
                f"The user of the database at {self._address.shown} may not create tables in its schema. "
                f"As its owner: GRANT USAGE, CREATE ON SCHEMA public TO {self._address.user or 'that user'};"
            )

    @contextlib.asynccontextmanager
    async def connection(self, *, name: str = "sql") -> AsyncIterator[Connection]:
        """A pooled connection; jsonb comes and goes as text.

        Args:
            name: of its use, in traces.

        Raises:
            BusyError: none became free within `DB_POOL_TIMEOUT`.
            DatabaseUnreachableError: a new one was needed and nobody answers, or we are refused; or it was lost in use.
            DatabaseReadOnlyError: something was to be written and may not be at present.
            DatabaseFullError: there is no room for it.
        """
        with child(name, kind="client", db__system__name="postgresql"):
            try:
                connection = await self._acquire()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
                raise passing(problem, self._address) or unreachable(problem, self._address) from problem
            try:
                with self.watched(connection):
                    yield connection
            finally:
                # Shielded: a cancelled caller must not leave it taken.
                # Of one that is lost: the pool may have taken it back by itself.
                with contextlib.suppress(
                    asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresError, OSError
                ):
                    await asyncio.shield(self._pool.release(connection, timeout=_RELEASE_SECONDS))

    @contextlib.contextmanager
    def watched(self, connection: Connection) -> Iterator[None]:
        """What is done with a pooled connection that somebody keeps.

        Raises:
            DatabaseUnreachableError: it was lost.
            DatabaseReadOnlyError: something was to be written and may not be at present.
            DatabaseFullError: there is no room for it.
            BusyError: the server has no more connections, or gave up what took too long.
        """
        try:
            yield
        except LOST as problem:
            if is_lost(connection, problem):
                _give_up(connection)
                raise unreachable(problem, self._address) from problem
            known = passing(problem, self._address)
            if isinstance(known, DatabaseReadOnlyError):
                # Another server may have taken over, or this one be set otherwise: only a new connection finds out.
                _give_up(connection)
            if known is not None:
                raise known from problem
            raise

    async def _acquire(self) -> Connection:
        try:
            # The time to wait for one of the pool; a new connection has its own.
            return await self._pool.acquire(timeout=self._patience)
        except TimeoutError as problem:
            if self._pool.get_idle_size() == 0 and self._pool.get_size() >= self._pool.get_max_size():
                raise BusyError(
                    "All database connections are in use; try again soon", retry_after=_RETRY_SECONDS
                ) from problem
            raise

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A pooled connection in a transaction: committed at the end, rolled back on any error."""
        async with self.connection(name="sql transaction") as connection, connection.transaction():
            yield connection

    @contextlib.contextmanager
    def columnar(self) -> Iterator[Any]:
        """An ADBC connection for Arrow, in a transaction that is rolled back; blocking, so use it from a thread.

        Raises:
            DatabaseError, BusyError: as of `connection`.
        """
        from adbc_driver_manager import Error  # late: with Arrow it takes 0.2 s to import

        try:
            with self._arrow.one() as connection:
                yield connection
        except (Error, OSError) as problem:
            if (known := of_arrow(problem, self._address)) is not None:
                raise known from problem
            raise

    async def migrate(self) -> None:
        """Bring the tables to the newest form; safe when several processes do it at once."""
        from backend.repositories.migrations import upgrade  # late: Alembic takes 0.1 s to import

        await upgrade(self)

    @property
    def place(self) -> str:
        """Where the data stand, for people: a folder, or an address without user and password."""
        return self._address.shown if self._lease is None else str(self._lease.folder)

    @property
    def address(self) -> Address:
        """Its address; holds the password."""
        return self._address

    @property
    def sqlalchemy_url(self) -> str:
        """The address as SQLAlchemy reads it; holds the password."""
        return self._address.sqlalchemy

    async def version(self) -> str:
        """The server's version, as "18.6"."""
        async with self.connection() as connection:
            return str(await connection.fetchval("SHOW server_version")).split(" ", 1)[0]

    async def ping(self) -> float:
        """Seconds for a round trip."""
        started = time.perf_counter()
        async with self.connection() as connection:
            await connection.fetchval("SELECT 1")
        return time.perf_counter() - started

    async def close(self) -> None:
        """Close all connections and let go of the embedded server."""
        # What is still in use belongs to nobody any more: callers are gone or cancelled.
        self._pool.terminate()
        self._arrow.close()
        if self._lease is not None:
            self._lease.release()


def _give_up(connection: Connection) -> None:
    """Keep the pool from handing a connection out again whose state nobody knows."""
    with contextlib.suppress(asyncpg.InterfaceError):  # the pool has taken it back already
        connection.terminate()


async def _as_it_is(_connection: Connection) -> None:
    """Nothing to put right before a connection goes back: nobody changes settings of a session, and listeners leave themselves.

    (An open transaction is rolled back by asyncpg before.)
    """


@contextlib.contextmanager
def columnar(dsn: str) -> Iterator[Any]:
    """An ADBC connection to an address."""
    from adbc_driver_postgresql import dbapi  # late: with Arrow it takes 0.2 s to import

    with dbapi.connect(dsn) as connection:
        yield connection


@contextlib.contextmanager
def open_columnar(settings: DatabaseSettings, *, home: Path) -> Iterator[Any]:
    """An ADBC connection for scripts and notebooks, where no server of ours runs; blocking.

    Raises:
        DatabaseUnreachableError: nobody answers at the address.
        DatabaseError: the tables have not been made yet.
    """
    if settings.database_url is not None:
        address = Address.parse(settings.database_url.get_secret_value())
        with _translated(address), columnar(address.dsn) as connection:
            _require_tables(connection)
            yield connection
        return
    lease = acquire(home)
    try:
        with columnar(lease.dsn) as connection:
            _require_tables(connection)
            yield connection
    finally:
        lease.release()


def _require_tables(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass('enhanced_tracks') IS NOT NULL")
        if not cursor.fetchone()[0]:
            raise DatabaseError(
                "The database has no tables of Tensoe yet; make them with `alembic upgrade head`, "
                "or start the server once: python -m backend.startup"
            )


@contextlib.contextmanager
def _translated(address: Address) -> Iterator[None]:
    from adbc_driver_manager import OperationalError

    try:
        yield
    except OperationalError as problem:
        raise DatabaseUnreachableError(
            f"The database at {address.shown} cannot be used; check DATABASE_URL and that the server runs."
        ) from problem
