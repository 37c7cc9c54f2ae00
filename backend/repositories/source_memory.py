"""What a source remembers, kept over restarts and shared by all processes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from backend.repositories.database import Database


class SourceMemory:
    """One source's memory; see `ingestion.memory.Memory`.

    Args:
        database: the tables, migrated.
        source: whose it is.
    """

    def __init__(self, database: Database, source: str) -> None:
        self._database = database
        self._source = source

    async def recall(self, keys: Iterable[str]) -> dict[str, Any]:
        """The values of those keys that are remembered."""
        wanted = list(keys)
        if not wanted:
            return {}
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT key, value::text AS value FROM source_memory "
                "WHERE source = $1 AND key = ANY($2::text[]) AND until > now()",
                self._source,
                wanted,
            )
        return {row["key"]: orjson.loads(row["value"]) for row in rows}

    async def remember(self, values: Mapping[str, Any], *, seconds: float) -> None:
        """Remember values for so long; what has run out is forgotten on the way."""
        if not values:
            return
        async with self._database.connection() as connection:
            await connection.execute(
                # In one order for all, so that two that remember the same keys cannot wait for each other.
                "WITH gone AS (DELETE FROM source_memory WHERE source = $1 AND until <= now() AND key <> ALL($2::text[])) "
                "INSERT INTO source_memory (source, key, value, until) "
                "SELECT $1, k, v::jsonb, now() + make_interval(secs => $4) "
                "FROM unnest($2::text[], $3::text[]) AS n (k, v) ORDER BY k "
                "ON CONFLICT (source, key) DO UPDATE SET value = excluded.value, until = excluded.until",
                self._source,
                list(values),
                [orjson.dumps(v).decode() for v in values.values()],
                seconds,
            )
