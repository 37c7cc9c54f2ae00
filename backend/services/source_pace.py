"""How fast a source gets through albums: what it may be asked, what an album costs, what of the day is left. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final

from backend.ingestion.source import SourceProfile
from backend.models.job_progress import CallFigures
from backend.repositories.budget_states import BudgetState

_ENOUGH: Final = 20  # albums, from which on what they cost is believed rather than what is usual
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """What may be asked of a source.

    Attributes:
        source: its name.
        rate: requests a second, as refusals have taught.
        calls: requests that an album takes.
        measured: whether that was counted here, or is what it usually takes.
        quota: requests in 24 hours, where a refusal taught it.
        left: of these, still to be had today.
        parked_until: before then nothing may be asked (UTC).
        reason: why.
    """

    source: str
    rate: float
    calls: float
    measured: bool = False
    quota: int | None = None
    left: int | None = None
    parked_until: datetime | None = None
    reason: str = ""

    def seconds(self, albums: int) -> float:
        """How long so many albums take once it may be asked."""
        calls = albums * self.calls
        at_rate = calls / self.rate
        if self.quota is None or self.left is None or calls <= self.left:
            return at_rate
        # What is over has to wait until requests of the day before are forgotten.
        return max(at_rate, (calls - self.left) / self.quota * _DAY.total_seconds())

    def end(self, albums: int, *, begins: datetime) -> datetime:
        """When so many albums are through.

        Args:
            albums: how many.
            begins: not before then (UTC).
        """
        if self.parked_until is not None:
            begins = max(begins, self.parked_until)
        return begins + timedelta(seconds=min(self.seconds(albums), 1e9))

    def at(self, states: Sequence[BudgetState]) -> Pace:
        """The same with budgets as they stand now."""
        own = [s for s in states if s.key.partition("/")[0] == self.source]
        if not own:
            return self
        whole = next((s for s in own if s.key == self.source), None)
        parked = max((s for s in own if s.parked_until), key=_until, default=None)
        quotas = [s for s in own if s.quota is not None]
        tightest = min(quotas, key=_left, default=None)
        return replace(
            self,
            rate=whole.rate if whole is not None and whole.rate else self.rate,
            quota=None if tightest is None else tightest.quota,
            left=None if tightest is None else max(0, _left(tightest)),
            parked_until=None if parked is None else parked.parked_until,
            reason="" if parked is None else parked.reason,
        )


def paces(
    profiles: Iterable[SourceProfile], states: Sequence[BudgetState], costs: Mapping[str, CallFigures]
) -> dict[str, Pace]:
    """Every source's pace, by its name.

    Args:
        profiles: the sources.
        states: their budgets, as far as they were asked before.
        costs: what albums cost lately.
    """
    return {p.name: _pace(p, costs.get(p.name)).at(states) for p in profiles}


def _pace(profile: SourceProfile, cost: CallFigures | None) -> Pace:
    measured = cost is not None and cost.steps >= _ENOUGH and cost.calls > 0
    calls = cost.calls / cost.steps if cost is not None and measured else profile.typical_calls
    return Pace(source=profile.name, rate=profile.limits.rate, calls=calls, measured=measured)


def _until(state: BudgetState) -> datetime:
    return state.parked_until or datetime.min.replace(tzinfo=UTC)


def _left(state: BudgetState) -> int:
    return (state.quota or 0) - state.day
