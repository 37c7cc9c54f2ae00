"""Reads the figures of work that all workers share."""

from __future__ import annotations

from typing import Final

from backend.models.work import BudgetFigures, StepFigures, WorkFigures
from backend.repositories.database import Database

_STATES: Final = ("queued", "running", "storing", "waiting", "done")

# Requests are counted by ten minutes: of the ten before these, the share that is not yet ten minutes old.
_BUDGETS: Final = """
WITH t AS (SELECT clock_timestamp() AS now, date_bin('10 minutes', clock_timestamp(), 'epoch') AS since)
SELECT b.key, b.allowed, b.rate,
       CASE WHEN b.quota_at > t.now - interval '7 days' THEN b.quota END AS quota,
       CASE WHEN b.parked_until > t.now THEN extract(epoch FROM b.parked_until)::float8 END AS parked_until,
       coalesce(c.day, 0)::bigint AS day,
       ((coalesce(c.now, 0) + coalesce(c.before, 0) * (1 - extract(epoch FROM t.now - t.since) / 600)) / 600)::float8 AS used
FROM source_budgets b CROSS JOIN t LEFT JOIN LATERAL (
    SELECT sum(s.calls) AS day, sum(s.calls) FILTER (WHERE s.since = t.since) AS now,
           sum(s.calls) FILTER (WHERE s.since = t.since - interval '10 minutes') AS before
    FROM source_calls s WHERE s.key = b.key AND s.since > t.now - interval '24 hours'
) c ON true
ORDER BY b.key
"""
# Steps are queued of albums alone that have been begun, which are few: all others of a table of millions stay unread.
_STEPS: Final = """
SELECT source, coalesce(sum(queued), 0)::bigint AS queued, coalesce(sum(parked), 0)::bigint AS parked,
       coalesce(max(oldest), 0)::float8 AS oldest
FROM (
    SELECT s.source, count(*) AS queued, 0 AS parked, extract(epoch FROM clock_timestamp() - min(s.at)) AS oldest
    FROM ingest_items i JOIN ingest_steps s ON s.job_id = i.job_id AND s.position = i.position AND s.state = 'queued'
    WHERE i.state IN ('running', 'storing') GROUP BY s.source
    UNION ALL
    SELECT source, 0, count(*), NULL FROM ingest_steps WHERE state = 'parked' GROUP BY source
) n GROUP BY source ORDER BY source
"""
_ALBUMS: Final = """
SELECT i.state, count(*) AS n FROM ingest_jobs j JOIN ingest_items i ON i.job_id = j.id
WHERE j.finished_at IS NULL GROUP BY i.state
"""


class WorkState:
    """Asks the shared tables.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self) -> WorkFigures:
        """How the work stands now."""
        async with self._database.connection() as connection:
            budgets = await connection.fetch(_BUDGETS)
            steps = await connection.fetch(_STEPS)
            albums = await connection.fetch(_ALBUMS)
        counted = {row["state"]: int(row["n"]) for row in albums}
        return WorkFigures(
            budgets=tuple(
                BudgetFigures(
                    source=row["key"].partition("/")[0],
                    group=row["key"].partition("/")[2],
                    allowed=row["allowed"],
                    rate=row["rate"],
                    used=row["used"],
                    day=row["day"],
                    quota=row["quota"],
                    parked_until=row["parked_until"],
                )
                for row in budgets
            ),
            steps=tuple(StepFigures(**dict(row)) for row in steps),
            albums={state: counted.get(state, 0) for state in _STATES},
        )
