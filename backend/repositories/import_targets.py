"""Which stored albums pages and tables may be about: by what services call them, by artist, by id; many at once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import orjson

from backend.models.ingestion_models import SourceRecord
from backend.repositories import records as kept
from backend.repositories.database import Database

_FOUND: Final = """
WITH wanted AS (
  SELECT id FROM albums WHERE artist_key = ANY($1::text[])
  UNION SELECT id FROM albums WHERE id = ANY($2::text[])
  UNION SELECT album_id FROM album_identifiers
        WHERE (source, external_id) IN (SELECT * FROM unnest($3::text[], $4::text[]))
)
SELECT a.id, a.title, a.artist, a.artist_key, a.title_key, extract(year FROM a.release_date)::int AS year, a.total_tracks,
       (SELECT json_object_agg(n.source, n.external_id) FROM album_identifiers n WHERE n.album_id = a.id)::text AS ids,
       r.record::text AS record, r.rights, r.fetched_at
FROM wanted JOIN albums a USING (id)
LEFT JOIN source_records r ON r.album_id = a.id AND r.source = $5 AND r.valid_to IS NULL
ORDER BY a.created_at, a.id
"""


@dataclass(slots=True)
class Target:
    """A stored album that a page or a row may be about, and what its source says of it already."""

    id: str
    title: str
    artist: str
    artist_key: str
    title_key: str
    year: int | None
    total_tracks: int | None
    ids: dict[str, str] = field(default_factory=dict)
    said: SourceRecord | None = None


class ImportTargets:
    """Looks stored albums up.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(
        self, *, source: str, artist_keys: Sequence[str], album_ids: Sequence[str], ids: Sequence[tuple[str, str]]
    ) -> list[Target]:
        """The albums of these artists, under these ids, or that services call so; the oldest first.

        Args:
            source: whose current records come with them.
            artist_keys: folded names.
            album_ids: our own.
            ids: service and its identifier of an album.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                _FOUND, artist_keys, album_ids, [service for service, _ in ids], [name for _, name in ids], source
            )
        return [
            Target(
                id=row["id"],
                title=row["title"],
                artist=row["artist"],
                artist_key=row["artist_key"],
                title_key=row["title_key"],
                year=row["year"],
                total_tracks=row["total_tracks"],
                ids=orjson.loads(row["ids"]) if row["ids"] else {},
                said=kept.decode(row["record"], source=source, rights=row["rights"], fetched_at=row["fetched_at"])
                if row["record"]
                else None,
            )
            for row in rows
        ]
