"""What holds for the catalogue as a whole."""

from __future__ import annotations

from typing import Final

from backend.repositories.database import Database

MERGED: Final = "merged"
"""Under which policy the rows were made; see `ingestion.policy.MergePolicy.fingerprint`."""


class CatalogueState:
    """Reads and writes `catalogue_state`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, key: str) -> str | None:
        """A value, or None when it was never set."""
        async with self._database.connection() as connection:
            found: str | None = await connection.fetchval("SELECT value FROM catalogue_state WHERE key = $1", key)
        return found

    async def set(self, key: str, value: str) -> None:
        """Set a value."""
        async with self._database.connection() as connection:
            await connection.execute(
                "INSERT INTO catalogue_state (key, value) VALUES ($1, $2) "
                "ON CONFLICT (key) DO UPDATE SET value = excluded.value, changed_at = now()",
                key,
                value,
            )

    async def is_empty(self) -> bool:
        """Whether no album is stored."""
        async with self._database.connection() as connection:
            return not await connection.fetchval("SELECT EXISTS (SELECT FROM albums)")
