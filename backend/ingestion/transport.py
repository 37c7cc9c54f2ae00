"""HTTP towards one source: paced, retried when faults are transient, patient up to a bound.

Layers from outside in: a throttled source is not asked; retry; pace; the exchange itself, and
what goes wrong in it translated into errors that are transient or terminal by class.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any, Final

import aiohttp
import orjson
from aiolimiter import AsyncLimiter
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, stop_after_attempt, wait_random_exponential
from yarl import URL

from backend import __version__
from backend.utils.errors import (
    BlockedError,
    MalformedReplyError,
    RateLimitedError,
    ServerFaultError,
    ThrottledError,
    TransientError,
    UnreachableError,
)
from backend.utils.redaction import redact

USER_AGENT: Final = f"tensoe/{__version__} (self-hosted music catalogue)"
_MOST_BYTES: Final = 20_000_000
_LONGEST_BACKOFF: Final = 8.0

Check = Callable[["Reply"], None]
Params = Mapping[str, str | int] | Sequence[tuple[str, str]]
Observe = Callable[[str, str, float], None]
"""Called per request with the source's name, the outcome (a status or an error's class) and the seconds it took."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How fast and how patiently a source is asked.

    Attributes:
        rate: requests a second, evenly spaced.
        concurrent: requests under way at once.
        timeout: seconds for one request.
        attempts: tries of one request when faults are transient.
        patience: the longest Retry-After in seconds that is waited for; a longer one ends in ThrottledError.
    """

    rate: float = 5.0
    concurrent: int = 4
    timeout: float = 20.0
    attempts: int = 4
    patience: float = 30.0


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply whose body has arrived whole."""

    status: int
    headers: Mapping[str, str]  # keys in lower case
    body: bytes
    url: str  # with secrets masked

    def json(self) -> Any:
        """The body as JSON.

        Raises:
            MalformedReplyError: it is none.
        """
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError as problem:
            start = self.body[:60].decode("utf-8", "replace")
            raise MalformedReplyError(f"{self.url} answered {self.status} with no JSON: {start!r}") from problem

    def text(self) -> str:
        """The body as UTF-8 text, whatever the header claims (some pages declare no charset)."""
        return self.body.decode("utf-8", "replace")


def open_session() -> aiohttp.ClientSession:
    """The one session that all sources share; close it at the end."""
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=100, limit_per_host=50, ttl_dns_cache=300),
        headers={"User-Agent": USER_AGENT, "Accept-Encoding": "gzip, deflate"},
        cookie_jar=aiohttp.DummyCookieJar(),
    )


class Transport:
    """Asks one source, keeping to its limits.

    Args:
        name: the source's name, for errors and metrics.
        limits: its pace and patience.
        session: the shared session.
        observe: told of every request.
    """

    def __init__(
        self, name: str, *, limits: Limits, session: aiohttp.ClientSession, observe: Observe = lambda *_: None
    ) -> None:
        self.name = name
        self._limits = limits
        self._session = session
        self._observe = observe
        # One grant per interval rather than a bucket: a burst would break limits that count within a window.
        self._pace = AsyncLimiter(1, 1 / limits.rate)
        self._slots = asyncio.Semaphore(limits.concurrent)
        self._throttled_until: datetime | None = None

    async def get(
        self,
        url: str,
        *,
        params: Params | None = None,
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Reply:
        """GET; see `request`."""
        return await self.request("GET", url, params=params, headers=headers, check=check)

    async def post(
        self,
        url: str,
        *,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Reply:
        """POST a form; see `request`."""
        return await self.request("POST", url, data=data, headers=headers, check=check)

    async def request(
        self,
        method: str,
        url: str,
        *,
        params: Params | None = None,
        data: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        check: Check | None = None,
    ) -> Reply:
        """Send a request until it is answered, faults allowing.

        Args:
            method: GET or POST.
            url: the address.
            params: of the query.
            data: a form.
            headers: besides the session's.
            check: looks at a reply of any status but 429 and 5xx and raises by class what it says; what it raises as
                transient is tried again.

        Raises:
            ThrottledError: the source asks us to wait for longer than `limits.patience`; also at once while that holds.
            RateLimitedError: it still refuses for rate after all tries.
            TransientError: another fault that did not pass.
        """
        self._refuse_while_throttled()
        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=stop_after_attempt(self._limits.attempts),
            wait=self._wait,
            reraise=True,
        )
        async for attempt in retrying:
            with attempt:
                reply = await self._send(method, url, params=params, data=data, headers=headers)
                self._refuse_faults(reply)
                if check is not None:
                    check(reply)
                return reply
        raise AssertionError("tenacity ends with a reply or an error")

    async def _send(self, method: str, url: str, **more: Any) -> Reply:
        async with self._slots:
            await self._pace.acquire()
            self._refuse_while_throttled()
            started, outcome = time.perf_counter(), "cancelled"
            try:
                reply = await self._exchange(method, url, **more)
                outcome = str(reply.status)
            except UnreachableError:
                outcome = "unreachable"
                raise
            finally:
                self._observe(self.name, outcome, time.perf_counter() - started)
        return reply

    async def _exchange(self, method: str, url: str, **more: Any) -> Reply:
        shown = redact(str(URL(url).update_query(more["params"]) if more.get("params") else url))
        timeout = aiohttp.ClientTimeout(total=self._limits.timeout)
        try:
            async with self._session.request(method, url, timeout=timeout, allow_redirects=False, **more) as answer:
                body = await answer.content.read(_MOST_BYTES + 1)
                while not answer.content.at_eof() and len(body) <= _MOST_BYTES:
                    body += await answer.content.read(_MOST_BYTES + 1 - len(body))
                headers = {k.lower(): v for k, v in answer.headers.items()}
        except TimeoutError as problem:
            raise UnreachableError(f"{shown} did not answer within {self._limits.timeout:g} s") from problem
        except (aiohttp.ClientError, OSError) as problem:
            # aiohttp's messages may carry the address with its key: only the kind of fault is passed on.
            raise UnreachableError(f"{shown}: {_kind(problem)}") from None
        if len(body) > _MOST_BYTES:
            raise MalformedReplyError(f"{shown} answered with more than {_MOST_BYTES:,} bytes")
        return Reply(answer.status, headers, body, shown)

    def _refuse_faults(self, reply: Reply) -> None:
        if 300 <= reply.status < 400:
            target = redact(reply.headers.get("location", "elsewhere"))
            raise BlockedError(f"{reply.url} sends us to {target}, which is not followed; check the source's address")
        if reply.status == 429:
            seconds = retry_after(reply.headers)
            if seconds is not None and seconds > self._limits.patience:
                raise self._throttle(seconds)
            raise RateLimitedError(f"{self.name} says: too many requests", retry_after=seconds)
        if reply.status >= 500 and "cf-mitigated" not in reply.headers:
            raise ServerFaultError(f"{reply.url} answered {reply.status}")

    def _throttle(self, seconds: float) -> ThrottledError:
        self._throttled_until = datetime.now(UTC) + timedelta(seconds=seconds)
        return self._throttled()

    def _throttled(self) -> ThrottledError:
        assert self._throttled_until is not None
        until = self._throttled_until
        return ThrottledError(f"{self.name} asks us to wait until {until:%Y-%m-%d %H:%M:%S} UTC", until=until)

    def _refuse_while_throttled(self) -> None:
        if self._throttled_until is not None and datetime.now(UTC) < self._throttled_until:
            raise self._throttled()

    def _wait(self, state: RetryCallState) -> float:
        """Seconds before the next try: what the source asks for, else growing with jitter."""
        problem = state.outcome.exception() if state.outcome else None
        backoff = wait_random_exponential(multiplier=0.5, max=_LONGEST_BACKOFF)(state)
        asked = problem.retry_after if isinstance(problem, RateLimitedError) else None
        # A little jitter on top, so that requests refused together don't come back together.
        return backoff if asked is None else asked + backoff / 10


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds of a Retry-After header: a number or an HTTP date (RFC 9110, section 10.2.3); None when unusable."""
    value = headers.get("retry-after", "").strip()
    try:
        return max(0.0, float(value))
    except ValueError:
        pass
    try:
        return max(0.0, (parsedate_to_datetime(value) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None


def _kind(problem: Exception) -> str:
    if isinstance(problem, aiohttp.ClientConnectorError):
        return f"no connection ({problem.os_error.strerror or 'unknown host'})"
    if isinstance(problem, aiohttp.ClientPayloadError | aiohttp.ServerDisconnectedError | ConnectionError):
        return "the connection broke before the reply was whole"
    return type(problem).__name__
