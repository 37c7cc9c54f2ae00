"""How fast and how patiently a source is asked."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

from aiolimiter import AsyncLimiter


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How fast and how patiently a source is asked.

    Attributes:
        rate: requests a second, evenly spaced.
        concurrent: requests under way at once.
        timeout: seconds for one request, from sending it to its last byte.
        attempts: tries of one request when faults are transient.
        backoff: seconds by which the wait before a second try grows; doubled for each further one, with jitter.
        patience: the longest Retry-After in seconds that is waited for; a longer one ends in ThrottledError.
    """

    rate: float = 5.0
    concurrent: int = 4
    timeout: float = 20.0
    attempts: int = 4
    backoff: float = 0.5
    patience: float = 30.0


class Pace:
    """Lets requests through one by one, evenly spaced, a bounded number at once."""

    def __init__(self, limits: Limits) -> None:
        # One grant per interval rather than a bucket: a burst would break limits that count within a window.
        self._limiter = AsyncLimiter(1, 1 / limits.rate)
        self._slots = asyncio.Semaphore(limits.concurrent)
        self._resumes = 0.0

    @contextlib.asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Wait for a turn to ask, and keep its slot while asking."""
        async with self._slots:
            await self._limiter.acquire()
            # Looked at after the grant as well: somebody may have been told to wait meanwhile.
            while left := max(0.0, self._resumes - time.monotonic()):
                await asyncio.sleep(left)
                await self._limiter.acquire()
            yield

    def pause(self, seconds: float) -> None:
        """Let nobody through for some seconds: what one request was told holds for all."""
        self._resumes = max(self._resumes, time.monotonic() + seconds)
