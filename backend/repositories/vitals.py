"""How the database server itself is, for those who look for faults; nothing is changed."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Final

from backend.repositories.database import Database

EXTENSIONS: Final = ("pg_trgm",)
"""What the migrations install."""

_SERVER: Final = """
SELECT current_setting('server_version') AS version,
       current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int AS most,
       (SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend') AS connections,
       (SELECT extract(epoch FROM max(clock_timestamp() - xact_start))::float8 FROM pg_stat_activity
        WHERE state LIKE 'idle in transaction%' AND datname = current_database()) AS idle_seconds,
       (SELECT array_agg(extname::text) FROM pg_extension) AS extensions,
       pg_is_in_recovery() AS standby,
       current_setting('default_transaction_read_only')::bool AS read_only,
       pg_database_size(current_database()) AS bytes
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vitals:
    """The server as it is.

    Attributes:
        version: such as "18.6".
        revision: of the tables; None where there are none of ours.
        newest: the revision that this Tensoe works with.
        connections: that clients have open, anybody's.
        most: that ordinary clients may have.
        idle_seconds: how old the oldest transaction is that does nothing; None without one.
        missing: extensions that are not installed.
        writable: whether anything can be written: no standby, and not set to be read only.
        bytes: of our database on disk.
        ahead: seconds by which its clock is ahead of ours.
    """

    version: str
    revision: str | None
    newest: str
    connections: int
    most: int
    idle_seconds: float | None
    missing: tuple[str, ...]
    writable: bool
    bytes: int
    ahead: float

    @property
    def is_current(self) -> bool:
        """Whether the tables are of the form that this Tensoe works with."""
        return self.revision == self.newest


async def read_vitals(database: Database) -> Vitals:
    """Ask the server how it is.

    Raises:
        DatabaseError: it cannot be asked.
    """
    from backend.repositories.migrations import newest_revision  # late: Alembic takes 0.1 s to import

    async with database.connection() as connection:
        row = await connection.fetchrow(_SERVER)
        revision = None
        if await connection.fetchval("SELECT to_regclass('alembic_version') IS NOT NULL"):
            revision = await connection.fetchval("SELECT max(version_num) FROM alembic_version")
        before = time.time()
        told = await connection.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
        ahead = told - (before + time.time()) / 2
    return Vitals(
        version=str(row["version"]).split(" ", 1)[0],
        revision=revision,
        newest=newest_revision(),
        connections=row["connections"],
        most=row["most"],
        idle_seconds=row["idle_seconds"],
        missing=tuple(name for name in EXTENSIONS if name not in (row["extensions"] or ())),
        writable=not row["standby"] and not row["read_only"],
        bytes=row["bytes"],
        ahead=ahead,
    )
