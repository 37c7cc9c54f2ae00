"""What the sources said of an album, now or on a past day."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from backend.models.ingestion_models import SourceRecord
from backend.repositories import records as kept
from backend.repositories.database import Database
from backend.utils.errors import NotFoundError

_AT: Final = """
SELECT source, rights, record::text AS record, fetched_at FROM source_records
WHERE album_id = $1 AND CASE WHEN $2::timestamptz IS NULL THEN valid_to IS NULL
    ELSE valid_from <= $2 AND (valid_to IS NULL OR valid_to > $2) END
ORDER BY source
"""


class Histories:
    """Reads `source_records`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def album_of(self, track_id: str) -> str:
        """The album that a track stands on.

        Raises:
            NotFoundError: no track has this id.
        """
        async with self._database.connection() as connection:
            # A track of a permitted list alone may be missing from the whole catalogue's.
            found: str | None = await connection.fetchval(
                "SELECT album_id FROM enhanced_tracks WHERE id = $1 UNION ALL "
                "SELECT album_id FROM tracks_noncommercial WHERE id = $1 UNION ALL "
                "SELECT album_id FROM tracks_open WHERE id = $1 LIMIT 1",
                track_id,
            )
        if found is None:
            raise NotFoundError(f"No track has the id {track_id[:100]!r}; /ml/training-data lists what is stored")
        return found

    async def records(self, album_id: str, *, at: datetime | None = None) -> list[SourceRecord]:
        """One record per source: the current ones, or those that held at a time.

        Raises:
            NotFoundError: no album has this id, or nobody had said anything of it by then.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(_AT, album_id, at)
        if not rows:
            then = "" if at is None else f" by {at:%Y-%m-%d %H:%M}"
            raise NotFoundError(
                f"Nobody said anything of an album {album_id[:100]!r}{then}; /albums lists what is stored"
            )
        return [
            kept.decode(row["record"], source=row["source"], rights=row["rights"], fetched_at=row["fetched_at"])
            for row in rows
        ]
