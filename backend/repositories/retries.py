"""New jobs of the albums that did not end well in an earlier one, and the list of those that failed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from backend.models.ingestion_models import Outcome
from backend.models.results import DeadLetter, IngestResult, SourceFailure
from backend.repositories.database import Connection, Database
from backend.repositories.jobs import new_id
from backend.utils.tracing import traceparent

# Each album is taken up once: who comes second finds nothing. Of one that is stored in part only the sources that did not
# answer are asked, for exactly that album; the user's own hints count more than what services call it.
_TAKE: Final = """
WITH taken AS (
    UPDATE ingest_items SET retried_by = $1
    WHERE state = 'done' AND retried_by IS NULL AND result = ANY($3::text[]) AND ($2::text IS NULL OR job_id = $2)
    RETURNING job_id, position, album, artist, hints, result, album_id, finished_at
), known AS (
    SELECT t.*, CASE WHEN result = $4 THEN (
        SELECT string_agg(s.source, ',' ORDER BY s.source) FROM ingest_steps s
        WHERE s.job_id = t.job_id AND s.position = t.position AND s.outcome = ANY($5::text[])) END AS unfinished
    FROM taken t
)
INSERT INTO ingest_items (job_id, position, album, artist, hints, album_id)
SELECT $1, row_number() OVER (ORDER BY k.job_id, k.position), k.album, k.artist,
    CASE WHEN k.unfinished IS NULL THEN k.hints
         ELSE coalesce(n.named, '{}') || k.hints || jsonb_build_object($6::text, k.unfinished) END,
    CASE WHEN k.unfinished IS NOT NULL THEN k.album_id END
FROM known k LEFT JOIN LATERAL (
    SELECT jsonb_object_agg(h.hint, a.ids->>h.source) AS named
    FROM albums a JOIN unnest($7::text[], $8::text[]) AS h (source, hint) ON a.ids ? h.source WHERE a.id = k.album_id
) n ON k.unfinished IS NOT NULL
"""
_RETRIED: Final = """
SELECT retried_by AS job, count(*) AS albums FROM ingest_items
WHERE job_id = $1 AND result = ANY($2::text[]) AND retried_by IS NOT NULL GROUP BY 1 ORDER BY 1
"""
_DEAD: Final = """
SELECT i.job_id, i.position, i.album, i.artist, i.detail, i.finished_at, s.failures::text AS failures
FROM ingest_items i LEFT JOIN LATERAL (
    SELECT jsonb_agg(jsonb_build_object('source', source, 'outcome', outcome, 'detail', detail,
                                        'attempts', greatest(failures + (outcome = 'failed')::int, attempts, 1))
                     ORDER BY source) AS failures
    FROM ingest_steps WHERE job_id = i.job_id AND position = i.position AND outcome NOT IN ('ok', 'unconfigured')
) s ON true
WHERE i.state = 'done' AND i.result = 'failed' AND i.retried_by IS NULL
  AND ($1::timestamptz IS NULL OR (i.finished_at, i.job_id, i.position) < ($1, $2, $3))
ORDER BY i.finished_at DESC, i.job_id DESC, i.position DESC LIMIT $4
"""


class RetryRepository:
    """Takes albums up again.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def take_up(
        self,
        job_id: str | None,
        results: Sequence[IngestResult],
        *,
        unfinished: Sequence[Outcome],
        sources_hint: str,
        hints: Mapping[str, str],
        priority: int = 0,
    ) -> tuple[str, int]:
        """Make a job of the albums that ended so and were not taken up before.

        Args:
            job_id: of which job; None for all jobs.
            results: how they ended.
            unfinished: after which outcomes a source of an album stored in part is asked again.
            sources_hint: the key of hints that names the sources to ask.
            hints: by source, the key of hints by which it takes exactly the album it calls so.
            priority: of the new job.

        Returns:
            The new job's id and its number of albums; 0 when there is none, and then there is no job.
        """
        made = new_id()
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO ingest_jobs (id, kind, total, priority, traceparent) VALUES ($1, 'retry', 0, $2, $3)",
                made,
                priority,
                traceparent(),
            )
            done = await connection.execute(
                _TAKE,
                made,
                job_id,
                [r.value for r in results],
                IngestResult.PARTIAL.value,
                [o.value for o in unfinished],
                sources_hint,
                list(hints),
                list(hints.values()),
            )
            number = int(str(done).rsplit(" ", 1)[-1])
            await _settle(connection, made, number)
        return made, number

    async def retried(self, job_id: str, results: Sequence[IngestResult]) -> dict[str, int]:
        """How many albums of a job that ended so were taken up already, by the job that did."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_RETRIED, job_id, [r.value for r in results])
        return {row["job"]: row["albums"] for row in rows}

    async def dead(self, *, after: tuple[Any, str, int] | None, limit: int) -> list[DeadLetter]:
        """Albums that failed and that nobody has taken up, over all jobs, the latest first.

        Args:
            after: where the page before ended: finished_at, job and position.
            limit: at most so many.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(_DEAD, *(after or (None, None, None)), limit)
        return [
            DeadLetter(
                job_id=row["job_id"],
                position=row["position"],
                album=row["album"],
                artist=row["artist"],
                detail=row["detail"] or "",
                finished_at=row["finished_at"],
                sources=msgspec.json.decode(row["failures"] or "[]", type=tuple[SourceFailure, ...]),
            )
            for row in rows
        ]


async def _settle(connection: Connection, job_id: str, number: int) -> None:
    if number:
        await connection.execute("UPDATE ingest_jobs SET total = $2 WHERE id = $1", job_id, number)
    else:
        await connection.execute("DELETE FROM ingest_jobs WHERE id = $1", job_id)
