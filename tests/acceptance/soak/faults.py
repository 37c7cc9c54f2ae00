"""Faults of a soak: something breaks every half minute, for a while, and is mended."""

from __future__ import annotations

import asyncio
import random
from typing import Final

from tests.acceptance.soak.findings import Findings
from tests.acceptance.soak.machine import WORKERS, Machine

_BETWEEN: Final = (15.0, 40.0)  # seconds
_SERVER_LIVES: Final = 240.0  # seconds at least, so that its memory can be seen to stay level
_BROKEN: Final = {"500": 0.05, "reset": 0.03, "truncated": 0.02, "malformed": 0.02}
_WHOLE: Final = dict.fromkeys(_BROKEN, 0.0)


class Faults:
    """Breaks things by chance.

    Args:
        machine: whose things.
        findings: are told.
        seed: of the choices.
    """

    def __init__(self, machine: Machine, findings: Findings, *, seed: int) -> None:
        self._machine = machine
        self._findings = findings
        self._dice = random.Random(seed)
        self._server_since = findings.seconds
        self._kinds = [
            self.worker_killed, self.worker_killed, self.worker_held, self.server_ended, self.postgres_killed,
            self.cache_gone, self.cache_full, self.providers_break, self.providers_refuse, self.challenge,
        ]  # fmt: skip

    async def go_on(self, over: asyncio.Event) -> None:
        """Until it is over; afterwards nothing is broken."""
        while not over.is_set():
            try:
                async with asyncio.timeout(self._dice.uniform(*_BETWEEN)):
                    await over.wait()
            except TimeoutError:
                await self._dice.choice(self._kinds)()

    def _happens(self, what: str) -> None:
        self._findings.faults[what] += 1

    async def worker_killed(self) -> None:
        """kill -9."""
        self._happens("worker killed")
        await asyncio.to_thread(self._machine.kill_worker, self._dice.randrange(WORKERS))

    async def worker_held(self) -> None:
        """Its host does not answer for a while, and comes back."""
        self._happens("worker held")
        number = self._dice.randrange(WORKERS)
        self._machine.hold_worker(number, held=True)
        await asyncio.sleep(20)
        self._machine.hold_worker(number, held=False)

    async def server_ended(self) -> None:
        """Killed, or asked to go."""
        if self._findings.seconds - self._server_since < _SERVER_LIVES:
            return
        if self._dice.random() < 0.5:
            self._happens("server killed")
            await asyncio.to_thread(self._machine.kill_server)
        else:
            self._happens("server restarted")
            code = await asyncio.to_thread(self._machine.restart_server)
            if code != 0:
                self._findings.is_wrong(f"the server ended with {code} when it was asked to")
        self._server_since = self._findings.seconds

    async def postgres_killed(self) -> None:
        """kill -9 of its first process."""
        self._happens("PostgreSQL killed")
        await asyncio.to_thread(self._machine.kill_postgres)

    async def cache_gone(self) -> None:
        """Its server is away for some seconds, and comes back empty."""
        self._happens("cache gone")
        await asyncio.to_thread(self._machine.stop_cache)
        await asyncio.sleep(10)
        await asyncio.to_thread(self._machine.start_cache)

    async def cache_full(self) -> None:
        """It takes nothing more for a while."""
        self._happens("cache full")
        await asyncio.to_thread(self._machine.fill_cache, full=True)
        await asyncio.sleep(10)
        await asyncio.to_thread(self._machine.fill_cache, full=False)

    async def providers_break(self) -> None:
        """Errors, cut connections, half answers."""
        self._happens("providers break")
        await self._told({"*": {"faults": _BROKEN}})
        await asyncio.sleep(20)
        await self._told({"*": {"faults": _WHOLE}})

    async def providers_refuse(self) -> None:
        """Hardly anything is allowed."""
        self._happens("providers refuse")
        await self._told({"lastfm": {"rate": 2, "window": 1}, "deezer": {"rate": 2, "window": 1}})
        await asyncio.sleep(15)
        await self._told({"lastfm": {"rate": 0}, "deezer": {"rate": 0}})

    async def challenge(self) -> None:
        """Album of the Year wants to see a person."""
        self._happens("challenge")
        await self._told({"aoty": {"challenge": True}})
        await asyncio.sleep(10)
        await self._told({"aoty": {"challenge": False}})

    async def _told(self, faults: object) -> None:
        await asyncio.to_thread(self._machine.twin.post, "faults", faults)
