"""The cache that several processes share: any server that speaks the Redis protocol.

A server that is dead, slow or answers nonsense is a logged miss: every command has a short time limit, and after
one failed the server is left alone for a while, so that requests are not slowed one after another.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import structlog
from redis import asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from backend.cache.cache import PREFIX, VERSION, Count, Namespace, storage_key
from backend.utils.errors import ConfigurationError

log = structlog.get_logger(__name__)

T = TypeVar("T")

_PATIENCE: Final = 0.25  # seconds for one command; computing an answer anew costs about as much
_PAUSE: Final = 5.0  # seconds a failing server is left alone
_ERASING: Final = 10.0  # seconds for looking through all keys
_SCANNED: Final = 1_000  # keys looked at per command
_CHECK_BYTES: Final = 8
_GENERATION: Final = re.compile(rb"[0-9a-f]{16}")


class RedisCache:
    """Keeps values in a server that speaks the Redis protocol.

    Args:
        url: redis://…, rediss://… or unix://…; may hold a password and is never logged.
        count: told of hits and misses.
        patience: seconds for one command.
        pause: seconds without a try after a failure.

    Raises:
        ConfigurationError: the address is none.
    """

    def __init__(self, url: str, count: Count, *, patience: float = _PATIENCE, pause: float = _PAUSE) -> None:
        self._count = count
        self._patience = patience
        self._pause = pause
        self._resume_at = 0.0
        self._owed: set[Namespace] = set()  # clears that could not be said yet
        self._cleared: Counter[Namespace] = Counter()
        try:
            self._client = redis.Redis.from_url(
                url,
                socket_timeout=patience,
                socket_connect_timeout=patience,
                retry=Retry(NoBackoff(), 0),
                max_connections=50,
            )
        except ValueError:
            # `from None`: the library's text repeats the address, which may hold a password.
            raise ConfigurationError("REDIS_URL must look like redis://host:6379/0, rediss://… or unix://…") from None

    async def get(self, namespace: Namespace, key: str) -> bytes | None:
        """See `Cache.get`."""
        value = await self._guard(lambda: self._read(namespace, key))
        self._count(value is not None)
        return value

    async def set(
        self, namespace: Namespace, key: str, value: bytes, *, ttl: float, generation: str | None = None
    ) -> None:
        """See `Cache.set`."""

        async def write() -> None:
            current = await self._current(namespace)
            if generation not in {None, current}:
                return  # overtaken: nobody would see it, and it would stay until its time is up
            where = storage_key(namespace, current, key)
            await self._client.set(where, _checksum(where, value) + value, px=max(1, int(ttl * 1000)))

        # Empty: the server was away when computing began, so whether the value was overtaken is unknown.
        if generation != "":
            await self._guard(write)

    async def generation(self, namespace: Namespace) -> str:
        """See `Cache.generation`."""
        return await self._guard(lambda: self._current(namespace)) or ""

    async def clear(self, namespace: Namespace) -> None:
        """See `Cache.clear`; when the server does not answer it is made up for before the next use."""
        self._cleared[namespace] += 1
        self._owed.add(namespace)
        await self._guard(self._settle)
        self._cleared[namespace] += 1

    def cleared(self, namespace: Namespace) -> int:
        """See `Cache.cleared`."""
        return self._cleared[namespace]

    async def erase(self, namespace: Namespace) -> bool:
        """See `Cache.erase`; what was being computed meanwhile is not kept either."""
        self._cleared[namespace] += 1
        self._owed.add(namespace)

        async def remove() -> bool:
            await self._settle()
            # Of every generation: older ones stay in the server until their time is up.
            pattern = f"{PREFIX}:{VERSION}:{namespace}:*"
            keys = [key async for key in self._client.scan_iter(pattern, count=_SCANNED)]
            if keys := [key for key in keys if key != _generation_key(namespace).encode()]:
                await self._client.unlink(*keys)
            return True

        done = await self._guard(remove, patience=_ERASING) or False
        self._cleared[namespace] += 1
        return done

    async def state(self) -> dict[str, Any]:
        """See `Cache.state`."""

        async def ask() -> dict[str, Any]:
            started = time.perf_counter()
            await self._client.ping()
            seconds = time.perf_counter() - started
            return {"entries": int(await self._client.dbsize()), "ping_seconds": round(seconds, 6)}

        found = await self._guard(ask)
        return {"kind": "redis", "reachable": found is not None, **(found or {})}

    async def close(self) -> None:
        """See `Cache.close`."""
        try:
            await self._client.aclose()
        except Exception as problem:  # noqa: BLE001 - as in `_guard`; closing must not keep the rest from closing
            log.warning("closing the cache failed", fault=type(problem).__name__)

    async def _read(self, namespace: Namespace, key: str) -> bytes | None:
        where = storage_key(namespace, await self._current(namespace), key)
        found = await self._client.get(where)
        if found is None:
            return None
        if not isinstance(found, bytes) or found[:_CHECK_BYTES] != _checksum(where, found[_CHECK_BYTES:]):
            log.warning("cached value is damaged and was left aside", key=where)
            return None
        return found[_CHECK_BYTES:]

    async def _current(self, namespace: Namespace) -> str:
        # Random words, not counters: a server that lost the word never brings an old generation back.
        await self._settle()
        where = _generation_key(namespace)
        found = await self._client.get(where)
        if not isinstance(found, bytes) or not _GENERATION.fullmatch(found):
            await self._client.set(where, secrets.token_hex(8), nx=found is None)
            found = await self._client.get(where)
        if not isinstance(found, bytes) or not _GENERATION.fullmatch(found):
            raise ValueError("the generation of the cache cannot be read")
        return found.decode()

    async def _settle(self) -> None:
        while self._owed:
            namespace = next(iter(self._owed))
            await self._client.set(_generation_key(namespace), secrets.token_hex(8))
            self._owed.discard(namespace)

    async def _guard(self, ask: Callable[[], Awaitable[T]], *, patience: float | None = None) -> T | None:
        """Run `ask` in the time allowed, usually `patience`; a fault is logged and answered with None."""
        if time.monotonic() < self._resume_at:
            return None
        try:
            async with asyncio.timeout(patience or self._patience):
                return await ask()
        except Exception as problem:  # noqa: BLE001 - a server that lies makes the library raise any class it likes
            self._resume_at = time.monotonic() + self._pause
            # The class alone: some of the library's messages repeat the address.
            log.warning("cache does not answer; going on without", fault=type(problem).__name__, pause=self._pause)
            return None


def _generation_key(namespace: Namespace) -> str:
    return f"{PREFIX}:{VERSION}:{namespace}:generation"


def _checksum(key: str, value: bytes) -> bytes:
    return hashlib.blake2b(key.encode() + value, digest_size=_CHECK_BYTES).digest()
