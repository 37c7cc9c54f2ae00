"""Which tracks are known by which identifiers: what a dump is looked through for."""

from __future__ import annotations

from collections import defaultdict

from backend.repositories.database import Database

# Of what any source says of an album now; one recording may stand on several albums.
_WANTED = """
SELECT DISTINCT t->'ids'->>$1 AS key, r.album_id
FROM source_records r, jsonb_array_elements(r.record->'tracks') AS t
WHERE r.valid_to IS NULL AND t->'ids' ? $1
"""


class Wanted:
    """Reads identifiers out of what the sources said."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def albums(self, identifier: str) -> dict[str, list[str]]:
        """The albums on which a track is known by an identifier of this kind ("musicbrainz"), by the identifier."""
        found: dict[str, list[str]] = defaultdict(list)
        async with self._database.connection() as connection:
            for row in await connection.fetch(_WANTED, identifier):
                found[row["key"]].append(row["album_id"])
        return dict(found)
