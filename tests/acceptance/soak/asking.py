"""One request of a soak: what may come back, and what may not."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from tests.acceptance.soak.findings import Findings
from tests.acceptance.soak.machine import Machine

_PATIENCE: Final = 90.0
_FINE: Final = range(200, 300)


@dataclass(frozen=True, slots=True)
class Reply:
    """A good answer."""

    status: int
    body: bytes
    json: Any
    headers: dict[str, str]


class Asker:
    """Asks the server; None is the answer of one that is away and says so, or was killed a moment ago.

    Args:
        session: for all requests.
        machine: whose server is asked.
        findings: are told of everything.
    """

    def __init__(self, session: aiohttp.ClientSession, machine: Machine, findings: Findings) -> None:
        self._session = session
        self._machine = machine
        self.findings = findings

    async def ask(
        self, method: str, path: str, *, what: str, expected: tuple[int, ...] = (), **sent: Any
    ) -> Reply | None:
        """The answer.

        Args:
            method: of HTTP.
            path: with its query.
            what: its name in the figures.
            expected: statuses beside 2xx that are right here.
            **sent: `json`, `data`, `headers` of aiohttp.
        """
        could_be_away = self._machine.may_be_away
        try:
            async with self._session.request(
                method, self._machine.base + path, timeout=aiohttp.ClientTimeout(_PATIENCE), **sent
            ) as answer:
                body = await answer.read()
        except TimeoutError:
            self.findings.answered(what, "timeout")
            self.findings.is_wrong(f"{method} {path}: no answer within {_PATIENCE:.0f} s")
            return None
        except (aiohttp.ClientError, OSError) as problem:
            self.findings.answered(what, "away")
            await asyncio.sleep(0.5)
            if not (could_be_away or self._machine.may_be_away):
                self.findings.is_wrong(f"{method} {path}: {problem!r} from a server that nobody had ended")
            return None
        self._machine.answered()
        self.findings.answered(what, str(answer.status))
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        if answer.status in _FINE or answer.status in expected:
            return Reply(answer.status, body, await answer.json() if is_json and body else None, dict(answer.headers))
        if answer.status == 503 and answer.headers.get("retry-after", "").isdigit():
            await asyncio.sleep(min(2.0, float(answer.headers["retry-after"])))
            return None
        self.findings.is_wrong(f"{method} {path}: {answer.status} {body[:300]!r}")
        return None
