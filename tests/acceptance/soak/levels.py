"""Memory and connections over a soak, and whether they stay level."""

from __future__ import annotations

import asyncio
import statistics
from typing import Final

from tests.acceptance.ingest_crash import ask
from tests.acceptance.soak.findings import Findings
from tests.acceptance.soak.machine import Machine

_EVERY: Final = 5.0  # seconds
_ENOUGH: Final = 36  # looks at a process (three minutes) before anything is said of it
_GROWTH: Final = 1.15  # of the last third over the middle one
_SLACK: Final = 25.0  # MB
_CONNECTIONS: Final = 60  # of all processes: three pools of 15, and what single tasks keep


class Levels:
    """Looks every few seconds."""

    def __init__(self, machine: Machine, findings: Findings) -> None:
        self._machine = machine
        self._findings = findings
        self.memory: dict[str, list[float]] = {}
        self.connections: list[int] = []

    async def go_on(self, over: asyncio.Event) -> None:
        """Until it is over."""
        while not over.is_set():
            for name, megabytes in self._machine.resident().items():
                self.memory.setdefault(name, []).append(megabytes)
            rows = await ask(
                self._machine.dsn, "SELECT count(*) AS n FROM pg_stat_activity WHERE backend_type = 'client backend'"
            )
            self.connections += [row["n"] for row in rows]
            await asyncio.sleep(_EVERY)

    def judged(self) -> list[str]:
        """A line a process that lived long enough; what grows is wrong."""
        lines = []
        for name, seen in self.memory.items():
            if len(seen) < _ENOUGH:
                continue
            third = len(seen) // 3
            middle, last = statistics.median(seen[third : 2 * third]), statistics.median(seen[2 * third :])
            lines.append(
                f"  {name}: {len(seen) * _EVERY / 60:.0f} min, {middle:.0f} MB in the middle third, {last:.0f} MB in the last"
            )
            if last > _GROWTH * middle + _SLACK:
                self._findings.is_wrong(f"{name} grew from {middle:.0f} to {last:.0f} MB")
        most = max(self.connections, default=0)
        lines.append(
            f"  connections to PostgreSQL: {statistics.median(self.connections or [0]):.0f}, {most} at the most"
        )
        if most > _CONNECTIONS:
            self._findings.is_wrong(f"{most} connections to PostgreSQL")
        return lines
