"""Jobs: lists of albums that were asked for, and how far they are."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from backend.models.ingestion_models import AlbumQuery, Outcome, SourceOutcome
from backend.models.results import IngestReport, IngestResult, JobItem, JobStatus
from backend.repositories.database import Connection, Database
from backend.repositories.step_rows import OUTCOME_COLUMNS, outcome_of, outcome_rows
from backend.utils.errors import NotFoundError
from backend.utils.tracing import span, traceparent

_COUNTS: Final = """
SELECT job_id, CASE state WHEN 'done' THEN coalesce(result, 'failed') WHEN 'storing' THEN 'running' ELSE state END AS name,
       count(*) AS n
FROM ingest_items WHERE job_id = ANY($1) GROUP BY 1, 2
"""
_ORDER: Final = ("queued", "running", "waiting", *(r.value for r in IngestResult))


class JobRepository:
    """Reads and writes `ingest_jobs`, and the albums of jobs as they end."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(
        self,
        albums: Sequence[AlbumQuery],
        *,
        job_id: str | None = None,
        kind: str = "ingest",
        priority: int = 0,
    ) -> str:
        """Store a list as a job and answer its id; a job of the given id that is there already stays as it is."""
        job_id = job_id or new_id()
        with span("job", kind="producer", job=job_id, albums=len(albums)):
            return await self._create(job_id, albums, kind=kind, priority=priority)

    async def _create(self, job_id: str, albums: Sequence[AlbumQuery], *, kind: str, priority: int) -> str:
        parent = traceparent()
        async with self._database.transaction() as connection:
            made = await connection.fetchval(
                "INSERT INTO ingest_jobs (id, total, kind, priority, traceparent) VALUES ($1, $2, $3, $4, $5) "
                "ON CONFLICT DO NOTHING RETURNING id",
                job_id,
                len(albums),
                kind,
                priority,
                parent,
            )
            if made is not None:
                rows = (
                    (job_id, n, q.album, q.artist, msgspec.json.encode(q.hints).decode())
                    for n, q in enumerate(albums, 1)
                )
                columns = ("job_id", "position", "album", "artist", "hints")
                await connection.copy_records_to_table("ingest_items", records=rows, columns=columns)
        return job_id

    async def trace_of(self, job_id: str) -> str | None:
        """The trace that a job was asked for in (a traceparent); None where there is none."""
        async with self._database.connection() as connection:
            found: str | None = await connection.fetchval("SELECT traceparent FROM ingest_jobs WHERE id = $1", job_id)
        return found

    async def record(self, query: AlbumQuery, report: IngestReport) -> str:
        """Keep the report of an album that was ingested at once, as a job of one; who was throttled is asked again later."""
        job_id = new_id()
        parked = [o.source for o in report.sources if o.outcome is Outcome.THROTTLED and o.retry_at is not None]
        async with self._database.transaction() as connection:
            await connection.execute(
                "INSERT INTO ingest_jobs (id, total, finished_at) VALUES ($1, 1, CASE WHEN $2 THEN now() END)",
                job_id,
                not parked,
            )
            await connection.execute(
                "INSERT INTO ingest_items (job_id, position, album, artist, hints, state, attempts, result, detail, "
                "album_id, finished_at) VALUES ($1, 1, $2, $3, $4::jsonb, $5, 1, $6, $7, $8, now())",
                job_id,
                query.album,
                query.artist,
                msgspec.json.encode(query.hints).decode(),
                "waiting" if parked else "done",
                report.result.value,
                report.detail,
                report.album_id,
            )
            await connection.copy_records_to_table(
                "ingest_steps", records=outcome_rows(job_id, 1, report.sources), columns=OUTCOME_COLUMNS
            )
            await connection.execute(
                "UPDATE ingest_steps SET state = 'parked', round = 1 WHERE job_id = $1 AND source = ANY($2)",
                job_id,
                parked,
            )
        return job_id

    async def status(
        self, job_id: str, *, offset: int = 0, limit: int = 100, results: Sequence[IngestResult] | None = None
    ) -> JobStatus:
        """A job as it stands, with a page of its albums; with `results` of those that ended so.

        Raises:
            NotFoundError: no job has this id.
        """
        async with self._database.transaction() as connection:
            job = await connection.fetchrow("SELECT * FROM ingest_jobs WHERE id = $1", job_id)
            if job is None:
                raise NotFoundError(f"No job has the id {job_id[:100]!r}; /ml/jobs lists the latest")
            counts = await _counts(connection, [job_id])
            items = await _items(connection, job_id, offset=offset, limit=limit, results=results)
        return _status(job, counts.get(job_id, {}), items)

    async def list(self, *, limit: int = 20) -> list[JobStatus]:
        """The latest jobs, newest first, without their albums."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch("SELECT * FROM ingest_jobs ORDER BY created_at DESC, id LIMIT $1", limit)
            counts = await _counts(connection, [row["id"] for row in rows])
        return [_status(row, counts.get(row["id"], {}), ()) for row in rows]


def new_id() -> str:
    """An id that sorts by time: the oldest job is worked on first, and the index of open items has them in this order."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


async def _counts(connection: Connection, job_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in await connection.fetch(_COUNTS, job_ids):
        found.setdefault(row["job_id"], {})[row["name"]] = row["n"]
    return found


async def _items(
    connection: Connection, job_id: str, *, offset: int, limit: int, results: Sequence[IngestResult] | None
) -> tuple[JobItem, ...]:
    rows = await connection.fetch(
        "SELECT position, album, artist, state, result, detail, album_id FROM ingest_items WHERE job_id = $1 "
        "AND ($4::text[] IS NULL OR (state = 'done' AND result = ANY($4))) ORDER BY position OFFSET $2 LIMIT $3",
        job_id,
        offset,
        limit,
        None if results is None else [result.value for result in results],
    )
    outcomes: dict[int, list[SourceOutcome]] = {}
    for row in await connection.fetch(
        "SELECT * FROM ingest_steps WHERE job_id = $1 AND position = ANY($2) AND outcome IS NOT NULL ORDER BY source",
        job_id,
        [row["position"] for row in rows],
    ):
        outcomes.setdefault(row["position"], []).append(outcome_of(row))
    return tuple(
        JobItem(
            position=row["position"],
            album=row["album"],
            artist=row["artist"],
            state=row["state"],
            result=IngestResult(row["result"]) if row["result"] else None,
            detail=row["detail"],
            album_id=row["album_id"],
            sources=tuple(outcomes.get(row["position"], ())),
        )
        for row in rows
    )


def _status(job: Any, counts: dict[str, int], items: tuple[JobItem, ...]) -> JobStatus:
    return JobStatus(
        id=job["id"],
        created_at=job["created_at"],
        finished_at=job["finished_at"],
        total=job["total"],
        kind=job["kind"],
        state="finished" if job["finished_at"] is not None and job["state"] != "cancelled" else job["state"],
        priority=job["priority"],
        counts={name: counts.get(name, 0) for name in _ORDER},
        items=items,
    )
