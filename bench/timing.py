"""Timing two ways of doing the same in turns, so that a busy machine slows both."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Literal

Way = Callable[[], Awaitable[Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What one comparison found; medians.

    Attributes:
        what: what was done, with its size.
        ours: seconds of ours, or bytes.
        other: those of the other.
        against: what the other is.
        rows: rows handled, for rows per second; None where it says nothing.
        wanted: what the ratio should be, for people.
        unit: of ours and other.
    """

    what: str
    against: str
    ours: float
    other: float
    rows: int | None = None
    wanted: str = ""
    unit: Literal["seconds", "bytes"] = "seconds"

    @property
    def ratio(self) -> float:
        """How many times as long ours takes, or as much."""
        return self.ours / self.other


async def in_turns(ours: Way, other: Way, *, rounds: int, before: Way | None = None) -> tuple[float, float]:
    """Medians of the seconds that each takes; the first round warms up and does not count.

    Args:
        ours: one way.
        other: another.
        rounds: how many are counted.
        before: done before each, unmeasured.
    """
    taken: dict[Way, list[float]] = {ours: [], other: []}
    for turn in range(rounds + 1):
        # Who goes first changes, for the second finds warm caches.
        for way in (ours, other) if turn % 2 else (other, ours):
            if before is not None:
                await before()
            gc.collect()
            started = time.perf_counter()
            await way()
            seconds = time.perf_counter() - started
            if turn:
                taken[way].append(seconds)
    return statistics.median(taken[ours]), statistics.median(taken[other])
