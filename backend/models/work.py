"""How the work of all workers stands at a moment, in figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetFigures:
    """How much of a source is used; rates are requests a second, of all workers together.

    Attributes:
        source: its name.
        group: the part of it that is counted by itself; "" for all of it.
        allowed: by the settings; None where only a quota is counted.
        rate: as refusals have taught.
        used: over the last ten minutes.
        day: requests in the last 24 hours.
        quota: how many of them are allowed, as a refusal taught; None when nobody knows.
        parked_until: seconds since 1970, before which nothing is asked; None when it may be asked.
    """

    source: str
    group: str
    allowed: float | None
    rate: float | None
    used: float
    day: int
    quota: int | None
    parked_until: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFigures:
    """What of a source's is to be done.

    Attributes:
        source: its name.
        queued: steps that wait for their turn, or are in work.
        parked: steps that are asked again later.
        oldest: seconds since the oldest queued one was last touched; 0 without one.
    """

    source: str
    queued: int
    parked: int
    oldest: float


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkFigures:
    """All of it.

    Attributes:
        budgets: of each source and group.
        steps: of each source that has any.
        albums: of open jobs, by state.
    """

    budgets: tuple[BudgetFigures, ...] = ()
    steps: tuple[StepFigures, ...] = ()
    albums: Mapping[str, int]
