"""Albums of jobs on their way: begun in a fair order, asked source by source, stored, and each step committed by itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import msgspec
import orjson

from backend.models.ingestion_models import AlbumQuery, MatchCandidate, Outcome, SourceOutcome, SourceRecord
from backend.models.results import IngestReport, IngestResult
from backend.models.steps import Gathered, Move, Step, StepEnd, StepView
from backend.repositories import records as kept
from backend.repositories.database import Connection, Database
from backend.repositories.step_queue import STORE, Message, put

Next = Callable[[AlbumQuery, Mapping[str, StepView], str | None], Move]
"""What is to be done for an album, from how its steps stand and which has just ended."""

_MOST_IN_MIND: Final = 300  # albums whose records are kept in mind
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
_DUE: Final = """
WITH due AS (
    SELECT s.job_id, s.position, s.source FROM ingest_steps s JOIN ingest_jobs j ON j.id = s.job_id
    WHERE s.state = 'parked' AND s.not_before <= now() AND j.state = 'open' AND j.finished_at IS NULL
    ORDER BY s.not_before LIMIT $1 FOR UPDATE OF s SKIP LOCKED
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
# The step, and what the others said: in this job, else what is stored of the album. What the worker has in mind is not read.
_BEGIN: Final = """
WITH begun AS (
    UPDATE ingest_steps s SET attempts = s.attempts + 1, at = now()
    FROM ingest_items i JOIN ingest_jobs j ON j.id = i.job_id,
         (SELECT set_config('synchronous_commit', 'off', true)) AS relaxed
    WHERE s.job_id = $1 AND s.position = $2 AND s.source = $3 AND s.round = $4 AND s.state = 'queued'
      AND i.job_id = s.job_id AND i.position = s.position
    RETURNING i.album, i.artist, i.hints::text AS hints, i.album_id, s.attempts, s.failures, j.state = 'paused' AS paused
)
SELECT b.*, r.source, r.round, r.record, r.rights, r.fetched_at FROM begun b LEFT JOIN LATERAL (
    SELECT source, round, CASE WHEN source || ':' || round = ANY($5::text[]) THEN NULL ELSE record END AS record,
           NULL AS rights, NULL::timestamptz AS fetched_at
    FROM ingest_steps WHERE job_id = $1 AND position = $2 AND record IS NOT NULL AND source <> $3
    UNION ALL
    SELECT source, 0, record::text, rights, fetched_at FROM source_records
    WHERE album_id = b.album_id AND valid_to IS NULL AND source <> $3 AND source NOT IN (
        SELECT source FROM ingest_steps WHERE job_id = $1 AND position = $2 AND record IS NOT NULL)
) r ON true ORDER BY r.source
"""
# Whoever resumes the job at this moment waits for it or is seen: no step stays behind.
_REST: Final = """
WITH job AS (SELECT state FROM ingest_jobs WHERE id = $1 FOR SHARE)
UPDATE ingest_steps s SET state = 'parked', round = s.round + 1, at = now(),
    not_before = CASE WHEN job.state = 'paused' THEN NULL ELSE now() END
FROM job WHERE s.job_id = $1 AND s.position = $2 AND s.source = $3 AND s.round = $4 AND s.state = 'queued'
"""
_END: Final = """
UPDATE ingest_steps SET state = $5, round = round + $6, failures = failures + $7, not_before = $8, outcome = $9, detail = $10,
    tracks = $11, seconds = $12, record = $13, candidates = $14, at = now()
WHERE job_id = $1 AND position = $2 AND source = $3 AND round = $4 AND state = 'queued' RETURNING true
"""
# What a crash of the server forgets of it is done again: no step waits for the disk. In one with the album's lock.
_ITEM: Final = """
SELECT set_config('synchronous_commit', 'off', true), i.state, i.round, i.album, i.artist, i.hints::text AS hints, i.place,
       j.priority
FROM ingest_items i JOIN ingest_jobs j ON j.id = i.job_id WHERE i.job_id = $1 AND i.position = $2 FOR UPDATE OF i
"""
_GATHER: Final = """
UPDATE ingest_items SET attempts = attempts + 1, changed_at = now()
WHERE job_id = $1 AND position = $2 AND round = $3 AND state = 'storing'
RETURNING album, artist, hints::text AS hints, attempts, album_id
"""
_STORED: Final = """
UPDATE ingest_items i SET state = CASE WHEN parked THEN 'waiting' ELSE 'done' END, result = $4, detail = $5, album_id = $6,
    finished_at = now(), changed_at = now()
FROM (SELECT EXISTS (SELECT FROM ingest_steps WHERE job_id = $1 AND position = $2 AND state <> 'done') AS parked) p
WHERE i.job_id = $1 AND i.position = $2 AND i.round = $3 AND i.state = 'storing' RETURNING i.state
"""
FINISH_JOB: Final = (
    "UPDATE ingest_jobs SET finished_at = now() WHERE id = $1 AND finished_at IS NULL AND NOT EXISTS "
    "(SELECT FROM ingest_items WHERE job_id = $1 AND state <> 'done')"
)


class StepRepository:
    """Reads and writes albums on their way.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._in_mind: dict[tuple[str, int], dict[tuple[str, int], SourceRecord]] = {}

    # -- beginning -----------------------------------------------------------------------------------

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
                move = following(_query(row), {}, None)
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
            rows = await connection.fetch(_DUE, limit)
            await put(connection, [_message(row) for row in rows])
        return len(rows)

    async def mend(self, *, older_than: float, limit: int = 1000) -> int:
        """Put messages again that should be there; answers of how many steps that was tried."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(_OVERDUE, older_than, limit)
            await put(connection, [_message(row) for row in rows])
        return len(rows)

    # -- asking --------------------------------------------------------------------------------------

    async def begin(self, message: Message) -> Step | None:
        """The step of a message; None when it is no longer to be done."""
        known = self._in_mind.get((message.job_id, message.position), {})
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                _BEGIN, message.job_id, message.position, message.source, message.round,
                [f"{source}:{round_}" for source, round_ in known],
            )  # fmt: skip
        if not rows:
            return None
        row = rows[0]
        return Step(
            job_id=message.job_id,
            position=message.position,
            source=message.source,
            round=message.round,
            attempts=row["attempts"],
            failures=row["failures"],
            paused=row["paused"],
            query=_query(row),
            records=tuple(
                _said(r) if r["record"] is not None else known[r["source"], r["round"]]
                for r in rows
                if r["source"] is not None
            ),
        )

    def _remember(self, step: Step, record: SourceRecord | None) -> None:
        """Keep in mind what this worker was told: the next step of the album is likely its own."""
        if record is not None:
            said = self._in_mind.pop((step.job_id, step.position), {})
            self._in_mind[step.job_id, step.position] = {**said, (step.source, step.round): record}
            while len(self._in_mind) > _MOST_IN_MIND:
                del self._in_mind[next(iter(self._in_mind))]

    async def rest(self, step: Step) -> None:
        """Put a step aside until its job is resumed; nothing else becomes of its album meanwhile."""
        async with self._database.connection() as connection:
            await connection.execute(_REST, step.job_id, step.position, step.source, step.round)

    async def refuse(self, step: Step, problem: str) -> None:
        """Close an album that cannot be asked for as it was: of what its caller gave, something is wrong; nothing is stored."""
        where = (step.job_id, step.position)
        async with self._database.transaction() as connection:
            done = await connection.fetchval(
                "UPDATE ingest_items SET state = 'done', result = $3, detail = $4, finished_at = now(), changed_at = now() "
                "WHERE job_id = $1 AND position = $2 AND state <> 'done' RETURNING true",
                *where,
                IngestResult.FAILED.value,
                problem,
            )
            if done:
                await connection.execute("DELETE FROM ingest_steps WHERE job_id = $1 AND position = $2", *where)
                await connection.execute(FINISH_JOB, step.job_id)

    async def end(self, step: Step, end: StepEnd, following: Next) -> bool:
        """Write how a step ended, and what is to be done next, in one.

        Returns:
            False when it had ended already: that counts, and nothing is written.
        """
        o = end.outcome
        parked = end.park_until is not None
        record = None if end.record is None else _encoded(end.record)
        where = (step.job_id, step.position)
        async with self._database.transaction() as connection:
            # Two steps that end at once must see each other: the album's row orders them.
            item = await connection.fetchrow(_ITEM, *where)
            if item is None or item["state"] == "done":
                return False
            mine = await connection.fetchval(
                _END, *where, step.source, step.round,
                "parked" if parked else "done", int(parked), int(end.failed), end.park_until,
                o.outcome.value, tidy_detail(o.detail), o.tracks, o.seconds, record, _candidates(o),
            )  # fmt: skip
            if not mine:
                return False
            steps = await _steps(connection, *where)
            move = following(_query(item), steps, None if parked else step.source)
            await self._advance(connection, step, item, steps, move)
        self._remember(step, end.record)
        return True

    async def _advance(
        self, connection: Connection, step: Step, item: Any, steps: Mapping[str, StepView], move: Move
    ) -> None:
        where = (step.job_id, step.position)
        rows: list[tuple[str, int, str, str, str | None, str]]
        rows = [(*where, s, "queued", None, "") for s in move.ask]
        rows += [(*where, o.source, "done", o.outcome.value, o.detail) for o in move.settled]
        if rows:
            again = {r[2] for r in rows} & steps.keys()
            await connection.executemany(
                "INSERT INTO ingest_steps (job_id, position, source, state, outcome, detail) VALUES ($1, $2, $3, $4, $5, $6) "
                "ON CONFLICT (job_id, position, source) DO UPDATE SET state = excluded.state, outcome = excluded.outcome, "
                "detail = excluded.detail, attempts = 0, round = ingest_steps.round + 1, at = now()",
                rows,
            )
            rounds = {s: steps[s].round + 1 for s in again}
            order = (item["priority"], item["place"] or 0)
            await put(connection, [Message(*where, s, rounds.get(s, 0), *order) for s in move.ask])
        if move.store:
            row = {"job_id": step.job_id, "position": step.position, **dict(item)}
            await self._to_storing(connection, row, round_=item["round"] + 1)
        elif item["state"] == "storing":
            # Somebody is storing what was known before; his end must not close the album.
            await connection.execute(
                "UPDATE ingest_items SET state = 'running', round = round + 1, changed_at = now() "
                "WHERE job_id = $1 AND position = $2",
                *where,
            )

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

    # -- storing -------------------------------------------------------------------------------------

    async def gather(self, message: Message) -> Gathered | None:
        """What is to be stored by a message; None when that is done, or is another's by now."""
        where = (message.job_id, message.position)
        known = self._in_mind.pop(where, {})
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_GATHER, *where, message.round)
            if row is None:
                return None
            steps = await connection.fetch(
                "SELECT source, state, round, outcome, detail, not_before, tracks, seconds, candidates, record IS NOT NULL AS "
                "told, CASE WHEN source || ':' || round = ANY($3::text[]) THEN NULL ELSE record END AS record "
                "FROM ingest_steps WHERE job_id = $1 AND position = $2 AND outcome IS NOT NULL ORDER BY source",
                *where,
                [f"{source}:{round_}" for source, round_ in known],
            )
        return Gathered(
            job_id=message.job_id,
            position=message.position,
            round=message.round,
            attempts=row["attempts"],
            query=_query(row),
            outcomes=tuple(outcome_of(s) for s in steps),
            records=tuple(
                known[s["source"], s["round"]]
                if s["record"] is None
                else msgspec.json.decode(s["record"], type=SourceRecord)
                for s in steps
                if s["told"]
            ),
            album_id=row["album_id"],
        )

    async def close(self, gathered: Gathered, report: IngestReport) -> bool:
        """Write an album's report, and the end of its job with the last one.

        Returns:
            False when something came in meanwhile, or another has done it: then this report does not count.
        """
        where = (gathered.job_id, gathered.position)
        async with self._database.transaction() as connection:
            state = await connection.fetchval(
                _STORED, *where, gathered.round, report.result.value, report.detail, report.album_id
            )
            if state is None:
                return False
            if state == "done":
                # What sources said stands in source_records now.
                await connection.execute(
                    "UPDATE ingest_steps SET record = NULL WHERE job_id = $1 AND position = $2 AND record IS NOT NULL",
                    *where,
                )
                # Two last albums that end at once must see each other: the job's row orders them.
                await connection.execute("SELECT FROM ingest_jobs WHERE id = $1 FOR UPDATE", gathered.job_id)
                await connection.execute(FINISH_JOB, gathered.job_id)
        return True


def outcome_of(row: Any) -> SourceOutcome:
    """A step's row as an outcome."""
    offered = row["candidates"]
    return SourceOutcome(
        source=row["source"],
        outcome=Outcome(row["outcome"]),
        detail=row["detail"],
        retry_at=row["not_before"],
        tracks=row["tracks"],
        seconds=row["seconds"],
        candidates=msgspec.json.decode(offered, type=tuple[MatchCandidate, ...]) if offered else (),
    )


def outcome_rows(job_id: str, position: int, outcomes: Sequence[SourceOutcome]) -> list[tuple[Any, ...]]:
    """Rows of `ingest_steps` (`OUTCOME_COLUMNS`) of an album that was ingested at once."""
    return [
        (
            job_id, position, o.source, "done", o.outcome.value, tidy_detail(o.detail), o.retry_at, o.tracks, o.seconds,
            _candidates(o),
        )
        for o in outcomes
    ]  # fmt: skip


OUTCOME_COLUMNS: Final = (
    "job_id", "position", "source", "state", "outcome", "detail", "not_before", "tracks", "seconds", "candidates",
)  # fmt: skip


def tidy_detail(text: str) -> str:
    """A message without what PostgreSQL cannot hold: services are quoted in it."""
    return text.replace("\0", "").encode("utf-8", "replace").decode()


def _encoded(record: SourceRecord) -> str:
    cleaned, _ = kept.encode(record.album)
    return msgspec.json.encode(replace(record, album=cleaned)).decode()


def _candidates(outcome: SourceOutcome) -> str | None:
    return tidy_detail(msgspec.json.encode(outcome.candidates).decode()) if outcome.candidates else None


async def _steps(connection: Connection, job_id: str, position: int) -> dict[str, StepView]:
    rows = await connection.fetch(
        "SELECT source, state, outcome, round FROM ingest_steps WHERE job_id = $1 AND position = $2", job_id, position
    )
    return {
        r["source"]: StepView(r["state"], Outcome(r["outcome"]) if r["outcome"] else None, r["round"]) for r in rows
    }


def _query(row: Any) -> AlbumQuery:
    return AlbumQuery(album=row["album"], artist=row["artist"], hints=orjson.loads(row["hints"]))


def _said(row: Any) -> SourceRecord:
    if row["rights"] is None:
        return msgspec.json.decode(row["record"], type=SourceRecord)
    return kept.decode(row["record"], source=row["source"], rights=row["rights"], fetched_at=row["fetched_at"])


def _message(row: Any) -> Message:
    return Message(row["job_id"], row["position"], row["source"], row["round"], row["priority"], row["place"])
