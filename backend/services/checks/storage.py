"""Whether the database can be used, and will be for long."""

from __future__ import annotations

from typing import Final

from backend.models.diagnosis import Finding, ok, problem, warning
from backend.repositories.database import Database
from backend.repositories.vitals import Vitals, read_vitals
from backend.services.checks.reach import clock

_FULL: Final = 0.8  # of the connections
_IDLE_SECONDS: Final = 300.0  # of a transaction that does nothing: longer it keeps others from being tidied up


async def check_database(database: Database) -> list[Finding]:
    """The server's version, tables, connections, transactions and clock."""
    kind = "embedded " if database.embedded else ""
    return read_findings(await read_vitals(database), name=f"{kind}PostgreSQL at {database.place}")


def read_findings(found: Vitals, *, name: str) -> list[Finding]:
    """What a server's state means; `name` is what people call it."""
    return [
        _server(found, name),
        _tables(found),
        *_extensions(found),
        _connections(found),
        *_idle(found),
        clock("clock: database", found.ahead, "the database's"),
    ]


def _server(found: Vitals, name: str) -> Finding:
    said = f"{name}, version {found.version}, {found.bytes:,} bytes"
    if not found.writable:
        return problem("database", f"{said}: it can only be read", remedy="set DATABASE_URL to the primary server")
    return ok("database", said)


def _tables(found: Vitals) -> Finding:
    if found.is_current:
        return ok("tables", f"revision {found.revision}, the newest")
    was = "there are none yet" if found.revision is None else f"revision {found.revision} instead of {found.newest}"
    return warning("tables", was, remedy="start the server once, or run `alembic upgrade head`")


def _extensions(found: Vitals) -> list[Finding]:
    if not found.missing or found.revision is None:
        return []
    names = " and ".join(found.missing)
    remedy = f"as the database's owner: CREATE EXTENSION {found.missing[0]}; (package postgresql-contrib)"
    return [problem("extensions", f"{names} is not installed: names cannot be searched", remedy=remedy)]


def _connections(found: Vitals) -> Finding:
    said = f"{found.connections} of {found.most} connections are in use"
    if found.connections < _FULL * found.most:
        return ok("connections", said)
    return warning("connections", said, remedy="raise max_connections, or lower DB_POOL_SIZE and DB_MAX_OVERFLOW")


def _idle(found: Vitals) -> list[Finding]:
    if found.idle_seconds is None or found.idle_seconds < _IDLE_SECONDS:
        return []
    said = f"a transaction has been open for {found.idle_seconds / 60:,.0f} minutes and does nothing: it holds locks"
    remedy = "find it: SELECT * FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'; then end its program"
    return [warning("transactions", said, remedy=remedy)]
