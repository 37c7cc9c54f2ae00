"""A moment that divides what was stored before it from what was stored after it, and reading what was there at that moment.

Who stores albums holds a lock, and notes as `known_from` a time that he reads while he holds it. Here the lock is had for an
instant, without anybody storing anything: all that is known before this instant is there for whoever begins to read now, and
nothing of what is known after it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from backend.repositories.album_store import BULK_LOCK
from backend.repositories.database import Database


@dataclass(frozen=True, slots=True)
class Settled:
    """An ADBC connection in a transaction that sees what was stored by `now`, and nothing else until it ends."""

    connection: Any
    now: datetime


@contextlib.contextmanager
def settled(database: Database) -> Iterator[Settled]:
    """Read what is stored at this moment; waits for those who are storing. Blocking."""
    with database.columnar() as reading, reading.cursor() as cursor:
        with database.columnar() as holding, holding.cursor() as lock:
            lock.execute(f"SELECT pg_advisory_xact_lock({BULK_LOCK})::text")
            lock.fetchall()
            cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            cursor.execute("SELECT clock_timestamp()")
            now = cursor.fetchone()[0].astimezone(UTC)
        try:
            yield Settled(reading, now)
        finally:
            reading.rollback()
