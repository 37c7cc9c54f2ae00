"""Whether work gets on: budgets, the queue, jobs; and what the terms of sources say of what is stored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from backend.ingestion.source import SourceProfile
from backend.models.diagnosis import Finding, ok, problem, warning
from backend.models.ingestion_models import Rights
from backend.repositories.budget_states import Budgets, BudgetState
from backend.repositories.database import Database
from backend.repositories.queue_state import QueueState, read_queue
from backend.repositories.storage import Storage

_NEARLY: Final = 0.9  # of a quota
_SLOWED: Final = 0.5  # of the allowed rate
_ALARM: Final = 0.8  # of a storage cap
_LOST_SECONDS: Final = 60.0
_OVERDUE_SECONDS: Final = 3600.0  # a slow source's part of the albums on their way may wait for half an hour
_STANDING_SECONDS: Final = 3600.0


async def check_budgets(budgets: Budgets) -> list[Finding]:
    """Which sources may not be asked now, or soon no more."""
    states = await budgets.states()
    found = [finding for state in states for finding in _budget(state)]
    if found:
        return found
    used = ", ".join(f"{s.key} {s.day:,}" for s in states if s.day) or "none"
    return [ok("budgets", f"none is parked; requests in the last 24 hours: {used}")]


def _budget(state: BudgetState) -> list[Finding]:
    check, found = f"budget: {state.key}", []
    if state.parked_until is not None:
        said = f"parked until {state.parked_until:%Y-%m-%d %H:%M:%S} UTC: {state.reason}"
        remedy = "nothing: its steps wait and are asked by themselves from then on"
        found.append(warning(check, said, remedy=remedy))
    if state.quota is not None and state.day >= _NEARLY * state.quota:
        said = f"{state.day:,} of the {state.quota:,} requests that a refusal taught were used in the last 24 hours"
        remedy = "nothing: what is over waits until the oldest requests are a day old"
        found.append(warning(check, said, remedy=remedy))
    if state.rate is not None and state.allowed is not None and state.rate < _SLOWED * state.allowed:
        said = f"refusals have slowed it down to {state.rate:.2f} of {state.allowed:.2f} requests a second"
        found.append(warning(check, said, remedy="lower its rate in the settings: something else asks it, too"))
    return found


async def check_queue(database: Database) -> list[Finding]:
    """Steps that nobody takes, workers that died, jobs that stand still, albums that failed."""
    state = await read_queue(database, lost_after=_LOST_SECONDS, standing_after=_STANDING_SECONDS)
    return [_workers(state), *_steps(state), *_jobs(state)]


def _workers(state: QueueState) -> Finding:
    said = f"{state.workers} at work, {state.jobs} jobs open ({state.paused} more paused), {state.due} steps due"
    if state.workers == 0 and (state.jobs or state.due):
        return problem("workers", f"nobody works: {said}", remedy="start the server (tensoe serve) or a worker")
    return ok("workers", said)


def _steps(state: QueueState) -> list[Finding]:
    found = []
    if state.workers and state.oldest is not None and state.oldest > _OVERDUE_SECONDS:
        said = f"a step has been due for {state.oldest / 60:,.0f} minutes and nobody takes it"
        remedy = "see which sources are slow under `budget`; more workers help where none is"
        found.append(warning("queue", said, remedy=remedy))
    if state.lost and state.silent is not None:
        said = f"{state.lost} steps belong to workers that have been silent for up to {state.silent / 60:,.0f} minutes"
        remedy = (
            "start a worker: it takes them over"
            if not state.workers
            else "they should be taken over: see the workers' logs"
        )
        found.append(warning("dead workers", said, remedy=remedy))
    return found


def _jobs(state: QueueState) -> list[Finding]:
    found = []
    (named, count), (failing, albums) = state.standing, state.failed
    if count:
        said = (
            f"nothing has happened for {_STANDING_SECONDS / 3600:.0f} h in {count} open jobs: {_listed(named, count)}"
        )
        remedy = "see what the worker's log says, and restart it" if state.workers else "start a worker"
        found.append(warning("jobs", said, remedy=remedy))
    if albums:
        said = f"{albums:,} albums failed and nobody has taken them up: {_listed(failing, len(failing))}"
        remedy = "/ml/jobs/dead-letters says of what; POST /ml/jobs/dead-letters/retry takes them up when it is mended"
        found.append(warning("dead letters", said, remedy=remedy))
    return found


def _listed(named: tuple[str, ...], count: int) -> str:
    return ", ".join(named) + (f" and {count - len(named)} more" if count > len(named) else "")


async def check_rights(storage: Storage, profiles: Mapping[str, SourceProfile], used: frozenset[str]) -> list[Finding]:
    """Whose terms bar learning from what is stored, and who lets us store no more.

    Args:
        storage: counts bytes.
        profiles: of everybody whose values may be stored.
        used: sources that are asked.
    """
    asked = {name: p for name, p in profiles.items() if name in used}
    barred = sorted(n for n, p in asked.items() if p.rights is Rights.RESTRICTED)
    silent = sorted(n for n, p in asked.items() if p.rights is Rights.UNKNOWN)
    quiet = f"; {', '.join(silent)} do not say" if silent else ""
    if barred:
        said = f"the terms of {', '.join(barred)} bar machine learning on what they give{quiet}"
        remedy = "train and export with rights=open or rights=noncommercial, or `tensoe purge` takes it out"
        found = [warning("rights", said, remedy=remedy)]
    else:
        found = [ok("rights", f"no source that is asked bars machine learning{quiet}")]
    capped = {name: p.storage_cap for name, p in profiles.items() if p.storage_cap is not None}
    kept = await storage.bytes_by_source([*capped]) if capped else {}
    for name, cap in capped.items():
        share = kept.get(name, 0) / cap
        said = f"{kept.get(name, 0):,} bytes are kept, {share:.0%} of what its terms allow"
        remedy = f"`tensoe purge {name}` takes it out{'; nothing more is asked' if share >= 1 else ''}"
        check = f"storage: {name}"
        found.append(
            (problem if share >= 1 else warning)(check, said, remedy=remedy) if share >= _ALARM else ok(check, said)
        )
    return found
