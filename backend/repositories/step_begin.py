"""Steps that workers begin: several by one statement, each with what the other sources said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from backend.models.steps import Step
from backend.repositories.database import Connection
from backend.repositories.records_in_mind import RecordsInMind
from backend.repositories.step_queue import Message
from backend.repositories.step_rows import query_of, said

# The steps, and what the others said: in this job, else what is stored of the album. What the worker has in mind is not read.
_BEGIN: Final = """
WITH begun AS (
    -- Joined to nothing else: with figures from before the steps came, the planner would look for each in all of its job.
    UPDATE ingest_steps s SET attempts = s.attempts + 1, at = now()
    FROM unnest($1::text[], $2::int[], $3::text[], $4::int[]) AS n (job_id, position, source, round),
         (SELECT set_config('synchronous_commit', 'off', true)) AS relaxed
    WHERE s.job_id = n.job_id AND s.position = n.position AND s.source = n.source AND s.round = n.round AND s.state = 'queued'
    RETURNING s.job_id, s.position, s.source AS asked, s.attempts, s.failures
)
SELECT b.*, i.album, i.artist, i.hints::text AS hints, i.album_id, j.state = 'paused' AS paused,
    r.source, r.round, r.record, r.rights, r.fetched_at
FROM begun b JOIN ingest_items i USING (job_id, position) JOIN ingest_jobs j ON j.id = b.job_id LEFT JOIN LATERAL (
    SELECT source, round, CASE WHEN job_id || ':' || position || ':' || source || ':' || round = ANY($5::text[]) THEN NULL
           ELSE record END AS record, NULL AS rights, NULL::timestamptz AS fetched_at
    FROM ingest_steps WHERE job_id = b.job_id AND position = b.position AND record IS NOT NULL AND source <> b.asked
    UNION ALL
    SELECT source, 0, record::text, rights, fetched_at FROM source_records
    WHERE album_id = i.album_id AND valid_to IS NULL AND source <> b.asked AND source NOT IN (
        SELECT source FROM ingest_steps WHERE job_id = b.job_id AND position = b.position AND record IS NOT NULL)
) r ON true ORDER BY b.job_id, b.position, b.asked, r.source
"""

_Key = tuple[str, int, str]


async def begin_all(connection: Connection, messages: Sequence[Message], mind: RecordsInMind) -> list[Step | None]:
    """The steps of messages; None for those that are no longer to be done.

    A message that is given twice is begun once: by the later one nothing is to be done.
    """
    first: dict[_Key, Message] = {}
    for m in messages:
        first.setdefault((m.job_id, m.position, m.source), m)
    known = {(m.job_id, m.position): mind.of(m.job_id, m.position) for m in messages}
    columns = [[getattr(m, name) for m in first.values()] for name in ("job_id", "position", "source", "round")]
    in_mind = [f"{job}:{position}:{source}:{n}" for (job, position), told in known.items() for source, n in told]
    rows: dict[_Key, list[Any]] = {}
    for row in await connection.fetch(_BEGIN, *columns, in_mind):
        rows.setdefault((row["job_id"], row["position"], row["asked"]), []).append(row)
    begun = {
        m: _step(m, rows[key], known[m.job_id, m.position])
        for m in messages
        if (key := (m.job_id, m.position, m.source)) in rows and first[key] is m
    }
    return [begun.get(m) if first[m.job_id, m.position, m.source] is m else None for m in messages]


def _step(message: Message, rows: Sequence[Any], known: Mapping[tuple[str, int], Any]) -> Step:
    row = rows[0]
    return Step(
        job_id=message.job_id,
        position=message.position,
        source=message.source,
        round=message.round,
        attempts=row["attempts"],
        failures=row["failures"],
        paused=row["paused"],
        query=query_of(row),
        records=tuple(
            said(r) if r["record"] is not None else known[r["source"], r["round"]]
            for r in rows
            if r["source"] is not None
        ),
    )
