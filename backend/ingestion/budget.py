"""How much a source may be asked at this moment: its pace, and what it has refused. One process's, or all workers' together."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Protocol

from backend.ingestion.pace import Limits, Pace
from backend.utils.errors import ThrottledError


class Budget(Protocol):
    """One source's budget. A group is a part of the source that is counted by itself, such as one kind of endpoint."""

    def turn(self, group: str | None) -> AbstractAsyncContextManager[None]:
        """Wait for a turn to ask, and keep its slot while asking.

        Raises:
            ThrottledError: the source, or this group of it, is parked.
        """
        ...

    def check(self, group: str) -> None:
        """See whether a group may be asked as far as this process knows; asks nobody.

        Raises:
            ThrottledError: it is parked.
        """
        ...

    async def slow_down(self, seconds: float) -> None:
        """Let nobody through for some seconds, and ask less often from then on: it was asked too fast."""
        ...

    async def park(self, until: datetime, *, reason: str, group: str | None = None, quota: bool = False) -> None:
        """Ask nothing until then, of the source or of this group of it.

        Args:
            until: when asking is allowed again (UTC).
            reason: what the source said.
            group: where the refusal holds for it alone.
            quota: so much is allowed in a day as was asked: worth remembering.
        """
        ...


class ProcessBudget:
    """A budget that this process has for itself, for as long as it lives.

    Args:
        name: the source's name.
        limits: its pace.
    """

    def __init__(self, name: str, limits: Limits) -> None:
        self._name = name
        self._pace = Pace(limits)
        self._parked: dict[str | None, tuple[datetime, str]] = {}

    @contextlib.asynccontextmanager
    async def turn(self, group: str | None) -> AsyncIterator[None]:
        """See `Budget`."""
        self._refuse(group)
        async with self._pace.turn():
            self._refuse(group)
            yield

    def check(self, group: str) -> None:
        """See `Budget`."""
        self._refuse(group)

    async def slow_down(self, seconds: float) -> None:
        """See `Budget`."""
        self._pace.pause(seconds)

    async def park(self, until: datetime, *, reason: str, group: str | None = None, quota: bool = False) -> None:
        """See `Budget`."""
        known = self._parked.get(group)
        if known is None or until > known[0]:
            self._parked[group] = until, reason

    def _refuse(self, group: str | None) -> None:
        now = datetime.now(UTC)
        for key in (None, group):
            until, reason = self._parked.get(key, (now, ""))
            if until > now:
                raise ThrottledError(reason, until=until)
