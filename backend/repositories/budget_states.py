"""Budgets as people and plans see them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from backend.repositories.database import Database

_KEPT_HOURS: Final = 48  # of the counts of requests
_STATES: Final = """
SELECT b.*, (SELECT coalesce(sum(c.calls), 0) FROM source_calls c
             WHERE c.key = b.key AND c.since > clock_timestamp() - interval '24 hours')::bigint AS day,
       (SELECT coalesce(sum(c.calls), 0) FROM source_calls c
        WHERE c.key = b.key AND c.since > clock_timestamp() - interval '10 minutes')::bigint AS lately
FROM source_budgets b ORDER BY b.key
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetState:
    """A budget as it stands.

    Attributes:
        key: a source's name, or "source/group@account".
        allowed: requests a second by the settings; None where only a quota is counted.
        rate: requests a second as refusals have taught.
        day: requests in the last 24 hours.
        quota: how many of them are allowed, as a refusal taught; None when nobody knows.
        parked_until: before then nothing is asked (UTC); None when it may be asked.
        reason: what the source said when it was parked last.
        granted: requests in all.
        refused: how often it said: too many.
    """

    key: str
    allowed: float | None
    rate: float | None
    day: int
    quota: int | None
    parked_until: datetime | None
    reason: str
    granted: int
    refused: int


class Budgets:
    """All budgets, for people and for plans."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def states(self) -> list[BudgetState]:
        """Every budget as it stands, by key."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_STATES)
        now = datetime.now(UTC)
        return [
            BudgetState(
                key=r["key"],
                allowed=r["allowed"],
                rate=r["rate"],
                day=r["day"],
                quota=r["quota"],
                parked_until=r["parked_until"] if r["parked_until"] and r["parked_until"] > now else None,
                reason=r["reason"],
                granted=r["granted"],
                refused=r["refused"],
            )
            for r in rows
        ]

    async def release(self, source: str) -> int:
        """Let a source be asked again at once, with its groups; answers how many were parked or had a learnt quota."""
        async with self._database.connection() as connection:
            done = await connection.execute(
                "UPDATE source_budgets SET parked_until = NULL, quota = NULL, rate = allowed, next_at = clock_timestamp() "
                "WHERE (key = $1 OR starts_with(key, $1 || '/')) AND (parked_until > clock_timestamp() OR quota IS NOT NULL)",
                source,
            )
        return int(str(done).rsplit(" ", 1)[-1])

    async def tidy(self) -> None:
        """Forget counts that no rolling day needs any more."""
        async with self._database.connection() as connection:
            await connection.execute(
                "DELETE FROM source_calls WHERE since < clock_timestamp() - make_interval(hours => $1)", _KEPT_HOURS
            )
