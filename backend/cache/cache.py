"""The seam of the cache, and what both kinds share: the form of keys, and computing what is missing."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from typing import Any, Literal, Protocol

import orjson

Count = Callable[[bool], None]
"""Told of each look into the cache: True for a hit."""

Namespace = Literal["catalogue", "user"]
"""What is emptied together: `catalogue` is computed from tracks and albums, `user` is what listeners heard."""

PREFIX = "tensoe"
VERSION = 1  # of the form of cached values; raising it forgets what older servers wrote


class Cache(Protocol):
    """Keeps bytes for a time. No method raises for what the storage behind it does."""

    async def get(self, namespace: Namespace, key: str) -> bytes | None:
        """The value, or None when it is not there, too old, damaged, or the storage does not answer."""
        ...

    async def set(
        self, namespace: Namespace, key: str, value: bytes, *, ttl: float, generation: str | None = None
    ) -> None:
        """Keep a value for `ttl` seconds.

        With the `generation` that was current when computing began, a value that `clear` overtook stays unseen.
        """
        ...

    async def generation(self, namespace: Namespace) -> str:
        """A word that changes with every `clear` of the namespace; empty when the storage does not answer."""
        ...

    async def clear(self, namespace: Namespace) -> None:
        """Forget everything in the namespace."""
        ...

    def cleared(self, namespace: Namespace) -> int:
        """A number that grows with every `clear` by this process: when it begins, and when it has ended."""
        ...

    async def erase(self, namespace: Namespace) -> bool:
        """`clear`, and take the values themselves off the storage now, not when their time is up.

        Returns:
            Whether the storage did so; False when it does not answer.
        """
        ...

    async def state(self) -> dict[str, Any]:
        """How it stands, for people: `kind`, `reachable` and what else is known."""
        ...

    async def close(self) -> None:
        """Give back connections; the cache is not used after it."""
        ...


def digest(name: str, parameters: object = None) -> str:
    """A key: the name and a hash of the parameters as canonical JSON, so that their order does not matter.

    >>> digest("genres", {"limit": 5, "q": None}) == digest("genres", {"q": None, "limit": 5})
    True
    """
    canonical = orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)
    return f"{name}:{hashlib.blake2b(canonical, digest_size=16).hexdigest()}"


def storage_key(namespace: Namespace, generation: str, key: str) -> str:
    """The whole key as it stands in the storage."""
    return f"{PREFIX}:{VERSION}:{namespace}:{generation}:{key}"


async def remember(
    cache: Cache, namespace: Namespace, key: str, *, ttl: float, compute: Callable[[], Awaitable[bytes]]
) -> bytes:
    """The cached value, or else what `compute` gives, which is then kept for `ttl` seconds.

    What `compute` raises is passed on and not kept.
    """
    found = await cache.get(namespace, key)
    if found is not None:
        return found
    generation = await cache.generation(namespace)
    value = await compute()
    await cache.set(namespace, key, value, ttl=ttl, generation=generation)
    return value
