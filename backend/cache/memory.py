"""The cache of one process: bounded in bytes, the least recently used goes first."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from cachetools import TLRUCache

from backend.cache.cache import Count, Namespace, storage_key

_MAX_BYTES = 64 * 1024 * 1024
_OVERHEAD = 200  # bytes of key and bookkeeping per entry, so that many tiny values are bounded too

Entry = tuple[bytes, float]  # value, seconds to live


class MemoryCache:
    """Keeps values in this process.

    Args:
        count: told of hits and misses.
        max_bytes: bound of all values together; a value of its own beyond it is not kept.
        timer: seconds, monotonic.
    """

    def __init__(
        self, count: Count, *, max_bytes: int = _MAX_BYTES, timer: Callable[[], float] = time.monotonic
    ) -> None:
        self._count = count
        self._generations: dict[Namespace, int] = {}
        self._entries: TLRUCache[str, Entry] = TLRUCache(
            max_bytes, ttu=lambda _key, entry, now: now + entry[1], timer=timer, getsizeof=_size
        )

    async def get(self, namespace: Namespace, key: str) -> bytes | None:
        """See `Cache.get`."""
        entry = self._entries.get(storage_key(namespace, await self.generation(namespace), key))
        self._count(entry is not None)
        return None if entry is None else entry[0]

    async def set(
        self, namespace: Namespace, key: str, value: bytes, *, ttl: float, generation: str | None = None
    ) -> None:
        """See `Cache.set`."""
        current = await self.generation(namespace)
        entry = (value, ttl)
        if (generation is None or generation == current) and _size(entry) <= self._entries.maxsize:
            self._entries[storage_key(namespace, current, key)] = entry

    async def generation(self, namespace: Namespace) -> str:
        """See `Cache.generation`."""
        return str(self._generations.get(namespace, 0))

    async def clear(self, namespace: Namespace) -> None:
        """See `Cache.clear`."""
        start = storage_key(namespace, await self.generation(namespace), "")
        for key in [k for k in self._entries if k.startswith(start)]:
            self._entries.pop(key, None)
        self._generations[namespace] = self._generations.get(namespace, 0) + 1

    def cleared(self, namespace: Namespace) -> int:
        """See `Cache.cleared`."""
        return self._generations.get(namespace, 0)

    async def erase(self, namespace: Namespace) -> bool:
        """See `Cache.erase`; here `clear` does so."""
        await self.clear(namespace)
        return True

    async def state(self) -> dict[str, Any]:
        """See `Cache.state`."""
        self._entries.expire()
        return {
            "kind": "memory",
            "reachable": True,
            "entries": len(self._entries),
            "bytes": int(self._entries.currsize),
            "max_bytes": int(self._entries.maxsize),
        }

    async def close(self) -> None:
        """See `Cache.close`."""
        self._entries.clear()


def _size(entry: Entry) -> int:
    return len(entry[0]) + _OVERHEAD
