"""Ends of steps, many in one transaction: each is written with what follows from it, or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from backend.models.ingestion_models import AlbumQuery
from backend.models.steps import Move, Step, StepEnd, StepView
from backend.repositories.database import Connection
from backend.repositories.step_feed import Next
from backend.repositories.step_queue import STORE, Message, put
from backend.repositories.step_rows import candidates_of, encoded, query_of, tidy_detail, view

# What a crash of the server forgets of it is done again: no step waits for the disk. In one with the albums' locks: two steps
# of an album that end at once must see each other, and its row orders them. Several albums wait for nobody, so that no two
# can each hold what the other wants: who was not free is taken by itself.
_ITEMS: Final = """
SELECT set_config('synchronous_commit', 'off', true), i.job_id, i.position, i.state, i.round, i.album, i.artist,
       i.hints::text AS hints, coalesce(i.place, 0) AS place, j.priority
FROM unnest($1::text[], $2::int[]) AS n (job_id, position)
JOIN ingest_items i USING (job_id, position) JOIN ingest_jobs j ON j.id = i.job_id FOR UPDATE OF i
"""
# Answers how the albums' steps stood before, and which of them these are the ends of.
_END: Final = """
WITH given AS (
    SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::int[], $5::text[], $6::bool[], $7::timestamptz[], $8::text[],
        $9::text[], $10::int[], $11::real[], $12::int[], $13::text[], $14::text[])
    AS n (job_id, position, source, round, state, failed, not_before, outcome, detail, tracks, seconds, calls, record, candidates)
), ended AS (
    UPDATE ingest_steps s SET state = g.state, round = s.round + (g.state = 'parked')::int, failures = s.failures + g.failed::int,
        not_before = g.not_before, outcome = g.outcome, detail = g.detail, tracks = g.tracks, seconds = g.seconds,
        calls = s.calls + g.calls, record = g.record, candidates = g.candidates, at = now()
    FROM given g WHERE s.job_id = g.job_id AND s.position = g.position AND s.source = g.source AND s.round = g.round
        AND s.state = 'queued' RETURNING s.job_id, s.position, s.source
)
SELECT s.job_id, s.position, s.source, s.state, s.outcome, s.round, e.source IS NOT NULL AS ended
FROM (SELECT DISTINCT job_id, position FROM given) n JOIN ingest_steps s USING (job_id, position)
LEFT JOIN ended e ON e.job_id = s.job_id AND e.position = s.position AND e.source = s.source
"""
_NEXT: Final = """
INSERT INTO ingest_steps (job_id, position, source, state, outcome, detail, round)
SELECT * FROM unnest($1::text[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[])
ON CONFLICT (job_id, position, source) DO UPDATE SET state = excluded.state, outcome = excluded.outcome,
    detail = excluded.detail, round = excluded.round, attempts = 0, at = now()
"""
_MOVE_ITEMS: Final = """
UPDATE ingest_items i SET state = n.state, round = n.round, attempts = CASE WHEN n.state = 'storing' THEN 0 ELSE attempts END,
    changed_at = now()
FROM unnest($1::text[], $2::int[], $3::text[], $4::int[]) AS n (job_id, position, state, round)
WHERE i.job_id = n.job_id AND i.position = n.position
"""


class TakenError(Exception):
    """Somebody else has the album at this moment."""


@dataclass(slots=True, kw_only=True)
class _Album:
    """An album on its way, while ends of its steps are laid to what was before, one by one."""

    job_id: str
    position: int
    query: AlbumQuery
    order: tuple[int, int]
    state: str
    round: int
    steps: dict[str, StepView] = field(default_factory=dict)
    ended: set[str] = field(default_factory=set)
    fresh: dict[str, tuple[Any, ...]] = field(default_factory=dict)
    moved: bool = False

    def end(self, step: Step, end: StepEnd, following: Next) -> None:
        parked = end.park_until is not None
        round_ = self.steps[step.source].round + int(parked)
        self.steps[step.source] = StepView("parked" if parked else "done", end.outcome.outcome, round_)
        self._follow(following(self.query, dict(self.steps), None if parked else step.source))

    def _follow(self, move: Move) -> None:
        for source in move.ask:
            self._begin(source, StepView("queued", None, self._next_round(source)), "")
        for o in move.settled:
            self._begin(o.source, StepView("done", o.outcome, self._next_round(o.source)), o.detail)
        if move.store:
            self.state, self.round, self.moved = "storing", self.round + 1, True
        elif self.state == "storing":
            # Somebody is storing what was known before; his end must not close the album.
            self.state, self.round, self.moved = "running", self.round + 1, True

    def _next_round(self, source: str) -> int:
        return self.steps[source].round + 1 if source in self.steps else 0

    def _begin(self, source: str, to: StepView, detail: str) -> None:
        self.steps[source] = to
        outcome = to.outcome.value if to.outcome else None
        self.fresh[source] = (self.job_id, self.position, source, to.state, outcome, detail, to.round)

    def messages(self) -> list[Message]:
        where = (self.job_id, self.position)
        due = [
            Message(*where, s, self.steps[s].round, *self.order) for s in self.fresh if self.steps[s].state == "queued"
        ]
        if self.moved and self.state == "storing":
            due.append(Message(*where, STORE, self.round, *self.order))
        return due


async def end_all(connection: Connection, ends: Sequence[tuple[Step, StepEnd, Next]]) -> list[bool]:
    """Write ends, in a transaction; of each whether it counts: one whose step had ended already does not.

    Raises:
        TakenError: of several albums one is not free.
    """
    wanted = sorted({(step.job_id, step.position) for step, *_ in ends})
    lock = _ITEMS + (" SKIP LOCKED" if len(wanted) > 1 else "")
    albums = {
        (row["job_id"], row["position"]): _Album(
            job_id=row["job_id"],
            position=row["position"],
            query=query_of(row),
            order=(row["priority"], row["place"]),
            state=row["state"],
            round=row["round"],
        )
        for row in await connection.fetch(lock, *_columns(wanted))
    }
    if len(wanted) > 1 and len(albums) < len(wanted):
        raise TakenError
    first: dict[tuple[str, int, str], int] = {}  # whose end, and which of those given
    for number, (step, _, _) in enumerate(ends):
        album = albums.get((step.job_id, step.position))
        if album is not None and album.state != "done":
            first.setdefault((step.job_id, step.position, step.source), number)
    if not first:
        return [False] * len(ends)
    for row in await connection.fetch(_END, *_columns([_row(*ends[number][:2]) for number in first.values()])):
        album = albums[row["job_id"], row["position"]]
        album.steps[row["source"]] = view(row)
        if row["ended"]:
            album.ended.add(row["source"])
    counted: set[int] = set()
    for (job_id, position, source), number in first.items():
        if source in (album := albums[job_id, position]).ended:
            album.end(*ends[number])
            counted.add(number)
    await _write(connection, albums)
    return [number in counted for number in range(len(ends))]


async def _write(connection: Connection, albums: Mapping[tuple[str, int], _Album]) -> None:
    if fresh := [row for album in albums.values() for row in album.fresh.values()]:
        await connection.execute(_NEXT, *_columns(fresh))
    if moved := [(a.job_id, a.position, a.state, a.round) for a in albums.values() if a.moved]:
        await connection.execute(_MOVE_ITEMS, *_columns(moved))
    await put(connection, [m for album in albums.values() for m in album.messages()])


def _row(step: Step, end: StepEnd) -> tuple[Any, ...]:
    o = end.outcome
    return (
        step.job_id, step.position, step.source, step.round, "done" if end.park_until is None else "parked", end.failed,
        end.park_until, o.outcome.value, tidy_detail(o.detail), o.tracks, o.seconds, end.calls,
        None if end.record is None else encoded(end.record), candidates_of(o),
    )  # fmt: skip


def _columns(rows: Sequence[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
