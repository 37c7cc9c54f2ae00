"""HTTP towards one source: paced, retried when faults are transient, patient up to a bound.

From outside in: what stands refused is not asked; retry; redirects; pace; the exchange, observed; the source's own check of the
reply. These are layers of our own and no aiohttp middlewares, for two reasons: a middleware's response has not been read yet,
so a body cut short or no JSON would pass retrying by; and aiohttp's time-out runs while a middleware waits for its turn.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import aiohttp

from backend.ingestion.budget import Budget, ProcessBudget
from backend.ingestion.exchange import NoSuchHostError, Params, exchange, open_session, redirect, user_agent
from backend.ingestion.memory import Memory, ProcessMemory
from backend.ingestion.pace import Limits
from backend.ingestion.reply import Reply
from backend.ingestion.tally import count
from backend.ingestion.tries import Tries
from backend.utils.errors import (
    BlockedError,
    RateLimitedError,
    ServerFaultError,
    SourceError,
    ThrottledError,
    TransientError,
    UnconfiguredError,
    UnreachableError,
)

__all__ = ["Check", "Limits", "Observe", "Params", "Reply", "ShutOutError", "Transport", "open_session", "user_agent"]

Check = Callable[[Reply], None]
"""Looks at a reply and raises by class what it says; what it raises as transient is asked for again."""
Observe = Callable[[str, str, float], None]
"""Called per request with the source's name, the outcome (a status or what went wrong) and the seconds it took."""

_MOST_REDIRECTS: Final = 3
_OFFLINE_SECONDS: Final = 20.0  # for which a host that cannot be found is not looked for again
_STANDING_SECONDS: Final = 60.0  # for which a refusal of the whole source is not asked for again


class ShutOutError(BlockedError):
    """The source keeps us out altogether, not from this request alone; it is left alone for a while."""


class Transport:
    """Asks one source, keeping to its limits.

    Args:
        name: the source's name, for errors and metrics.
        limits: its pace and patience.
        session: the shared session (`open_session`).
        observe: told of every request.
        memory: what the source remembers; by default for as long as the process lives.
        budget: how much it may be asked now; by default this process's own.
    """

    def __init__(
        self,
        name: str,
        *,
        limits: Limits,
        session: aiohttp.ClientSession,
        observe: Observe = lambda *_: None,
        memory: Memory | None = None,
        budget: Budget | None = None,
    ) -> None:
        self.name = name
        self.memory = memory or ProcessMemory()
        self._limits = limits
        self._session = session
        self._observe = observe
        self._budget = budget or ProcessBudget(name, limits)
        self._tries = Tries(most=limits.attempts, backoff=limits.backoff)
        self._refusal: Callable[[], SourceError] | None = None
        self._refused_until = datetime.min.replace(tzinfo=UTC)

    def check_group(self, group: str) -> None:
        """See whether a group of the source may be asked, before others are asked for nothing.

        Raises:
            ThrottledError: it is parked.
        """
        self._budget.check(group)

    async def get(
        self,
        url: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
        retry: bool = True,
        group: str | None = None,
    ) -> Reply:
        """GET; see `request`."""
        return await self.request("GET", url, params=params, headers=headers, check=check, retry=retry, group=group)

    async def post(
        self,
        url: str,
        *,
        data: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
        retry: bool = True,
    ) -> Reply:
        """POST a form, or JSON; see `request`."""
        return await self.request("POST", url, data=data, json=json, headers=headers, check=check, retry=retry)

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params | None = None,
        data: Mapping[str, str] | None = None,
        json: object = None,
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
        retry: bool = True,
        group: str | None = None,
    ) -> Reply:
        """Send a request until it is answered, faults allowing.

        Args:
            method: GET or POST.
            url: the address; redirects are followed on its host only.
            params: of the query.
            data: a form.
            json: a body of JSON, where there is no form.
            headers: besides the session's.
            check: sees every reply first; a 429 or 5xx that it lets pass (`Reply.is_fault`) is an error all the same.
            retry: whether a transient fault is worth another try.
            group: what of the source is counted by itself (`Budget`).

        Raises:
            ThrottledError: the source asks us to wait for longer than `limits.patience`; also at once while that holds.
            UnconfiguredError, ShutOutError: as the check said; also at once for a minute afterwards.
            NoSuchHostError: its host cannot be found; also at once for a while afterwards.
            RateLimitedError: it still refuses for rate after all tries.
            TransientError: another fault that did not pass.
            SourceError: what the check said.
        """
        self._refuse_standing()
        more = {"params": params, "data": data, "json": json, "headers": headers}
        try:
            try:
                return await self._ask(method, url, check, group, **more)
            except TransientError as problem:
                if not retry:
                    raise
                return await self._tries.further(problem, lambda: self._ask(method, url, check, group, **more))
        except NoSuchHostError as problem:
            absent = str(problem)
            self._stand(lambda: NoSuchHostError(absent), datetime.now(UTC) + timedelta(seconds=_OFFLINE_SECONDS))
            raise
        except (UnconfiguredError, ShutOutError) as problem:
            kind, said = type(problem), str(problem)
            self._stand(lambda: kind(said), datetime.now(UTC) + timedelta(seconds=_STANDING_SECONDS))
            raise

    async def _ask(self, method: str, url: str, check: Check | None, group: str | None, **more: Any) -> Reply:
        for _ in range(_MOST_REDIRECTS + 1):
            reply = await self._send(method, url, group, **more)
            target = redirect(reply, method, url)
            if target is None:
                try:
                    if check is not None:
                        check(reply)
                except RateLimitedError as problem:
                    await self._wait(problem.retry_after)  # said in the body, as others say it in the header
                    raise
                except ThrottledError as problem:
                    await self._park(problem, group)
                    raise
                await self._refuse_faults(reply)
                return reply
            url, more["params"] = target, None  # the target has its own query
        raise BlockedError(f"{reply.url} sends us round in circles")

    async def _send(self, method: str, url: str, group: str | None, **more: Any) -> Reply:
        async with self._budget.turn(group):
            self._refuse_standing()
            count()
            started, outcome = time.perf_counter(), "failed"
            try:
                reply = await exchange(self._session, method, url, seconds=self._limits.timeout, **more)
                outcome = str(reply.status)
            except UnreachableError:
                outcome = "unreachable"
                raise
            finally:
                self._observe(self.name, outcome, time.perf_counter() - started)
        return reply

    async def _refuse_faults(self, reply: Reply) -> None:
        if not reply.is_fault:
            return
        seconds = reply.retry_after()
        await self._wait(seconds)
        if reply.status == 429:
            raise RateLimitedError(f"{self.name} says: too many requests", retry_after=seconds)
        raise ServerFaultError(f"{reply.url} answered {reply.status}")

    async def _wait(self, seconds: float | None) -> None:
        """Keep to a wait that was asked for, or give up where it is longer than our patience."""
        if seconds is not None and seconds > self._limits.patience:
            until = datetime.now(UTC) + timedelta(seconds=seconds)
            problem = ThrottledError(f"{self.name} asks us to wait until {until:%Y-%m-%d %H:%M:%S} UTC", until=until)
            await self._park(problem, None)
            raise problem
        if seconds:
            await self._budget.slow_down(seconds)

    async def _park(self, problem: ThrottledError, group: str | None) -> None:
        # A quota may be counted for a part of the source; any other long wait is asked for by all of it.
        part = group if problem.quota else None
        await self._budget.park(problem.until, reason=str(problem), group=part, quota=problem.quota)

    def _stand(self, refusal: Callable[[], SourceError], until: datetime) -> None:
        if until > self._refused_until:
            self._refusal, self._refused_until = refusal, until

    def _refuse_standing(self) -> None:
        if self._refusal is not None and datetime.now(UTC) < self._refused_until:
            raise self._refusal()
