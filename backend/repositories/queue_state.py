"""How the work of all workers stands, for those who look for faults; nothing is changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from backend.repositories.database import Database
from backend.repositories.queue_drivers import AT_WORK
from backend.repositories.step_queue import QUEUE

_NAMED: Final = 3  # jobs that are named; the others are counted

# Who works keeps a connection all the time.
_WORKERS: Final = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND application_name = $1"
_QUEUE: Final = f"""
SELECT count(*) FILTER (WHERE status = 'queued' AND execute_after <= now()) AS due,
       extract(epoch FROM now() - min(greatest(created, execute_after))
               FILTER (WHERE status = 'queued' AND execute_after <= now()))::float8 AS oldest,
       count(*) FILTER (WHERE status = 'picked') AS taken,
       count(*) FILTER (WHERE status = 'picked' AND heartbeat < now() - make_interval(secs => $1)) AS lost,
       extract(epoch FROM now() - min(heartbeat) FILTER (WHERE status = 'picked'))::float8 AS silent
FROM {QUEUE}
"""
_OPEN: Final = """
SELECT (SELECT count(*) FROM ingest_jobs WHERE finished_at IS NULL AND state = 'open') AS jobs,
       (SELECT count(*) FROM ingest_jobs WHERE finished_at IS NULL AND state = 'paused') AS paused
"""
# Neither begun, stored nor asked for anything in that time, and not waiting until a source may be asked again.
_STANDING: Final = """
SELECT j.id FROM ingest_jobs j
WHERE j.finished_at IS NULL AND j.state = 'open' AND j.created_at < now() - make_interval(secs => $1)
  AND NOT EXISTS (SELECT FROM ingest_items i WHERE i.job_id = j.id AND i.changed_at > now() - make_interval(secs => $1))
  AND NOT EXISTS (SELECT FROM ingest_steps s WHERE s.job_id = j.id AND (
        s.at > now() - make_interval(secs => $1) OR (s.state = 'parked' AND s.not_before > now())))
ORDER BY j.id
"""
_FAILED: Final = """
SELECT job_id, count(*) AS albums FROM ingest_items
WHERE state = 'done' AND result = 'failed' AND retried_by IS NULL
GROUP BY job_id ORDER BY max(finished_at) DESC
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueState:
    """How the work stands.

    Attributes:
        workers: processes that take steps.
        due: steps that could be taken now.
        oldest: seconds for which the oldest of them has been due; None without one.
        taken: steps that somebody has.
        lost: of these, how many gave no sign of life for too long.
        silent: seconds since the last sign of the most silent one.
        jobs: open ones.
        paused: jobs that take a rest.
        standing: some open jobs in which nothing has happened for long, and how many there are.
        failed: some jobs with albums that failed and that nobody took up, and how many such albums there are.
    """

    workers: int
    due: int
    oldest: float | None
    taken: int
    lost: int
    silent: float | None
    jobs: int
    paused: int
    standing: tuple[tuple[str, ...], int]
    failed: tuple[tuple[str, ...], int]


async def read_queue(database: Database, *, lost_after: float, standing_after: float) -> QueueState:
    """Ask how the work stands.

    Args:
        database: the tables, migrated.
        lost_after: seconds without a sign of life that are too many.
        standing_after: seconds without any change after which a job stands still.

    Raises:
        DatabaseError: it cannot be asked.
    """
    async with database.connection() as connection:
        workers = await connection.fetchval(_WORKERS, AT_WORK)
        queue = await connection.fetchrow(_QUEUE, lost_after)
        opened = await connection.fetchrow(_OPEN)
        standing = [row["id"] for row in await connection.fetch(_STANDING, standing_after)]
        failed = await connection.fetch(_FAILED)
    return QueueState(
        workers=workers,
        due=queue["due"],
        oldest=queue["oldest"],
        taken=queue["taken"],
        lost=queue["lost"],
        silent=queue["silent"],
        jobs=opened["jobs"],
        paused=opened["paused"],
        standing=(tuple(standing[:_NAMED]), len(standing)),
        failed=(tuple(row["job_id"] for row in failed[:_NAMED]), sum(row["albums"] for row in failed)),
    )
