"""The rate limit on our own API, per client address, told in headers (IETF draft ratelimit-headers)."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import structlog
from limits import RateLimitItem, WindowStats, parse
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import SlidingWindowCounterRateLimiter
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.routes.errors import problem
from backend.utils.errors import ConfigurationError

if TYPE_CHECKING:
    from redis.asyncio import ConnectionPool

log = structlog.get_logger(__name__)

_PATIENCE: Final = 0.25  # seconds for the shared counter
_PAUSE: Final = 5.0  # seconds a failing one is left alone
# Parts of a page are not requests of their own; nor is watching.
_FREE: Final = ("/static/", "/studio/assets/", "/live", "/ready")


class Pace:
    """Counts requests per client; in a shared server when there is one, in memory when not or while it is away.

    Args:
        policy: in the notation of `limits`, such as "600/minute".
        redis_url: the shared server; None counts in this process alone.

    Raises:
        ConfigurationError: the policy or the address does not fit.
    """

    def __init__(self, policy: str, *, redis_url: str | None = None) -> None:
        try:
            self.item: RateLimitItem = parse(policy)
        except ValueError as error:
            raise ConfigurationError(f"RATE_LIMIT={policy!r} must look like 600/minute or 10/second") from error
        self._memory = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._pool = None if redis_url is None else _pool(redis_url)
        self._shared = None if self._pool is None else SlidingWindowCounterRateLimiter(_storage(self._pool))
        self._resume_at = 0.0

    async def close(self) -> None:
        """Give back connections."""
        if self._pool is not None:
            await self._pool.disconnect()

    @property
    def window(self) -> int:
        """Seconds that the policy counts over."""
        return int(self.item.get_expiry())

    async def take(self, client: str, item: RateLimitItem | None = None) -> tuple[bool, WindowStats]:
        """Count a request; whether it is within the limit, and what is left.

        Args:
            client: whose.
            item: another limit than the policy.
        """
        if self._shared is not None and time.monotonic() >= self._resume_at:
            try:
                async with asyncio.timeout(_PATIENCE):
                    return await self._take(self._shared, client, item or self.item)
            except Exception as fault:  # noqa: BLE001 - a library over a library: whatever the server does, we go on
                self._resume_at = time.monotonic() + _PAUSE
                log.warning("shared rate limit does not answer; counting alone", fault=type(fault).__name__)
        return await self._take(self._memory, client, item or self.item)

    async def _take(
        self, limiter: SlidingWindowCounterRateLimiter, client: str, item: RateLimitItem
    ) -> tuple[bool, WindowStats]:
        allowed = await limiter.hit(item, client)
        return allowed, await limiter.get_window_stats(item, client)


def _pool(url: str) -> ConnectionPool:
    from redis.asyncio import BlockingConnectionPool  # only who shares a counter needs it

    try:
        return BlockingConnectionPool.from_url(
            url, max_connections=20, timeout=_PATIENCE, socket_timeout=_PATIENCE, socket_connect_timeout=_PATIENCE
        )
    except ValueError:
        # `from None`: the library's text repeats the address, which may hold a password.
        raise ConfigurationError("REDIS_URL must look like redis://host:6379/0, rediss://… or unix://…") from None


def _storage(pool: ConnectionPool) -> Storage:
    from limits.aio.storage import RedisStorage

    # The address is the pool's; this one only says which protocol is spoken.
    return RedisStorage("async+redis://shared:6379", implementation="redispy", connection_pool=pool)  # type: ignore[arg-type]  # documented, not typed


class RateLimit:
    """Refuses requests beyond the limit with 429 and says on every answer what is left.

    Args:
        app: what is wrapped.
        pace: gives what counts; None while there is none, then nothing is limited.
        refused: told of each refusal.
    """

    def __init__(self, app: ASGIApp, *, pace: Callable[[], Pace | None], refused: Callable[[], None]) -> None:
        self._app = app
        self._pace = pace
        self._refused = refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        pace = self._pace()
        free = scope["type"] != "http" or scope["method"] == "OPTIONS" or scope["path"].startswith(_FREE)
        if pace is None or free:
            await self._app(scope, receive, send)
            return
        client = (scope.get("client") or ("unknown", 0))[0]
        allowed, left = await pace.take(client)
        wait = max(1, math.ceil(left.reset_time - time.time()))

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers["ratelimit-policy"] = f'"default";q={pace.item.amount};w={pace.window}'
                headers["ratelimit"] = f'"default";r={max(0, left.remaining)};t={wait}'
            await send(message)

        if allowed:
            await self._app(scope, receive, send_with_headers)
            return
        self._refused()
        detail = f"More than {pace.item} from this address; ask again in {wait} seconds."
        answer = problem(429, detail=detail, instance=scope["path"], headers={"retry-after": str(wait)})
        await answer(scope, receive, send_with_headers)
