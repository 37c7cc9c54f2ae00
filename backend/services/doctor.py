"""Looks the whole installation over, and says what is wrong and what to do; changes nothing.

A check that cannot be made is a finding itself; the others are made all the same.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from typing import Final, TypeAlias

import structlog

from backend.models.diagnosis import Diagnosis, Finding, problem
from backend.utils.errors import TensoeError
from backend.utils.redaction import redact

log = structlog.get_logger(__name__)

Check: TypeAlias = Callable[[], Awaitable[Sequence[Finding]]]

_SECONDS: Final = 30.0  # for one group of checks
_REACH_SECONDS: Final = 60.0  # for which what sources answered is believed: nobody's curiosity shall use a quota up


class Doctor:
    """Makes checks.

    Args:
        checks: by name; they need no network but our own servers.
        reach: asks the sources; None where they are not to be asked.
    """

    def __init__(self, checks: Mapping[str, Check], *, reach: Check | None) -> None:
        self._checks = checks
        self._reach = reach
        self._asking = asyncio.Lock()
        self._reached: tuple[float, list[Finding]] | None = None

    async def examine(self, *, offline: bool = False) -> Diagnosis:
        """Make all checks; `offline` leaves out those that ask sources."""
        groups = [_made(name, check) for name, check in self._checks.items()]
        if not offline and self._reach is not None:
            groups.append(self._ask(self._reach))
        return Diagnosis.of(_plain(f) for group in await asyncio.gather(*groups) for f in group)

    async def _ask(self, reach: Check) -> list[Finding]:
        async with self._asking:
            if self._reached is None or time.monotonic() - self._reached[0] > _REACH_SECONDS:
                found = await _made("reach", reach)
                self._reached = time.monotonic(), found
            return self._reached[1]


async def _made(name: str, check: Check) -> list[Finding]:
    try:
        async with asyncio.timeout(_SECONDS):
            return list(await check())
    except TimeoutError:
        return [
            problem(name, f"no answer within {_SECONDS:g} s", remedy="look again; the log may say what it waits for")
        ]
    except TensoeError as fault:
        return [problem(name, str(fault), remedy="see what it says; the other checks may say why")]
    except Exception as fault:
        log.exception("a check broke", check=name)
        said = f"the check itself broke ({type(fault).__name__}); the log has the details"
        return [problem(name, said, remedy="please report it with those details")]


def _plain(finding: Finding) -> Finding:
    """Without secrets, and on one line: services are quoted in it."""
    said, remedy = (" ".join(redact(text).split()) for text in (finding.said, finding.remedy))
    return replace(finding, said=said, remedy=remedy)
