"""What a list would take before it is asked for: what is known already, requests, quotas, time. Asks nobody, changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from backend.ingestion.source import Source
from backend.models.ingestion_models import AlbumQuery
from backend.repositories.budget_states import Budgets
from backend.repositories.job_progress import JobProgressRepository
from backend.repositories.stored_names import StoredNames
from backend.services.album_names import check_numbered
from backend.services.source_pace import Pace, paces
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold_name


@dataclass(frozen=True, slots=True, kw_only=True)
class SourcePlan:
    """What a list takes of one source.

    Attributes:
        source: its name.
        unconfigured: why it is not asked; None when it is.
        albums: that it is asked for.
        calls_per_album: requests that an album takes.
        measured: whether that was counted here in the last day, or is what it usually takes.
        calls: requests in all.
        rate: requests a second that it may be asked.
        quota: requests in 24 hours, where a refusal taught it.
        left_today: of these, still to be had.
        seconds: from now until it is through, if nobody else asks it: what it is parked for included.
        expected_end: when that is (UTC).
        parked_until: before then nothing may be asked (UTC).
        reason: why.
    """

    source: str
    unconfigured: str | None
    albums: int
    calls_per_album: float
    measured: bool
    calls: int
    rate: float
    quota: int | None
    left_today: int | None
    seconds: float
    expected_end: datetime | None
    parked_until: datetime | None
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a list takes.

    Attributes:
        total: albums of the list.
        duplicates: of these, such as name one that stands before, in another spelling perhaps.
        new: not stored yet.
        fresh: stored, and what all sources said is still good.
        stale: stored, and what a source said is older than it is good for.
        sources: each one's part.
        seconds: until the slowest source is through.
        expected_end: when that is (UTC).
        slowest: which source that is; None when none has anything to do.
    """

    total: int
    duplicates: int
    new: int
    fresh: int
    stale: int
    sources: tuple[SourcePlan, ...]
    seconds: float
    expected_end: datetime
    slowest: str | None


class IngestPlan:
    """Makes plans.

    Args:
        stored: what is known already.
        budgets: how fast sources may be asked.
        costs: what albums cost lately.
        sources: those in use.
        fresh_days: by source, for how long what it says is good.
    """

    def __init__(
        self,
        stored: StoredNames,
        budgets: Budgets,
        costs: JobProgressRepository,
        *,
        sources: Sequence[Source],
        fresh_days: Callable[[], Mapping[str, float]],
    ) -> None:
        self._stored = stored
        self._budgets = budgets
        self._costs = costs
        self._sources = sources
        self._fresh_days = fresh_days

    async def plan(self, albums: Sequence[AlbumQuery]) -> Plan:
        """What it takes to ask for these albums.

        Raises:
            InvalidInputError: the list is empty, or a name cannot be used.
        """
        if not albums:
            raise InvalidInputError("The list of albums is empty; give at least one [album, artist]")
        names = await asyncio.to_thread(_folded, albums)
        stored, stale = await self._stored.count(names, self._fresh_days())
        pace = paces((s.profile for s in self._sources), await self._budgets.states(), await self._costs.costs())
        now = datetime.now(UTC)
        sources = tuple(_part(s, pace[s.profile.name], albums=len(names), now=now) for s in self._sources)
        slowest = max((s for s in sources if s.calls), key=lambda s: s.seconds, default=None)
        return Plan(
            total=len(albums),
            duplicates=len(albums) - len(names),
            new=len(names) - stored,
            fresh=stored - stale,
            stale=stale,
            sources=sources,
            seconds=0.0 if slowest is None else slowest.seconds,
            expected_end=now if slowest is None or slowest.expected_end is None else slowest.expected_end,
            slowest=None if slowest is None else slowest.source,
        )


def _folded(albums: Sequence[AlbumQuery]) -> list[tuple[str, str]]:
    checked = (check_numbered(n, query) for n, query in enumerate(albums, 1))
    return list(dict.fromkeys((fold_name(query.artist), fold_name(query.album)) for query in checked))


def _part(source: Source, pace: Pace, *, albums: int, now: datetime) -> SourcePlan:
    reason = source.unconfigured()
    asked = albums if reason is None else 0
    calls = round(asked * pace.calls)
    end = pace.end(asked, begins=now) if calls else None
    return SourcePlan(
        source=source.profile.name,
        unconfigured=reason,
        albums=asked,
        calls_per_album=round(pace.calls, 2),
        measured=pace.measured,
        calls=calls,
        rate=pace.rate,
        quota=pace.quota,
        left_today=pace.left,
        seconds=0.0 if end is None else (end - now).total_seconds(),
        expected_end=end,
        parked_until=pace.parked_until,
        reason=pace.reason,
    )
