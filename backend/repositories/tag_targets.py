"""Which stored albums tables of tags are about: all albums of their artists."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from backend.repositories.database import Database

_ALBUMS: Final = "SELECT id, artist_key FROM albums WHERE artist_key = ANY($1::text[]) ORDER BY id"


class TagTargets:
    """Looks stored albums up.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def albums(self, artist_keys: Sequence[str]) -> dict[str, list[str]]:
        """The albums of artists, by folded name."""
        found: dict[str, list[str]] = defaultdict(list)
        async with self._database.connection() as connection:
            for row in await connection.fetch(_ALBUMS, artist_keys):
                found[row["artist_key"]].append(row["id"])
        return dict(found)
