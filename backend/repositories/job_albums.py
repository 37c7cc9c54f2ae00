"""A job's albums with what became of them, page by page: the same memory for ten albums and for 100,000.

Pages go on behind a position rather than by a cursor of the server's: that would hold a connection for as long as a slow reader
reads.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Final

import msgspec

from backend.models.ingestion_models import AUDIO_FEATURES
from backend.models.job_report import ReportAlbum, ReportSource
from backend.models.results import IngestResult
from backend.repositories.database import Database

_PAGE: Final = 500
_ALBUMS: Final = """
SELECT i.position, i.album, i.artist, i.state, i.result, i.detail, i.album_id, i.retried_by, s.sources::text AS sources,
       s.parked_until
FROM ingest_items i LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('source', source, 'outcome', outcome, 'detail', detail, 'retry_at',
               CASE WHEN state = 'parked' THEN to_char(not_before AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') END)
               ORDER BY source) FILTER (WHERE outcome IS NOT NULL) AS sources,
           min(not_before) FILTER (WHERE state = 'parked') AS parked_until
    FROM ingest_steps WHERE job_id = i.job_id AND position = i.position
) s ON true
WHERE i.job_id = $1 AND i.position > $2 AND ($3::text[] IS NULL OR i.result = ANY($3)) ORDER BY i.position LIMIT $4
"""
_SOURCES: Final = "SELECT DISTINCT source FROM ingest_steps WHERE job_id = $1 AND outcome IS NOT NULL ORDER BY source"
# By the names of fields of records, as `SourceProfile.gives` has them.
_ALBUM_FIELDS: Final = {
    "release_date": "a.release_date IS NULL",
    "label": "a.label IS NULL",
    "upc": "a.upc IS NULL",
    "popularity": "a.popularity IS NULL",
    "listeners": "a.listeners IS NULL",
    "critic_score": "a.aoty_critic_score IS NULL",
    "user_score": "a.aoty_user_score IS NULL",
    "tags": "a.genres = '{}' AND a.moods = '{}'",
}
_TRACK_FIELDS: Final = {
    "duration_ms": "t.duration_ms IS NULL",
    "explicit": "t.explicit IS NULL",
    "isrc": "t.isrc IS NULL",
    "rating": "t.rating IS NULL",
    # What a model made up is not what a source might have measured.
    **{name: f"t.{name} IS NULL OR t.estimates ? '{name}'" for name in AUDIO_FEATURES},
}
_MISSING: Final = f"""
SELECT a.id, array_remove(ARRAY[{", ".join(f"CASE WHEN {test} THEN '{name}' END" for name, test in _ALBUM_FIELDS.items())}]
    || t.missing, NULL) AS missing
FROM albums a CROSS JOIN LATERAL (
    SELECT ARRAY[{", ".join(f"CASE WHEN bool_or({test}) THEN '{name}' END" for name, test in _TRACK_FIELDS.items())}] AS missing
    FROM enhanced_tracks t WHERE t.album_id = a.id
) t WHERE a.id = ANY($1::text[])
"""


class JobAlbums:
    """Reads what became of albums.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def sources(self, job_id: str) -> list[str]:
        """The names of the sources that have answered in a job."""
        async with self._database.connection() as connection:
            return [row["source"] for row in await connection.fetch(_SOURCES, job_id)]

    async def pages(
        self, job_id: str, *, results: Sequence[IngestResult] | None = None
    ) -> AsyncIterator[list[ReportAlbum]]:
        """The albums in their order, some hundred at a time.

        Args:
            job_id: whose.
            results: only those that ended so; None for all.
        """
        behind, wanted = 0, None if results is None else [r.value for r in results]
        while True:
            async with self._database.connection() as connection:
                rows = await connection.fetch(_ALBUMS, job_id, behind, wanted, _PAGE)
            if not rows:
                return
            behind = rows[-1]["position"]
            yield [
                ReportAlbum(
                    position=row["position"],
                    album=row["album"],
                    artist=row["artist"],
                    state=row["state"],
                    result=IngestResult(row["result"]) if row["result"] else None,
                    detail=row["detail"] or "",
                    album_id=row["album_id"],
                    parked_until=row["parked_until"],
                    retried_by=row["retried_by"],
                    sources=msgspec.json.decode(row["sources"] or "[]", type=tuple[ReportSource, ...]),
                )
                for row in rows
            ]

    async def missing(self, album_ids: Sequence[str]) -> dict[str, frozenset[str]]:
        """Which fields nobody has given, by stored album; of tracks' fields those that one track lacks."""
        if not album_ids:
            return {}
        async with self._database.connection() as connection:
            rows = await connection.fetch(_MISSING, list(album_ids))
        return {row["id"]: _with_sets(frozenset(row["missing"])) for row in rows}


def _with_sets(missing: frozenset[str]) -> frozenset[str]:
    return missing | {"audio_features"} if missing & set(AUDIO_FEATURES) else missing
