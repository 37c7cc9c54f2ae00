"""Budgets that several workers hold together: two objects on one database are two processes on two hosts."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta
from itertools import chain

import pytest

from backend.repositories.budget_states import Budgets, BudgetState
from backend.repositories.budgets import SharedBudget
from backend.repositories.database import Database
from backend.utils.errors import ThrottledError


def budget(database: Database, *, rate: float = 1000.0, concurrent: int = 5) -> SharedBudget:
    return SharedBudget(database, "fake", rate=rate, concurrent=concurrent)


async def take(shared: SharedBudget, times: int, group: str | None = None) -> list[float]:
    """When each turn came."""
    came = []
    for _ in range(times):
        async with shared.turn(group):
            came.append(time.monotonic())
    return came


async def state(database: Database, key: str = "fake") -> BudgetState:
    return next(s for s in await Budgets(database).states() if s.key == key)


async def test_two_workers_share_one_pace(database: Database) -> None:
    one, other = budget(database, rate=20.0), budget(database, rate=20.0)
    came = sorted(chain(*await asyncio.gather(take(one, 10), take(other, 10))))
    assert came[-1] - came[0] >= 18 / 20.0
    # Each worker alone would have been through in half the time; and none of them was kept waiting for the other's sake.
    assert (await state(database)).granted == 20


async def test_where_turns_are_many_they_are_taken_ahead_and_still_spaced(database: Database) -> None:
    one, other = budget(database, rate=400.0, concurrent=50), budget(database, rate=400.0, concurrent=50)
    came = sorted(chain(*await asyncio.gather(*(take(b, 20) for b in (one, other, one, other)))))
    assert came[-1] - came[0] >= 60 / 400.0
    busiest = max(sum(1 for t in came if start <= t < start + 0.1) for start in came)
    assert busiest <= 0.1 * 400 + 2 * 0.05 * 400 + 2  # at the most what both may hold ahead


async def test_a_park_holds_for_all_and_is_kept(database: Database) -> None:
    one, other = budget(database), budget(database)
    await take(one, 1)
    until = datetime.now(UTC) + timedelta(hours=14)
    await one.park(until, reason="come tomorrow")
    for each in (one, other, budget(database)):
        with pytest.raises(ThrottledError, match="come tomorrow") as said:
            await take(each, 1)
        assert said.value.until == until
    assert (await state(database)).parked_until == until
    assert await Budgets(database).release("fake") == 1
    await take(budget(database), 1)


async def test_a_park_is_over_when_its_time_has_come(database: Database) -> None:
    shared = budget(database)
    await shared.park(datetime.now(UTC) + timedelta(seconds=0.3), reason="a moment")
    with pytest.raises(ThrottledError):
        await take(shared, 1)
    await asyncio.sleep(0.4)
    await take(shared, 1)


async def test_a_group_is_parked_by_itself(database: Database) -> None:
    one, other = budget(database), budget(database)
    await one.park(datetime.now(UTC) + timedelta(hours=1), reason="used up", group="albums@me", quota=True)
    await take(other, 2)
    await take(other, 2, group="search@me")
    with pytest.raises(ThrottledError, match="used up"):
        await take(other, 1, group="albums@me")
    other.check("search@me")
    with pytest.raises(ThrottledError, match="used up"):
        other.check("albums@me")
    assert (await state(database, "fake/search@me")).day == 2


async def test_a_quota_is_learnt_from_a_refusal_and_counted_anew_afterwards(database: Database) -> None:
    shared = budget(database)
    await take(shared, 6, group="albums@me")
    await shared.park(datetime.now(UTC) + timedelta(hours=10), reason="used up", group="albums@me", quota=True)
    learnt = await state(database, "fake/albums@me")
    assert (learnt.quota, learnt.day) == (5, 6)  # the sixth was refused
    async with database.connection() as connection:  # ten hours later
        await connection.execute(
            "UPDATE source_budgets SET parked_until = parked_until - interval '11 hours' WHERE key = 'fake/albums@me'"
        )
        await connection.execute("UPDATE source_calls SET since = since - interval '11 hours'")
    later = budget(database)
    await take(later, 5, group="albums@me")
    with pytest.raises(ThrottledError, match="5 requests that fake/albums@me allows in 24 hours are used up") as said:
        await take(later, 1, group="albums@me")
    assert said.value.until > datetime.now(UTC) + timedelta(hours=23)
    await take(later, 3)  # the source's other groups go on


@pytest.mark.parametrize("hours", [-1, 1])
async def test_a_clock_that_jumps_gives_nobody_more_than_is_allowed(database: Database, hours: int) -> None:
    """What is stored is moved against the clock, which is the same as the clock moved against it."""
    shared = budget(database, rate=20.0)
    await take(shared, 6, group="albums@me")
    # A quota of five, learnt and not parked any more.
    await shared.park(datetime.now(UTC) + timedelta(hours=10), reason="used up", group="albums@me", quota=True)
    async with database.connection() as connection:
        await connection.execute("UPDATE source_budgets SET parked_until = NULL WHERE key = 'fake/albums@me'")
        await connection.execute("UPDATE source_calls SET since = since - make_interval(hours => $1)", hours)
        moved = ", ".join(
            f"{name} = {name} - make_interval(hours => $1)" for name in ("quota_at", "next_at", "changed_at")
        )
        await connection.execute(f"UPDATE source_budgets SET {moved}", hours)
    later = budget(database, rate=20.0)
    with pytest.raises(ThrottledError, match="in 24 hours are used up"):
        await take(later, 1, group="albums@me")
    async with asyncio.timeout(60):  # and nobody waits for an hour
        came = await take(later, 5)
    assert came[-1] - came[0] >= 4 / 20.0


async def test_refusals_slow_all_workers_down_and_what_is_granted_makes_them_faster_again(database: Database) -> None:
    one, other = budget(database), budget(database)
    await take(one, 1)
    before = await state(database)
    await one.slow_down(0.3)
    await other.slow_down(0.3)  # of requests that were under way together: one lesson
    slowed = await state(database)
    assert slowed.rate == pytest.approx(0.9 * (before.rate or 0.0), rel=1e-3)
    assert slowed.refused == 2
    started = time.monotonic()
    await take(budget(database), 1)
    assert time.monotonic() - started >= 0.25
    await take(other, 60)
    assert (slowed.rate or 0.0) < ((await state(database)).rate or 0.0) <= (before.allowed or 0.0)


async def test_old_counts_are_forgotten(database: Database) -> None:
    await take(budget(database, rate=10.0), 2, group="g")
    async with database.connection() as connection:
        await connection.execute("UPDATE source_calls SET since = since - interval '3 days'")
    await take(budget(database, rate=10.0), 1, group="g")
    await Budgets(database).tidy()
    async with database.connection() as connection:
        assert await connection.fetchval("SELECT sum(calls) FROM source_calls WHERE key = 'fake/g'") == 1


async def test_a_budget_whose_row_was_removed_is_made_again(database: Database) -> None:
    shared = budget(database, rate=10.0)
    await take(shared, 1)
    async with database.connection() as connection:
        await connection.execute("DELETE FROM source_budgets")
    await take(shared, 2)
    assert (await state(database)).granted >= 1
