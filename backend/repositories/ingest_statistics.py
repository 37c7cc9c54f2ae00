"""How ingestion went: per source, and over all jobs."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from backend.repositories.database import Database

# Grouped in two steps: outcomes are many, their kinds are few.
_STATISTICS: Final = """
WITH o AS (
    SELECT source, outcome, count(*) AS n, sum(seconds) AS seconds, sum(tracks) AS tracks, max(at) AS at,
           max(not_before) FILTER (WHERE not_before > now()) AS retry_at
    FROM ingest_steps WHERE outcome IS NOT NULL GROUP BY source, outcome
)
SELECT source, sum(n)::bigint AS asked,
       (sum(seconds) FILTER (WHERE outcome <> 'unconfigured')
        / sum(n) FILTER (WHERE outcome <> 'unconfigured'))::float8 AS mean_seconds,
       sum(tracks)::bigint AS tracks, max(at) AS last_asked, jsonb_object_agg(outcome, n)::text AS outcomes,
       (array_agg(outcome ORDER BY at DESC))[1] AS last_outcome,
       (SELECT f.detail FROM ingest_steps f WHERE f.source = o.source AND f.outcome = 'failed'
        ORDER BY f.at DESC LIMIT 1) AS last_failure,
       max(retry_at) AS throttled_until
FROM o GROUP BY source ORDER BY source
"""


class IngestStatistics:
    """Figures over all jobs."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def statistics(self) -> dict[str, Any]:
        """How ingestion went: per source, and over all jobs."""
        async with self._database.transaction() as connection:
            sources = await connection.fetch(_STATISTICS)
            results = await connection.fetch(
                "SELECT coalesce(result, state) AS name, count(*) AS n FROM ingest_items GROUP BY 1 ORDER BY 1"
            )
            jobs = await connection.fetchrow(
                "SELECT count(*) AS total, count(*) FILTER (WHERE finished_at IS NULL) AS open, "
                "max(created_at) AS last_created, max(finished_at) AS last_finished FROM ingest_jobs"
            )
        return {
            "jobs": dict(jobs),
            "albums": {row["name"]: row["n"] for row in results},
            "sources": [{**dict(row), "outcomes": msgspec.json.decode(row["outcomes"])} for row in sources],
        }
