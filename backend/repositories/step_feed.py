"""Albums and steps that are due: begun in a fair order, woken when their time has come, put again when a message was lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from backend.models.ingestion_models import AlbumQuery
from backend.models.steps import Move, StepView
from backend.repositories.database import Connection, Database
from backend.repositories.step_queue import STORE, Message, put
from backend.repositories.step_rows import query_of

Next = Callable[[AlbumQuery, Mapping[str, StepView], str | None], Move]
"""What is to be done for an album, from how its steps stand and which has just ended."""

_FEED_LOCK: Final = 0x74656E736F66  # "tensof": one worker at a time begins albums

# Albums of a job that rests take nobody's room.
_BEGUN: Final = """
SELECT count(*) FROM ingest_items i JOIN ingest_jobs j ON j.id = i.job_id
WHERE i.state IN ('running', 'storing') AND j.state = 'open'
"""
# Of each open job the next albums; a job that was idle starts where the others are now, neither ahead nor behind for its rest.
_NEXT_ITEMS: Final = """
WITH jobs AS (
    SELECT j.id, j.priority, greatest(j.place, coalesce(
        (SELECT min(i.place) FROM ingest_items i WHERE i.state IN ('running', 'storing')), 0)) AS place
    FROM ingest_jobs j WHERE j.finished_at IS NULL AND j.state = 'open'
), due AS (
    SELECT i.job_id, i.position, j.priority, j.place + row_number() OVER (PARTITION BY j.id ORDER BY i.position) AS place
    FROM jobs j CROSS JOIN LATERAL (
        SELECT job_id, position FROM ingest_items WHERE job_id = j.id AND state = 'queued' ORDER BY position LIMIT $1
    ) i
)
UPDATE ingest_items i SET state = 'running', place = d.place, changed_at = now()
FROM (SELECT * FROM due ORDER BY priority DESC, place, job_id, position LIMIT $1) d
WHERE i.job_id = d.job_id AND i.position = d.position AND i.state = 'queued'  -- still: its job may just be called off
RETURNING i.job_id, i.position, i.album, i.artist, i.hints::text AS hints, d.place, d.priority
"""
_MOVE_JOBS: Final = """
UPDATE ingest_jobs j SET place = n.place FROM unnest($1::text[], $2::bigint[]) AS n (id, place) WHERE j.id = n.id
"""
# Job by job, so that one that rests costs nothing, however many of its steps have their time behind them.
DUE: Final = """
WITH near AS (
    SELECT s.job_id, s.position, s.source FROM ingest_jobs j CROSS JOIN LATERAL (
        SELECT job_id, position, source, not_before FROM ingest_steps
        WHERE job_id = j.id AND state = 'parked' AND not_before <= now() ORDER BY not_before LIMIT $1
    ) s WHERE j.state = 'open' AND j.finished_at IS NULL ORDER BY s.not_before LIMIT $1
), due AS (
    SELECT s.job_id, s.position, s.source FROM near JOIN ingest_steps s USING (job_id, position, source)
    WHERE s.state = 'parked' AND s.not_before <= now() FOR UPDATE OF s SKIP LOCKED
), woken AS (
    UPDATE ingest_steps s SET state = 'queued', attempts = 0, at = now() FROM due d
    WHERE (s.job_id, s.position, s.source) = (d.job_id, d.position, d.source)
    RETURNING s.job_id, s.position, s.source, s.round
), items AS (
    UPDATE ingest_items i SET state = CASE WHEN i.state = 'waiting' THEN 'running' ELSE i.state END, changed_at = now()
    FROM (SELECT DISTINCT job_id, position FROM woken) w WHERE i.job_id = w.job_id AND i.position = w.position
    RETURNING i.job_id, i.position, i.place
)
SELECT w.job_id, w.position, w.source, w.round, j.priority, coalesce(i.place, 0) AS place
FROM woken w JOIN items i USING (job_id, position) JOIN ingest_jobs j ON j.id = w.job_id
"""
"""Parked steps whose time has come, back in the queue; $1 the most at once. Named for those who look how it is planned."""

# What should be in the queue and perhaps is not: put again, which does nothing where it is.
_OVERDUE: Final = """
SELECT s.job_id, s.position, s.source, s.round, j.priority, coalesce(i.place, 0) AS place
FROM ingest_items i JOIN ingest_jobs j ON j.id = i.job_id
JOIN ingest_steps s ON s.job_id = i.job_id AND s.position = i.position AND s.state = 'queued'
WHERE i.state IN ('running', 'storing') AND i.changed_at < now() - make_interval(secs => $1)
UNION ALL
SELECT i.job_id, i.position, '', i.round, j.priority, coalesce(i.place, 0)
FROM ingest_items i JOIN ingest_jobs j ON j.id = i.job_id
WHERE i.state = 'storing' AND i.changed_at < now() - make_interval(secs => $1)
LIMIT $2
"""


class StepFeed:
    """Puts messages of what is due.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    async def feed(self, following: Next, *, window: int, most: int) -> int:
        """Begin waiting albums; answers how many were begun.

        Args:
            following: what is to be done for an album.
            window: the most on their way at a time, over all workers.
            most: to begin at once.
        """
        async with self._database.transaction() as connection:
            if not await connection.fetchval("SELECT pg_try_advisory_xact_lock($1)", _FEED_LOCK):
                return 0
            free = min(most, window - await connection.fetchval(_BEGUN))
            rows = await connection.fetch(_NEXT_ITEMS, free) if free > 0 else []
            if not rows:
                return 0
            places: dict[str, int] = {}
            for row in rows:
                places[row["job_id"]] = max(places.get(row["job_id"], 0), row["place"])
            await connection.execute(_MOVE_JOBS, list(places), list(places.values()))
            steps: list[tuple[str, int, str, str, str | None, str]] = []
            messages: list[Message] = []
            for row in rows:
                job_id, position = row["job_id"], row["position"]
                move = following(query_of(row), {}, None)
                messages += [Message(job_id, position, s, 0, row["priority"], row["place"]) for s in move.ask]
                steps += [(job_id, position, s, "queued", None, "") for s in move.ask]
                steps += [(job_id, position, o.source, "done", o.outcome.value, o.detail) for o in move.settled]
                if move.store:
                    await self._to_storing(connection, row, round_=0)
            columns = ("job_id", "position", "source", "state", "outcome", "detail")
            await connection.copy_records_to_table("ingest_steps", records=steps, columns=columns)
            await put(connection, messages)
        return len(rows)

    async def wake(self, limit: int) -> int:
        """Have parked steps whose time has come asked again; answers how many."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(DUE, limit)
            await put(connection, [_message(row) for row in rows])
        return len(rows)

    async def mend(self, *, older_than: float, limit: int = 1000) -> int:
        """Put messages again that should be there; answers of how many steps that was tried."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_OVERDUE, older_than, limit)
            await put(connection, [_message(row) for row in rows])
        return len(rows)

    @staticmethod
    async def _to_storing(connection: Connection, row: Any, *, round_: int) -> None:
        await connection.execute(
            "UPDATE ingest_items SET state = 'storing', round = $3, attempts = 0, changed_at = now() "
            "WHERE job_id = $1 AND position = $2",
            row["job_id"],
            row["position"],
            round_,
        )
        message = Message(row["job_id"], row["position"], STORE, round_, row["priority"], row["place"] or 0)
        await put(connection, [message])


def _message(row: Any) -> Message:
    return Message(row["job_id"], row["position"], row["source"], row["round"], row["priority"], row["place"])
