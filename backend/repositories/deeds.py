"""`deeds`: who changed what over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any, Final

from backend.models.access import Deed
from backend.models.results import Page
from backend.repositories import cursor as cursors
from backend.repositories.database import Database

_COLUMNS: Final = ("at", "key", "name", "address", "method", "path", "status", "request")
_LISTING: Final = "deeds"


class Deeds:
    """Keeps and shows deeds."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def keep(self, deeds: Sequence[Deed]) -> None:
        """Keep what was done."""
        rows = [tuple(getattr(deed, name) for name in _COLUMNS) for deed in deeds]
        async with self._database.connection() as connection:
            await connection.copy_records_to_table("deeds", records=rows, columns=_COLUMNS)

    async def page(self, *, limit: int, cursor: str | None = None) -> Page:
        """What was done, the latest first.

        Raises:
            InvalidInputError: the cursor is none of ours.
        """
        before = int(cursors.decode(cursor, of=_LISTING, parts=1)[0]) if cursor else None
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT id, {', '.join(_COLUMNS)} FROM deeds WHERE $1::bigint IS NULL OR id < $1 "
                "ORDER BY id DESC LIMIT $2",
                before,
                limit + 1,
            )
        items: list[dict[str, Any]] = [asdict(Deed(**{name: row[name] for name in _COLUMNS})) for row in rows[:limit]]
        after = cursors.encode([str(rows[limit - 1]["id"])], of=_LISTING) if len(rows) > limit else None
        return Page(items=items, next_cursor=after)
