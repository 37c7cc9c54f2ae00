"""Albums whose sources have been asked: taken to be stored, and closed with their report, several at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from backend.models.results import IngestReport
from backend.models.steps import Gathered
from backend.repositories.database import Connection
from backend.repositories.records_in_mind import RecordsInMind
from backend.repositories.step_ends import TakenError
from backend.repositories.step_queue import Message
from backend.repositories.step_rows import outcome_of, query_of, said

_GATHER: Final = """
WITH gathered AS (
    UPDATE ingest_items i SET attempts = i.attempts + 1, changed_at = now()
    FROM unnest($1::text[], $2::int[], $3::int[]) AS n (job_id, position, round),
         (SELECT set_config('synchronous_commit', 'off', true)) AS relaxed
    WHERE i.job_id = n.job_id AND i.position = n.position AND i.round = n.round AND i.state = 'storing'
    RETURNING i.job_id, i.position, i.album, i.artist, i.hints::text AS hints, i.attempts, i.album_id
)
SELECT g.*, s.source, s.round, s.outcome, s.detail, s.not_before, s.tracks, s.seconds, s.candidates,
    s.record IS NOT NULL AS told, NULL AS rights,
    CASE WHEN s.job_id || ':' || s.position || ':' || s.source || ':' || s.round = ANY($4::text[]) THEN NULL ELSE s.record END
        AS record
FROM gathered g LEFT JOIN ingest_steps s ON s.job_id = g.job_id AND s.position = g.position AND s.outcome IS NOT NULL
ORDER BY g.job_id, g.position, s.source
"""
# Several albums wait for nobody; see `step_ends`.
_LOCK: Final = """
SELECT i.job_id FROM unnest($1::text[], $2::int[]) AS n (job_id, position)
JOIN ingest_items i USING (job_id, position) FOR UPDATE OF i
"""
_STORED: Final = """
UPDATE ingest_items i SET result = n.result, detail = n.detail, album_id = n.album_id, finished_at = now(), changed_at = now(),
    state = CASE WHEN EXISTS (SELECT FROM ingest_steps s WHERE s.job_id = i.job_id AND s.position = i.position
                              AND s.state <> 'done') THEN 'waiting' ELSE 'done' END
FROM unnest($1::text[], $2::int[], $3::int[], $4::text[], $5::text[], $6::text[])
    AS n (job_id, position, round, result, detail, album_id)
WHERE i.job_id = n.job_id AND i.position = n.position AND i.round = n.round AND i.state = 'storing'
RETURNING i.job_id, i.position, i.state
"""
# What sources said stands in source_records now.
_FORGET: Final = """
UPDATE ingest_steps s SET record = NULL FROM unnest($1::text[], $2::int[]) AS n (job_id, position)
WHERE s.job_id = n.job_id AND s.position = n.position AND s.record IS NOT NULL
"""
# Two last albums that end at once must see each other: the job's row orders them.
_LOCK_JOBS: Final = "SELECT FROM ingest_jobs WHERE id = ANY($1::text[]) ORDER BY id FOR NO KEY UPDATE"
_FINISH_JOBS: Final = (
    "UPDATE ingest_jobs j SET finished_at = now() WHERE id = ANY($1::text[]) AND finished_at IS NULL AND NOT EXISTS "
    "(SELECT FROM ingest_items WHERE job_id = j.id AND state <> 'done')"
)


async def gather_all(connection: Connection, messages: Sequence[Message], mind: RecordsInMind) -> list[Gathered | None]:
    """What is to be stored by messages; None for those of which that is done, or is another's by now."""
    first = {(m.job_id, m.position, m.round): m for m in reversed(messages)}
    known = {(m.job_id, m.position): mind.take(m.job_id, m.position) for m in messages}
    in_mind = [f"{job}:{position}:{source}:{n}" for (job, position), told in known.items() for source, n in told]
    rows: dict[tuple[str, int], list[Any]] = {}
    columns = [[getattr(m, name) for m in first.values()] for name in ("job_id", "position", "round")]
    for row in await connection.fetch(_GATHER, *columns, in_mind):
        rows.setdefault((row["job_id"], row["position"]), []).append(row)
    taken: list[Gathered | None] = []
    for m in messages:
        steps = rows.get((m.job_id, m.position), []) if first[m.job_id, m.position, m.round] is m else []
        taken.append(_gathered(m, steps, known[m.job_id, m.position]) if steps else None)
    return taken


def _gathered(message: Message, rows: Sequence[Any], known: Any) -> Gathered:
    row = rows[0]
    steps = [r for r in rows if r["source"] is not None]
    return Gathered(
        job_id=message.job_id,
        position=message.position,
        round=message.round,
        attempts=row["attempts"],
        query=query_of(row),
        outcomes=tuple(outcome_of(s) for s in steps),
        records=tuple(known[s["source"], s["round"]] if s["record"] is None else said(s) for s in steps if s["told"]),
        album_id=row["album_id"],
    )


async def close_all(connection: Connection, closed: Sequence[tuple[Gathered, IngestReport]]) -> list[bool]:
    """Write reports, in a transaction, and the ends of jobs with the last ones; of each whether it counts.

    Raises:
        TakenError: of several albums one is not free.
    """
    wanted = sorted({(g.job_id, g.position) for g, _ in closed})
    if len(wanted) > 1:
        free = await connection.fetch(f"{_LOCK} SKIP LOCKED", *_columns(wanted))
        if len(free) < len(wanted):
            raise TakenError
    rows = [(g.job_id, g.position, g.round, r.result.value, r.detail, r.album_id) for g, r in closed]
    states = {(row[0], row[1]): row[2] for row in await connection.fetch(_STORED, *_columns(rows))}
    done = [where for where, state in states.items() if state == "done"]
    if done:
        await connection.execute(_FORGET, *_columns(done))
        await finish(connection, [job_id for job_id, _ in done])
    return [(g.job_id, g.position) in states for g, _ in closed]


async def finish(connection: Connection, jobs: Sequence[str]) -> None:
    """Note the end of those jobs whose albums have all ended."""
    ids = sorted(set(jobs))
    await connection.execute(_LOCK_JOBS, ids)
    await connection.execute(_FINISH_JOBS, ids)


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
