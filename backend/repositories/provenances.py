"""Which rows name which sources."""

from __future__ import annotations

from backend.models.results import TrackFilter
from backend.repositories.database import Database
from backend.repositories.track_filter import PARAMETER, most, tracks_of, values, where


class Provenances:
    """Counts rows by their provenance."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def count(self, track_filter: TrackFilter, *, limit: int) -> dict[str, int]:
        """The provenance of the first tracks that fit, as JSON text, and how many have it; few differ."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT provenance::text AS whose, count(*) AS n FROM (SELECT provenance FROM {tracks_of(track_filter)} "
                f"WHERE {where(track_filter, PARAMETER)} AND ($1::text IS NOT NULL) ORDER BY id LIMIT $2) AS t GROUP BY 1",
                values(track_filter),
                most(track_filter, limit),
            )
        return {row["whose"]: row["n"] for row in rows}
