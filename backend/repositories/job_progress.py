"""How far a job is: counted, not remembered, so it is true whoever works on it."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Any, Final

from backend.models.job_progress import CallFigures, JobFigures, StepCounts
from backend.repositories.database import Database
from backend.utils.errors import NotFoundError

# Grouped once, without looking at details: 0.2 s for 100,000 albums of eight sources.
_ALBUMS: Final = """
SELECT CASE state WHEN 'done' THEN coalesce(result, 'failed') WHEN 'storing' THEN 'running' ELSE state END AS name,
       count(*) AS n
FROM ingest_items WHERE job_id = $1 GROUP BY 1
"""
_STEPS: Final = """
SELECT source, state, outcome, count(*) AS n, min(not_before) FILTER (WHERE state = 'parked') AS next_at
FROM ingest_steps WHERE job_id = $1 GROUP BY source, state, outcome
"""
_ASKED: Final = "SELECT hints->>$2 AS named, count(*) AS n FROM ingest_items WHERE job_id = $1 GROUP BY 1"
# Of the last day: what a source costs changes with what it is asked for. Who was kept out or is not set up was not asked.
_COSTS: Final = """
WITH since AS (SELECT date_bin('10 minutes', now() - interval '24 hours', 'epoch') AS at)
SELECT c.key AS source, c.calls, (
    SELECT count(*) FROM ingest_steps s, since WHERE s.source = c.key AND s.at >= since.at
    AND s.outcome IN ('ok', 'not_found', 'ambiguous', 'failed')) AS steps
FROM (SELECT key, sum(calls)::bigint AS calls FROM source_calls, since
      WHERE source_calls.since >= since.at AND position('/' in key) = 0 GROUP BY key) c
"""


class JobProgressRepository:
    """Reads counts; each method is one short look, with no connection held in between.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def figures(self, job_id: str) -> JobFigures:
        """A job's counts.

        Raises:
            NotFoundError: no job has this id.
        """
        async with self._database.connection() as connection:
            job = await connection.fetchrow("SELECT * FROM ingest_jobs WHERE id = $1", job_id)
            if job is None:
                raise NotFoundError(f"No job has the id {job_id[:100]!r}; /ml/jobs lists the latest")
            albums = await connection.fetch(_ALBUMS, job_id)
            steps = await connection.fetch(_STEPS, job_id)
        ended = job["finished_at"] is not None
        return JobFigures(
            id=job["id"],
            kind=job["kind"],
            state="finished" if ended and job["state"] != "cancelled" else job["state"],
            created_at=job["created_at"],
            finished_at=job["finished_at"],
            total=job["total"],
            counts={row["name"]: row["n"] for row in albums},
            steps=_by_source(steps),
        )

    async def asked(self, job_id: str, *, hint: str) -> dict[str | None, int]:
        """For how many albums of a job a hint says what; None where they have no such hint. It never changes."""
        async with self._database.connection() as connection:
            return {row["named"]: row["n"] for row in await connection.fetch(_ASKED, job_id, hint)}

    async def costs(self) -> dict[str, CallFigures]:
        """What asking has cost in the last 24 hours, by source."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_COSTS)
        return {row["source"]: CallFigures(calls=row["calls"], steps=row["steps"]) for row in rows}


def _by_source(rows: list[Any]) -> dict[str, StepCounts]:
    done: dict[str, dict[str, int]] = defaultdict(dict)
    others: dict[str, dict[str, int]] = defaultdict(lambda: {"parked": 0, "queued": 0})
    next_at: dict[str, datetime] = {}
    for row in rows:
        source, state = row["source"], row["state"]
        if state == "done":
            done[source][row["outcome"]] = row["n"]
            continue
        others[source][state] += row["n"]
        if row["next_at"] is not None:
            next_at[source] = min(next_at.get(source, row["next_at"]), row["next_at"])
    return {
        source: StepCounts(done=done[source], **others[source], next_at=next_at.get(source))
        for source in sorted({row["source"] for row in rows})
    }
