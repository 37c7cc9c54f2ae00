"""How many bytes of each source's are kept."""

from __future__ import annotations

from backend.repositories.database import Database

# The text of what was said, past records included: more than what PostgreSQL needs for it, which packs it, and never less
# than what the source sent of it.
_BYTES = """
SELECT source, sum(octet_length(record::text))::bigint AS bytes FROM source_records
WHERE $1::text[] IS NULL OR source = ANY($1) GROUP BY source ORDER BY source
"""


class Storage:
    """Counts bytes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bytes_by_source(self, sources: list[str] | None = None) -> dict[str, int]:
        """Bytes by source, of all or of some; it reads all of their records."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_BYTES, sources)
        return {row["source"]: int(row["bytes"]) for row in rows}
