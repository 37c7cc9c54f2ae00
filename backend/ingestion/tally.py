"""Counting the requests that are sent for one thing, through whatever layers they go."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(slots=True)
class Tally:
    """How many requests were sent."""

    calls: int = 0


_now: ContextVar[Tally | None] = ContextVar("tally", default=None)


@contextlib.contextmanager
def counted() -> Iterator[Tally]:
    """Count what is sent in here, by tasks that are begun in here too."""
    tally = Tally()
    token = _now.set(tally)
    try:
        yield tally
    finally:
        _now.reset(token)


def count() -> None:
    """Count a request, where somebody counts."""
    if (tally := _now.get()) is not None:
        tally.calls += 1
