"""PostgreSQL: one pool for everything short, Arrow connections for bulk."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, Final, TypeAlias, cast

import asyncpg
from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_dbapi
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import greenlet_spawn

from backend.config.settings import DatabaseSettings
from backend.repositories.address import Address
from backend.repositories.embedded import Lease, acquire
from backend.utils.errors import (
    BusyError,
    DatabaseError,
    DatabaseRightsError,
    DatabaseTooOldError,
    DatabaseUnreachableError,
)

Connection: TypeAlias = asyncpg.Connection
"""A raw connection of the pool; asyncpg ships no types."""

_OLDEST: Final = 140000  # server_version_num of PostgreSQL 14
_CONNECT_SECONDS: Final = 10.0
_RETRY_SECONDS: Final = 5


class Database:
    """The database in use; opened once and passed on.

    Attributes:
        dsn: its address for libpq (ADBC, alembic); holds the password, so it is never logged.
        embedded: whether it is our own server.
    """

    def __init__(self, engine: AsyncEngine, address: Address, *, lease: Lease | None = None) -> None:
        self._engine = engine
        self._address = address
        self._lease = lease
        self.dsn = address.dsn
        self.embedded = lease is not None

    @classmethod
    async def open(cls, settings: DatabaseSettings, *, home: Path) -> Database:
        """Open the database of the settings; without `DATABASE_URL` join or start the embedded server.

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
        engine = create_async_engine(
            address.sqlalchemy,
            pool_size=settings.db_pool_size,
            max_overflow=settings.db_max_overflow,
            pool_timeout=settings.db_pool_timeout,
            pool_pre_ping=True,
            connect_args={"timeout": _CONNECT_SECONDS, **address.asyncpg_options},
        )
        database = cls(engine, address, lease=lease)
        try:
            await database._check()
        except BaseException:
            await database.close()
            raise
        return database

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
    async def connection(self) -> AsyncIterator[Connection]:
        """A pooled connection; jsonb comes and goes as text.

        Raises:
            BusyError: none became free within `DB_POOL_TIMEOUT`.
            DatabaseUnreachableError: a new one was needed and nobody answers, or we are refused; or it was lost in use.
        """
        try:
            pooled = await self._engine.raw_connection()
        except PoolTimeoutError as problem:
            raise BusyError(
                "All database connections are in use; try again soon", retry_after=_RETRY_SECONDS
            ) from problem
        except (OSError, TimeoutError, asyncpg.PostgresError, AsyncAdapt_asyncpg_dbapi.Error) as problem:
            raise self._unreachable(problem) from problem
        try:
            yield cast(Connection, pooled.driver_connection)
        except BaseException as problem:
            # A cancelled or failed statement may leave the wire in the middle of an answer.
            lost = cast(Connection, pooled.driver_connection).is_closed()
            if _is_broken(cast(Connection, pooled.driver_connection)):
                pooled.invalidate()
            if lost and isinstance(problem, asyncpg.PostgresError | asyncpg.InterfaceError | OSError):
                raise self._unreachable(problem) from problem
            raise
        finally:
            # In a greenlet, for giving back a connection beyond DB_POOL_SIZE closes it, which waits for the server;
            # shielded, for a cancelled caller must not leave it open.
            await asyncio.shield(greenlet_spawn(pooled.close))

    def _unreachable(self, problem: Exception) -> DatabaseUnreachableError:
        # SQLAlchemy wraps what asyncpg says while connecting.
        said = problem.__cause__ if isinstance(problem, AsyncAdapt_asyncpg_dbapi.Error) else problem
        if isinstance(said, asyncpg.InvalidAuthorizationSpecificationError | asyncpg.InvalidCatalogNameError):
            return DatabaseUnreachableError(
                f"The database at {self._address.shown} refuses us: {said}. "
                "Check user, password and database name in DATABASE_URL."
            )
        return DatabaseUnreachableError(
            f"The database at {self._address.shown} cannot be reached ({said or type(said).__name__}). "
            "Check DATABASE_URL and that the server runs, or unset DATABASE_URL to use the embedded one."
        )

    @contextlib.asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """A pooled connection in a transaction: committed at the end, rolled back on any error."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    @contextlib.contextmanager
    def columnar(self) -> Iterator[Any]:
        """An ADBC connection of its own, for Arrow; blocking, so use it from a thread."""
        with columnar(self.dsn) as connection:
            yield connection

    async def migrate(self) -> None:
        """Bring the tables to the newest form; safe when several processes do it at once."""
        from backend.repositories.migrations import upgrade  # late: Alembic takes 0.1 s to import

        await upgrade(self)

    @property
    def place(self) -> str:
        """Where the data stand, for people: a folder, or an address without user and password."""
        return self._address.shown if self._lease is None else str(self._lease.folder)

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for migrations."""
        return self._engine

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
        await self._engine.dispose()
        if self._lease is not None:
            self._lease.release()


def _is_broken(connection: Connection) -> bool:
    return bool(connection.is_closed()) or bool(connection.is_in_transaction())


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
