"""Jobs: lists of albums that wait, are in work by lease, or are done."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from backend.models.ingestion_models import AlbumQuery, Outcome, SourceOutcome
from backend.models.results import IngestReport, IngestResult, JobItem, JobStatus
from backend.repositories.database import Connection, Database
from backend.utils.errors import NotFoundError

_CLAIM: Final = """
WITH open AS (
    SELECT job_id, position FROM ingest_items
    WHERE state <> 'done' AND (state = 'queued' OR lease_until < now())
    ORDER BY job_id, position LIMIT $1 FOR UPDATE SKIP LOCKED
)
UPDATE ingest_items i SET state = 'running', attempts = attempts + 1, lease_until = now() + make_interval(secs => $2)
FROM open WHERE i.job_id = open.job_id AND i.position = open.position
RETURNING i.job_id, i.position, i.album, i.artist, i.hints::text AS hints, i.attempts
"""
_COUNTS: Final = """
SELECT job_id, CASE WHEN state = 'done' THEN coalesce(result, 'failed') ELSE state END AS name, count(*) AS n
FROM ingest_items WHERE job_id = ANY($1) GROUP BY 1, 2
"""
# Grouped in two steps: outcomes are many, their kinds are few.
_STATISTICS: Final = """
WITH o AS (
    SELECT source, outcome, count(*) AS n, sum(seconds) AS seconds, sum(tracks) AS tracks, max(at) AS at,
           max(retry_at) FILTER (WHERE retry_at > now()) AS retry_at
    FROM source_outcomes GROUP BY source, outcome
)
SELECT source, sum(n)::bigint AS asked,
       (sum(seconds) FILTER (WHERE outcome <> 'unconfigured')
        / sum(n) FILTER (WHERE outcome <> 'unconfigured'))::float8 AS mean_seconds,
       sum(tracks)::bigint AS tracks, max(at) AS last_asked, jsonb_object_agg(outcome, n)::text AS outcomes,
       (SELECT f.detail FROM source_outcomes f WHERE f.source = o.source AND f.outcome = 'failed'
        ORDER BY f.at DESC, f.id DESC LIMIT 1) AS last_failure,
       max(retry_at) AS throttled_until
FROM o GROUP BY source ORDER BY source
"""
_ORDER: Final = ("queued", "running", *(r.value for r in IngestResult))


@dataclass(frozen=True, slots=True)
class ClaimedItem:
    """An album that this process works on until its lease ends."""

    job_id: str
    position: int
    album: str
    artist: str
    hints: dict[str, str]
    attempts: int  # this one included; also tells this holder of the lease from later ones


class JobRepository:
    """Reads and writes `ingest_jobs`, `ingest_items` and `source_outcomes`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create(self, albums: Sequence[AlbumQuery], *, job_id: str | None = None) -> str:
        """Store a list as a job and answer its id; a job of the given id that is there already stays as it is."""
        job_id = job_id or _new_id()
        async with self._database.transaction() as connection:
            made = await connection.fetchval(
                "INSERT INTO ingest_jobs (id, total) VALUES ($1, $2) ON CONFLICT DO NOTHING RETURNING id",
                job_id,
                len(albums),
            )
            if made is not None:
                rows = [
                    (job_id, n, q.album, q.artist, msgspec.json.encode(q.hints).decode())
                    for n, q in enumerate(albums, 1)
                ]
                columns = ("job_id", "position", "album", "artist", "hints")
                await connection.copy_records_to_table("ingest_items", records=rows, columns=columns)
        return job_id

    async def record(self, query: AlbumQuery, report: IngestReport) -> str:
        """Keep the report of an album that was ingested at once, as a job of one."""
        job_id = _new_id()
        async with self._database.transaction() as connection:
            await connection.execute("INSERT INTO ingest_jobs (id, total, finished_at) VALUES ($1, 1, now())", job_id)
            await connection.execute(
                "INSERT INTO ingest_items (job_id, position, album, artist, state, attempts, result, detail, album_id, "
                "finished_at) VALUES ($1, 1, $2, $3, 'done', 1, $4, $5, $6, now())",
                job_id,
                query.album,
                query.artist,
                report.result.value,
                report.detail,
                report.album_id,
            )
            await _write_outcomes(connection, job_id, 1, report.sources)
        return job_id

    async def claim(self, limit: int, *, lease_seconds: float) -> list[ClaimedItem]:
        """Take albums that wait, or whose holder gave no sign of life until its lease ended."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_CLAIM, limit, lease_seconds)
        return [
            ClaimedItem(
                job_id=r["job_id"],
                position=r["position"],
                album=r["album"],
                artist=r["artist"],
                hints=msgspec.json.decode(r["hints"], type=dict[str, str]),
                attempts=r["attempts"],
            )
            for r in sorted(rows, key=lambda r: (r["job_id"], r["position"]))
        ]

    async def renew(self, item: ClaimedItem, *, lease_seconds: float) -> bool:
        """Hold an album for longer; False when somebody else has taken it over."""
        return await self._change(item, "lease_until = now() + make_interval(secs => $4)", lease_seconds)

    async def release(self, item: ClaimedItem) -> bool:
        """Give an album back; it is taken up again."""
        return await self._change(item, "state = 'queued', lease_until = NULL")

    async def _change(self, item: ClaimedItem, change: str, *parameters: object) -> bool:
        async with self._database.connection() as connection:
            done = await connection.execute(
                f"UPDATE ingest_items SET {change} WHERE job_id = $1 AND position = $2 AND attempts = $3 "
                "AND state = 'running'",
                item.job_id,
                item.position,
                item.attempts,
                *parameters,
            )
        return str(done) == "UPDATE 1"

    async def finish(self, item: ClaimedItem, report: IngestReport) -> bool:
        """Write an album's report, and the end of its job with the last one.

        Returns:
            False when somebody else has taken the album over meanwhile: his report counts, not this one.
        """
        async with self._database.transaction() as connection:
            # Two last albums that end at once must see each other: the job's row orders them.
            await connection.execute("SELECT FROM ingest_jobs WHERE id = $1 FOR UPDATE", item.job_id)
            mine = await connection.fetchval(
                "UPDATE ingest_items SET state = 'done', result = $4, detail = $5, album_id = $6, finished_at = now(), "
                "lease_until = NULL WHERE job_id = $1 AND position = $2 AND attempts = $3 AND state = 'running' "
                "RETURNING true",
                item.job_id,
                item.position,
                item.attempts,
                report.result.value,
                report.detail,
                report.album_id,
            )
            if not mine:
                return False
            await _write_outcomes(connection, item.job_id, item.position, report.sources)
            await connection.execute(
                "UPDATE ingest_jobs SET finished_at = now() WHERE id = $1 AND NOT EXISTS "
                "(SELECT FROM ingest_items WHERE job_id = $1 AND state <> 'done')",
                item.job_id,
            )
        return True

    async def status(self, job_id: str, *, offset: int = 0, limit: int = 100) -> JobStatus:
        """A job as it stands, with a page of its albums.

        Raises:
            NotFoundError: no job has this id.
        """
        async with self._database.transaction() as connection:
            job = await connection.fetchrow("SELECT * FROM ingest_jobs WHERE id = $1", job_id)
            if job is None:
                raise NotFoundError(f"No job has the id {job_id[:100]!r}; /ml/jobs lists the latest")
            counts = await _counts(connection, [job_id])
            items = await _items(connection, job_id, offset=offset, limit=limit)
        return _status(job, counts.get(job_id, {}), items)

    async def list(self, *, limit: int = 20) -> list[JobStatus]:
        """The latest jobs, newest first, without their albums."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch("SELECT * FROM ingest_jobs ORDER BY created_at DESC, id LIMIT $1", limit)
            counts = await _counts(connection, [row["id"] for row in rows])
        return [_status(row, counts.get(row["id"], {}), ()) for row in rows]

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


def _new_id() -> str:
    """An id that sorts by time: the oldest job is worked on first, and the index of open items has them in this order."""
    return f"{time.time_ns() // 1_000_000:012x}{secrets.token_hex(10)}"


async def _write_outcomes(
    connection: Connection, job_id: str, position: int, outcomes: Sequence[SourceOutcome]
) -> None:
    rows = [(job_id, position, o.source, o.outcome.value, o.detail, o.retry_at, o.tracks, o.seconds) for o in outcomes]
    columns = ("job_id", "position", "source", "outcome", "detail", "retry_at", "tracks", "seconds")
    await connection.copy_records_to_table("source_outcomes", records=rows, columns=columns)


async def _counts(connection: Connection, job_ids: Sequence[str]) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for row in await connection.fetch(_COUNTS, job_ids):
        found.setdefault(row["job_id"], {})[row["name"]] = row["n"]
    return found


async def _items(connection: Connection, job_id: str, *, offset: int, limit: int) -> tuple[JobItem, ...]:
    rows = await connection.fetch(
        "SELECT position, album, artist, state, result, detail, album_id FROM ingest_items WHERE job_id = $1 "
        "ORDER BY position OFFSET $2 LIMIT $3",
        job_id,
        offset,
        limit,
    )
    outcomes: dict[int, list[SourceOutcome]] = {}
    for row in await connection.fetch(
        "SELECT * FROM source_outcomes WHERE job_id = $1 AND position = ANY($2) ORDER BY id",
        job_id,
        [row["position"] for row in rows],
    ):
        outcomes.setdefault(row["position"], []).append(_outcome(row))
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


def _outcome(row: Any) -> SourceOutcome:
    retry_at: datetime | None = row["retry_at"]
    return SourceOutcome(
        source=row["source"],
        outcome=Outcome(row["outcome"]),
        detail=row["detail"],
        retry_at=retry_at,
        tracks=row["tracks"],
        seconds=row["seconds"],
    )


def _status(job: Any, counts: dict[str, int], items: tuple[JobItem, ...]) -> JobStatus:
    return JobStatus(
        id=job["id"],
        created_at=job["created_at"],
        finished_at=job["finished_at"],
        total=job["total"],
        counts={name: counts.get(name, 0) for name in _ORDER},
        items=items,
    )
