"""Taking albums out again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backend.repositories import recordings
from backend.repositories.album_store import lock_all
from backend.repositories.database import Connection, Database
from backend.utils.errors import NotFoundError


class AlbumRemoval:
    """Removes albums with their tracks and what the sources said of them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known_only_to(self, sources: Sequence[str]) -> int:
        """Remove the albums of which no other source than these has ever said anything; how many there were."""
        async with self._database.transaction() as connection:
            await lock_all(connection)
            rows = await connection.fetch(
                "SELECT id FROM albums a WHERE NOT EXISTS "
                "(SELECT FROM source_records r WHERE r.album_id = a.id AND r.source <> ALL($1::text[]))",
                list(sources),
            )
            return await remove(connection, [row["id"] for row in rows])

    async def album(self, album_id: str) -> None:
        """Remove one.

        Raises:
            NotFoundError: no album has this id.
        """
        async with self._database.transaction() as connection:
            await lock_all(connection)
            if not await remove(connection, [album_id]):
                raise NotFoundError(f"No album has the id {album_id[:100]!r}")


_NOTE: Final = """
INSERT INTO removals (albums, records, known_from) SELECT count(DISTINCT album_id), count(*), min(known_from)
FROM source_records WHERE album_id = ANY($1::text[]) HAVING count(*) > 0
"""


async def remove(connection: Connection, albums: Sequence[str]) -> int:
    """Remove albums within a transaction that holds the lock of all; how many there were.

    Tracks of other albums that held the same recordings are told apart, or named, anew.
    """
    before = await recordings.of_albums(connection, albums)
    await connection.execute(_NOTE, albums)
    done = await connection.execute("DELETE FROM albums WHERE id = ANY($1::text[])", albums)
    await recordings.link(connection, (), before)
    return int(str(done).rsplit(" ", 1)[1])
