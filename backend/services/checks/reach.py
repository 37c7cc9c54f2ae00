"""Whether the sources can be reached from here, and whether this machine's clock is right."""

from __future__ import annotations

import asyncio
import statistics
from collections.abc import Callable, Sequence
from typing import Final

from backend.ingestion.budget import Budget
from backend.ingestion.probe import Reached, Way, reach
from backend.ingestion.source import Source
from backend.ingestion.transport import Observe
from backend.models.diagnosis import Finding, ok, problem, warning

_MOST_SECONDS: Final = 5.0  # that clocks may differ by

_REMEDIES: Final[dict[Way, str]] = {
    "offline": "check this machine's network and DNS, and the address in the source's settings",
    "unreachable": "check firewall and proxy, and the address in the source's settings; or wait until its service is up again",
    "blocked": "set TENSOE_CONTACT, ask less often, or take saved pages in (tensoe import); a challenge is not evaded",
    "key": "check the key in .env or the environment",
    "faulty": "its service has a fault, or its address in the settings is another's; look again later",
    "throttled": "nothing: what waits for it is asked by itself from then on",
    "busy": "nothing: workers use its whole budget at this moment",
}
_KEPT_APART: Final[frozenset[Way]] = frozenset(
    {"throttled", "busy", "blocked"}
)  # it works again by itself, or we do without


async def check_reach(
    sources: Sequence[Source], *, budget: Callable[[Source], Budget], observe: Observe
) -> list[Finding]:
    """Ask each source that can be asked once, all at a time."""
    asked = [s for s in sources if s.unconfigured() is None]
    reached = await asyncio.gather(*(reach(s, budget=budget(s), observe=observe) for s in asked))
    found = [r for r in reached if r is not None]
    absent = [r for r in found if r.way == "offline"]
    if absent and len(absent) == len(found):
        names = ", ".join(r.source for r in absent)
        return [
            problem(
                "reach",
                f"no host of any source can be found ({names}): this machine is offline",
                remedy="check its network and DNS; `--offline` leaves this out",
            )
        ]
    return [*map(_finding, found), *_clock(found)]


def clock(check: str, ahead: float, whose: str) -> Finding:
    """What a difference of clocks means; `ahead` is by how many seconds the other's is ahead of ours."""
    if abs(ahead) <= _MOST_SECONDS:
        return ok(check, f"agrees with {whose} to {max(abs(ahead), 0.1):.1f} s")
    said = f"this machine's clock is {abs(ahead):,.0f} s {'behind' if ahead > 0 else 'ahead of'} {whose}"
    return warning(check, said, remedy="set it by NTP (timedatectl set-ntp true): waits that services ask for go wrong")


def _finding(reached: Reached) -> Finding:
    check = f"reach: {reached.source}"
    if reached.way == "answers":
        return ok(check, f"answers in {reached.seconds:.2f} s")
    remedy = _REMEDIES[reached.way]
    if reached.way == "throttled" and reached.until is None:
        remedy = "nothing: it is asked more slowly by itself"
    said = f"{reached.way}: {reached.detail}"
    if reached.until is not None:
        said = f"throttled until {reached.until:%Y-%m-%d %H:%M:%S} UTC: {reached.detail}"
    return (warning if reached.way in _KEPT_APART else problem)(check, said, remedy=remedy)


def _clock(reached: Sequence[Reached]) -> list[Finding]:
    told = [r.ahead for r in reached if r.ahead is not None]
    # One of them may be wrong itself; the most of them are not.
    return [clock("clock: sources", statistics.median(told), f"{len(told)} sources")] if told else []
