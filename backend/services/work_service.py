"""The figures of work for metrics and people: read now and then, and never waited for by who asks how we are."""

from __future__ import annotations

import asyncio
import time
from typing import Final

import structlog

from backend.metrics import Metrics
from backend.models.work import WorkFigures
from backend.repositories.work_state import WorkState
from backend.utils.errors import BusyError, DatabaseError

log = structlog.get_logger(__name__)

_KEPT_SECONDS: Final = 5.0
_SHARE: Final = 0.05  # of the time that may go into reading: with huge jobs figures are older, not dearer
_PATIENCE: Final = 0.5  # that somebody who asks waits for fresh figures
_MOST_SECONDS: Final = 10.0  # for reading


class WorkService:
    """Keeps the latest figures.

    Args:
        state: reads them.
        metrics: told of them.
    """

    def __init__(self, state: WorkState, metrics: Metrics) -> None:
        self._state = state
        self._metrics = metrics
        self._latest: WorkFigures | None = None
        self._next = float("-inf")
        self._reading: asyncio.Task[None] | None = None

    async def latest(self) -> WorkFigures | None:
        """The figures, some seconds old at most in all but huge jobs; None while the database is away."""
        if self._reading is None and time.monotonic() >= self._next:
            self._reading = asyncio.create_task(self._read(), name="figures of work")
        if self._reading is not None:
            await asyncio.wait({self._reading}, timeout=_PATIENCE)
        return self._latest

    async def close(self) -> None:
        """Read no longer."""
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.wait({self._reading})

    async def _read(self) -> None:
        started = time.monotonic()
        try:
            async with asyncio.timeout(_MOST_SECONDS):
                self._latest = await self._state.figures()
        except (DatabaseError, BusyError, OSError) as problem:
            # What is old would be taken for what is.
            self._latest = None
            log.warning("the figures of work cannot be read", error=type(problem).__name__)
        except Exception:
            self._latest = None
            log.exception("reading the figures of work broke")
        finally:
            took = time.monotonic() - started
            self._next = time.monotonic() + max(_KEPT_SECONDS, took / _SHARE)
            self._reading = None
        self._metrics.work(self._latest)
