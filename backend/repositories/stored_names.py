"""Which of many albums are stored, by their folded names: a statement for thousands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Final

from backend.repositories.database import Database

_AT_ONCE: Final = 5_000
# An album is stale when a source said what it said longer ago than that is good for. Names may be those of several albums.
_STORED: Final = """
SELECT count(*) AS stored, count(*) FILTER (WHERE stale) AS stale FROM (
    SELECT bool_and(EXISTS (
        SELECT FROM source_records r JOIN unnest($3::text[], $4::float8[]) AS f (source, days) ON f.source = r.source
        WHERE r.album_id = a.id AND r.valid_to IS NULL AND r.fetched_at < now() - make_interval(secs => f.days * 86400))) AS stale
    FROM unnest($1::text[], $2::text[]) WITH ORDINALITY AS n (artist_key, title_key, place)
    JOIN albums a ON a.artist_key = n.artist_key AND a.title_key = n.title_key GROUP BY n.place
) found
"""


class StoredNames:
    """Looks albums up.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, names: Sequence[tuple[str, str]], days: Mapping[str, float]) -> tuple[int, int]:
        """How many of these are stored, and how many of those are stale.

        Args:
            names: the artist's and the album's, folded; each pair once.
            days: by source, for how long what it says is good.
        """
        stored, stale, rest = 0, 0, iter(names)
        while chunk := list(islice(rest, _AT_ONCE)):
            artists, titles = (list(column) for column in zip(*chunk, strict=True))
            async with self._database.connection() as connection:
                row = await connection.fetchrow(_STORED, artists, titles, list(days), list(days.values()))
            stored, stale = stored + row["stored"], stale + row["stale"]
        return stored, stale
