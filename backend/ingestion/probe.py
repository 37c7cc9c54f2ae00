"""Whether a source can be reached: one cheap request, and what kept it from being answered.

A source may say by itself what that request is (`Probing`); else its address is asked for. A wrong answer is an answer.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any, Final, Literal, Protocol, TypeAlias, runtime_checkable

import aiohttp

from backend.config.settings import SettingsGroup
from backend.ingestion.budget import Budget
from backend.ingestion.exchange import NoSuchHostError
from backend.ingestion.reply import Reply
from backend.ingestion.source import Source
from backend.ingestion.transport import Observe, ShutOutError, Transport, open_session
from backend.utils.errors import (
    AmbiguousError,
    BlockedError,
    RateLimitedError,
    RecordNotFoundError,
    SourceError,
    ThrottledError,
    UnconfiguredError,
    UnreachableError,
)

Way: TypeAlias = Literal["answers", "offline", "unreachable", "blocked", "key", "throttled", "faulty", "busy"]
"""How it went. offline: its host's name leads nowhere. unreachable: refused, broken or silent. key: refused, or missing.

throttled: it asks us to wait. faulty: it answers, but with an error. busy: our own workers leave no turn of its budget.
"""

_SECONDS: Final = 6.0
_CHALLENGE: Final = "answers with a challenge, which is not evaded"
_WAYS: Final[tuple[tuple[type[SourceError], Way], ...]] = (
    (RecordNotFoundError, "answers"),
    (AmbiguousError, "answers"),
    (NoSuchHostError, "offline"),
    (UnreachableError, "unreachable"),
    (BlockedError, "blocked"),
    (UnconfiguredError, "key"),
    (ThrottledError, "throttled"),
    (RateLimitedError, "throttled"),
)


@runtime_checkable
class Probing(Protocol):
    """A source that knows a cheaper or more telling request than the one for its address."""

    async def probe(self, transport: Transport) -> None:
        """Send one request that shows whether it can be reached and takes our key.

        Raises:
            SourceError: by class why not; that it does not know what it was asked for is an answer.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reached:
    """How a source was reached.

    Attributes:
        source: its name.
        way: how it went.
        detail: what it said, or what broke.
        seconds: until the answer.
        until: when it may be asked again (UTC), where it is throttled and said so.
        ahead: seconds by which its clock is ahead of ours; None when it did not tell the time.
    """

    source: str
    way: Way
    detail: str = ""
    seconds: float = 0.0
    until: datetime | None = None
    ahead: float | None = None


@dataclass(slots=True)
class _Witness:
    """What the exchanges say besides their bodies."""

    statuses: list[int] = field(default_factory=list)
    ahead: list[float] = field(default_factory=list)
    challenged: bool = False
    _sent: float = 0.0

    def trace(self) -> aiohttp.TraceConfig:
        config = aiohttp.TraceConfig()
        config.on_request_start.append(self._start)
        config.on_request_end.append(self._end)
        return config

    async def _start(self, *_: Any) -> None:
        self._sent = time.time()

    async def _end(self, _session: object, _context: object, params: aiohttp.TraceRequestEndParams) -> None:
        headers = params.response.headers
        self.statuses.append(params.response.status)
        self.challenged = self.challenged or "cf-mitigated" in headers
        try:
            told = parsedate_to_datetime(headers.get("Date", "")).timestamp()
        except (ValueError, TypeError):
            return
        # It was told somewhere between our sending and our hearing it, and in whole seconds.
        self.ahead.append(told + 0.5 - (self._sent + time.time()) / 2)


async def reach(
    source: Source, *, budget: Budget, observe: Observe = lambda *_: None, seconds: float = _SECONDS
) -> Reached | None:
    """Ask a source once, within its budget; None when it has no address, so that nothing can be asked.

    Args:
        source: configured.
        budget: in which the request is counted.
        observe: told of it.
        seconds: for the request, and as many for its turn among those of the workers.
    """
    name = source.profile.name
    if not isinstance(source, Probing) and address_of(source.settings) is None:
        return None
    witness = _Witness()
    # Once, and not for long: who looks for faults does not wait for them to pass.
    limits = replace(source.profile.limits, attempts=1, timeout=seconds, patience=0.0)
    started = time.perf_counter()
    async with open_session(traces=[witness.trace()]) as session:
        transport = Transport(name, limits=limits, session=session, budget=budget, observe=observe)
        try:
            async with asyncio.timeout(2 * seconds):
                await _ask(source, transport)
        except TimeoutError:
            found = Reached(source=name, way="busy", detail=f"no turn within {2 * seconds:g} s")
        except SourceError as problem:
            found = _read(name, problem, witness)
        else:
            found = Reached(source=name, way="answers")
    if witness.challenged:
        found = replace(found, way="blocked", detail=f"{name} {_CHALLENGE}")
    ahead = witness.ahead[-1] if witness.ahead else None
    return replace(found, seconds=time.perf_counter() - started, ahead=ahead)


def address_of(settings: SettingsGroup) -> str | None:
    """The address among a source's settings: that of its API where it has several."""
    values = {name: getattr(settings, name) for name in type(settings).model_fields}
    found = {n: v for n, v in values.items() if isinstance(v, str) and v.startswith(("http://", "https://"))}
    return next((v for n, v in found.items() if n.endswith("api_url")), next(iter(found.values()), None))


async def _ask(source: Source, transport: Transport) -> None:
    if isinstance(source, Probing):
        await source.probe(transport)
    elif (address := address_of(source.settings)) is not None:
        await transport.get(address, check=_check, retry=False)


def _check(reply: Reply) -> None:
    if reply.is_challenge:
        raise ShutOutError(f"{reply.url} {_CHALLENGE}")
    if reply.status == 401:
        raise UnconfiguredError(f"{reply.url} wants a key, or refuses ours")
    if reply.status == 403:
        raise BlockedError(f"{reply.url} answered 403: it keeps us out")


def _read(name: str, problem: SourceError, witness: _Witness) -> Reached:
    way: Way = next((way for kind, way in _WAYS if isinstance(problem, kind)), "faulty")
    if way == "blocked" and witness.statuses and 300 <= witness.statuses[-1] < 400:
        way = "answers"  # its address leads to a page for people, elsewhere: somebody is there
    until = problem.until if isinstance(problem, ThrottledError) else None
    return Reached(source=name, way=way, detail="" if way == "answers" else str(problem), until=until)
