"""Taking albums out again."""

from __future__ import annotations

from collections.abc import Sequence

from backend.repositories.database import Database


class AlbumRemoval:
    """Removes albums with their tracks and what the sources said of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known_only_to(self, sources: Sequence[str]) -> int:
        """Remove the albums of which no other source than these has ever said anything; how many there were."""
        async with self._database.connection() as connection:
            done = await connection.execute(
                "DELETE FROM albums a WHERE NOT EXISTS "
                "(SELECT FROM source_records r WHERE r.album_id = a.id AND r.source <> ALL($1::text[]))",
                list(sources),
            )
        return int(str(done).rsplit(" ", 1)[1])
