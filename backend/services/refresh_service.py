"""Asking again for what is no longer fresh: by hand, and on a schedule with the budgets that are left over."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import structlog

from backend.config.settings import IngestionSettings
from backend.ingestion.asking import SOURCES_HINT
from backend.repositories.budget_states import Budgets, BudgetState
from backend.repositories.due import DueAlbum, DueRepository
from backend.services.ingestion_service import IngestionService
from backend.utils.errors import BusyError, DatabaseError

log = structlog.get_logger(__name__)

_PRIORITY: Final = -50  # behind whatever somebody waits for
_LEFT_OVER: Final = 0.5  # of a quota: more of it is kept for what is asked for by hand


@dataclass(frozen=True, slots=True, kw_only=True)
class DueState:
    """What of a source is no longer fresh.

    Attributes:
        source: its name.
        days: for how long what it says is good.
        due: albums whose record is older.
        oldest: when the oldest of them was fetched (UTC).
        held_back: why it is not asked now; "" when it is.
    """

    source: str
    days: float
    due: int
    oldest: datetime | None
    held_back: str


class RefreshService:
    """Has albums asked for again.

    Args:
        due: what is no longer fresh.
        budgets: what may be asked now.
        ingestion: whose sources are in use.
        settings: how often and how many.
    """

    def __init__(
        self, due: DueRepository, budgets: Budgets, ingestion: IngestionService, settings: IngestionSettings
    ) -> None:
        self._due = due
        self._budgets = budgets
        self._ingestion = ingestion
        self._settings = settings
        self._task: asyncio.Task[None] | None = None

    async def due(self) -> list[DueState]:
        """What is due, per source."""
        days = self._ingestion.fresh_days()
        counts: dict[str, Any] = {str(row["source"]): row for row in await self._due.counts(days)}
        held = await self._held_back()
        return [
            DueState(
                source=source,
                days=days[source],
                due=counts[source]["due"] if source in counts else 0,
                oldest=counts[source]["oldest"] if source in counts else None,
                held_back=held.get(source, ""),
            )
            for source in sorted(days)
        ]

    async def refresh(self, *, most: int | None = None) -> tuple[str, int] | None:
        """Ask again for what is due, as a job behind all others; its id and number of albums, None when there is nothing to do.

        Args:
            most: albums; by default `INGESTION_REFRESH_ALBUMS`.
        """
        held = await self._held_back()
        days = {source: n for source, n in self._ingestion.fresh_days().items() if source not in held}
        found = await self._due.submit(
            days, most=most or self._settings.ingestion_refresh_albums, priority=_PRIORITY, hints=self._hints
        )
        if found is not None:
            self._ingestion.nudge()
        return found

    def _hints(self, album: DueAlbum) -> dict[str, str]:
        return {**self._ingestion.hints_of(album.ids), SOURCES_HINT: ",".join(album.sources)}

    async def _held_back(self) -> Mapping[str, str]:
        """The sources that are not to be asked now, with why."""
        held: dict[str, str] = {}
        for state in await self._budgets.states():
            if reason := _reason(state):
                held[state.key.partition("/")[0]] = reason
        return held

    # -- the schedule ----------------------------------------------------------------------------------

    def start(self) -> None:
        """Look every `INGESTION_REFRESH_HOURS`, in the background; not at all when that is 0."""
        if self._task is None and self._settings.ingestion_refresh_hours > 0:
            self._task = asyncio.create_task(self._keep_fresh(), name="refresh")

    async def stop(self) -> None:
        """Look no more."""
        task, self._task = self._task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _keep_fresh(self) -> None:
        while True:
            await asyncio.sleep(self._settings.ingestion_refresh_hours * 3600)
            try:
                found = await self.refresh()
            except (DatabaseError, BusyError) as problem:
                log.warning("cannot look for what is due; later again", error=type(problem).__name__)
                continue
            if found is not None:
                log.info("albums are asked for again", job=found[0], albums=found[1])


def _reason(state: BudgetState) -> str:
    if state.parked_until is not None:
        return f"parked until {state.parked_until:%Y-%m-%d %H:%M} UTC"
    if state.quota is not None and state.day > _LEFT_OVER * state.quota:
        return f"{state.day:,} of the {state.quota:,} requests of a day are used"
    return ""
