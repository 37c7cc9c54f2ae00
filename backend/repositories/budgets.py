"""Budgets that all workers on all hosts hold together: one statement a grant, spaced by the database's clock."""

from __future__ import annotations

import asyncio
import contextlib
import math
import time
from collections import Counter, defaultdict, deque
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from backend.repositories.database import Database
from backend.utils.errors import ThrottledError

_MARGIN: Final = 0.97  # of the rate is used: what the way to the service delays must not make it more in any window
_AHEAD_SECONDS: Final = 0.05  # of turns that a worker takes at once where a source is asked often
_MOST_AT_ONCE: Final = 100
_QUOTA_DAYS: Final = 7  # for which a quota that a refusal taught is kept to: it may have been raised since
_CUT: Final = 0.9  # of the rate that is left after a refusal …
_REGAIN: Final = 0.001  # … and of what is allowed that each granted request gives back
_LEAST: Final = 0.1  # of what is allowed: the slowest that refusals make us
_PARKED_SECONDS: Final = 60.0  # for which a park that was read is believed without asking again

# The turn of a request, and of n: none overtakes, whoever asks. Parked and used-up budgets grant nothing, one that is nearly used
# up the rest. What is granted counts for the source and for the group. The quota is of a rolling day, counted by ten minutes;
# from when the source said that it may be asked again it is counted anew.
_GRANT: Final = """
WITH room AS (
    SELECT min(CASE WHEN b.parked_until > clock_timestamp() THEN 0
        WHEN b.quota IS NOT NULL AND b.quota_at > clock_timestamp() - make_interval(days => $6) THEN b.quota - (
            SELECT coalesce(sum(c.calls), 0) FROM source_calls c
            WHERE c.key = b.key AND c.since > greatest(clock_timestamp() - interval '24 hours', b.parked_until))
        ELSE $3::int END) AS rest
    FROM source_budgets b WHERE b.key IN ($1, $2)
), granted AS (
    UPDATE source_budgets b SET
        -- A grant that a crash of the server forgets costs a moment's pace; waiting for its disk would cost each request.
        -- A clock that went back must not have all wait until it is there again: what lies ahead of the last change stays ahead.
        next_at = greatest(b.next_at - greatest(b.changed_at - clock_timestamp(), interval '0'), clock_timestamp())
            + make_interval(secs => n.number / ($7::float8 * least(b.rate, $4::float8))),
        rate = least($4::float8, b.rate + n.number * $4::float8 * $5::float8), allowed = $4::float8,
        granted = b.granted + n.number, changed_at = clock_timestamp()
    FROM (SELECT least($3::int, rest)::int AS number FROM room) n,
         (SELECT set_config('synchronous_commit', 'off', true)) AS relaxed
    WHERE b.key = $1 AND n.number > 0
    RETURNING n.number, n.number / ($7::float8 * least(b.rate, $4::float8)) AS span, b.next_at AS ends
), counted AS (
    INSERT INTO source_calls AS c (key, since, calls)
    SELECT k, date_bin('10 minutes', clock_timestamp(), 'epoch'), number
    FROM granted, unnest(ARRAY[$1, $2]) AS k WHERE k IS NOT NULL ORDER BY k
    ON CONFLICT (key, since) DO UPDATE SET calls = c.calls + excluded.calls
)
SELECT extract(epoch FROM ends - clock_timestamp())::float8 AS ends, span::float8 AS span, number FROM granted
"""
_MAKE: Final = """
INSERT INTO source_budgets (key, allowed, rate) SELECT k, a, a FROM unnest($1::text[], $2::float8[]) AS n (k, a)
WHERE k IS NOT NULL ORDER BY k ON CONFLICT DO NOTHING
"""
_REFUSAL: Final = """
SELECT b.key, b.quota, CASE WHEN b.parked_until > clock_timestamp() THEN b.reason ELSE '' END AS reason,
    CASE WHEN b.parked_until > clock_timestamp() THEN b.parked_until ELSE (
    -- The oldest count that still fills the day: when it falls out, something may be asked again.
    SELECT min(c.since) + interval '24 hours 10 minutes' FROM source_calls c
    WHERE c.key = b.key AND c.since > greatest(clock_timestamp() - interval '24 hours', b.parked_until)
) END AS until
FROM source_budgets b WHERE b.key IN ($1, $2) AND (b.parked_until > clock_timestamp() OR (
    b.quota IS NOT NULL AND b.quota_at > clock_timestamp() - make_interval(days => $3)
    AND b.quota <= (SELECT coalesce(sum(c.calls), 0) FROM source_calls c
                    WHERE c.key = b.key AND c.since > greatest(clock_timestamp() - interval '24 hours', b.parked_until))))
ORDER BY until DESC NULLS LAST LIMIT 1
"""
_SLOW_DOWN: Final = """
UPDATE source_budgets SET next_at = greatest(next_at, clock_timestamp() + make_interval(secs => $2)),
    -- Several requests that were under way at once are refused together: that is one lesson.
    rate = CASE WHEN refused_at > clock_timestamp() - interval '1 second' THEN rate
           ELSE greatest(rate * $3, allowed * $4) END,
    refused = refused + 1, refused_at = clock_timestamp(), changed_at = clock_timestamp()
WHERE key = $1
"""
_PARK: Final = """
INSERT INTO source_budgets AS b (key, parked_until, reason, refused, quota, quota_at)
VALUES ($1, $2, $3, 1, CASE WHEN $4 THEN (
    SELECT greatest(sum(calls) - 1, 1) FROM source_calls WHERE key = $1 AND since > clock_timestamp() - interval '24 hours'
) END, CASE WHEN $4 THEN clock_timestamp() END)
ON CONFLICT (key) DO UPDATE SET parked_until = greatest(b.parked_until, excluded.parked_until), reason = excluded.reason,
    refused = b.refused + 1, quota = coalesce(excluded.quota, b.quota), quota_at = coalesce(excluded.quota_at, b.quota_at),
    changed_at = clock_timestamp()
"""


class SharedBudget:
    """One source's budget, held by all processes that use the database; see `ingestion.budget.Budget`.

    Args:
        database: where it is kept.
        source: the source's name.
        rate: requests a second that are allowed.
        concurrent: requests of this process under way at once.
    """

    def __init__(self, database: Database, source: str, *, rate: float, concurrent: int) -> None:
        self._database = database
        self._source = source
        self._rate = rate
        self._slots = asyncio.Semaphore(concurrent)
        self._granting = asyncio.Lock()
        # Of the monotonic clock, by group; taken ahead, this process's own.
        self._turns: dict[str | None, deque[float]] = defaultdict(deque)
        self._asking: Counter[str | None] = Counter()
        self._resumes = 0.0
        self._made: set[str] = set()
        self._parked: dict[str, tuple[float, datetime, str]] = {}  # until when to believe it, what was read
        # Where a source may be asked often, a statement per request would cost more than the request.
        self._at_once = max(1, min(_MOST_AT_ONCE, math.floor(rate * _AHEAD_SECONDS)))

    @contextlib.asynccontextmanager
    async def turn(self, group: str | None) -> AsyncIterator[None]:
        """See `ingestion.budget.Budget`."""
        key = None if group is None else f"{self._source}/{group}"
        async with self._slots:
            while True:
                left = await self._wait(key) - time.monotonic()
                if left > 0:
                    await asyncio.sleep(left)
                if time.monotonic() >= self._resumes:  # else somebody was told to wait meanwhile: a later turn
                    break
            yield

    def check(self, group: str) -> None:
        """See `ingestion.budget.Budget`."""
        self._refuse(f"{self._source}/{group}")

    async def slow_down(self, seconds: float) -> None:
        """See `ingestion.budget.Budget`."""
        self._resumes = max(self._resumes, time.monotonic() + seconds)
        self._turns.clear()
        async with self._database.connection() as connection:
            await connection.execute(_SLOW_DOWN, self._source, seconds, _CUT, _LEAST)

    async def park(self, until: datetime, *, reason: str, group: str | None = None, quota: bool = False) -> None:
        """See `ingestion.budget.Budget`."""
        key = self._source if group is None else f"{self._source}/{group}"
        self._turns.clear()
        async with self._database.connection() as connection:
            await connection.execute(_MAKE, [self._source], [self._rate])
            await connection.execute(_PARK, key, until, reason, quota)
        self._parked[key] = time.monotonic() + _PARKED_SECONDS, until, reason

    async def _wait(self, group: str | None) -> float:
        """Until when to wait for the next turn, by the monotonic clock.

        Raises:
            ThrottledError: the source or the group is parked.
        """
        self._refuse(group)
        # Nobody waits for a grant: one that was taken ahead is this one's.
        if not self._granting.locked() and (turn := self._ahead(group)) is not None:
            return turn
        self._asking[group] += 1
        try:
            async with self._granting:
                self._refuse(group)
                if (turn := self._ahead(group)) is not None:
                    return turn
                # A group's requests count against its quota: no more are taken than wait for them.
                number = self._at_once if group is None else min(_MOST_AT_ONCE, self._asking[group])
                turns = self._turns[group]
                turns.extend(await self._grant(group, number))
                return turns.popleft()
        finally:
            self._asking[group] -= 1

    def _ahead(self, group: str | None) -> float | None:
        """The next of the turns that were taken ahead; None when none is left."""
        turns = self._turns[group]
        # A turn that nobody took is lost: taken later it would stand beside others' turns.
        now = time.monotonic()
        while turns and turns[0] < now - _AHEAD_SECONDS:
            turns.popleft()
        return turns.popleft() if turns else None

    async def _grant(self, group: str | None, number: int) -> list[float]:
        """The next turns, one at least and no more than the number."""
        async with self._database.connection() as connection:
            if not {self._source, group} <= {*self._made, None}:
                await connection.execute(_MAKE, [self._source, group], [self._rate, None])
                self._made |= {k for k in (self._source, group) if k is not None}
            row = await connection.fetchrow(
                _GRANT, self._source, group, number, self._rate, _REGAIN, _QUOTA_DAYS, _MARGIN
            )
            if row is None:
                refusal = await connection.fetchrow(_REFUSAL, self._source, group, _QUOTA_DAYS)
                if refusal is None:  # its row was removed, or it was parked until a moment ago
                    self._made.clear()
                    return [time.monotonic() + 1 / self._rate]
                raise self._read(refusal)
        first, span = time.monotonic() + row["ends"] - row["span"], row["span"] / row["number"]
        return [first + n * span for n in range(row["number"])]

    def _refuse(self, group: str | None) -> None:
        if not self._parked:
            return
        now, today = time.monotonic(), datetime.now(UTC)
        for key in (self._source, group):
            believed, until, reason = self._parked.get(key or "", (0.0, today, ""))
            if now < believed and today < until:
                raise ThrottledError(reason, until=until)

    def _read(self, row: Any) -> ThrottledError:
        until = row["until"] or datetime.now(UTC) + timedelta(minutes=10)
        used_up = f"the {row['quota']} requests that {row['key']} allows in 24 hours are used up"
        reason = row["reason"] if row["reason"] else used_up
        self._parked[row["key"]] = time.monotonic() + _PARKED_SECONDS, until, reason
        return ThrottledError(reason, until=until)
