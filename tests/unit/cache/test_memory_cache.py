"""Bounds of the in-memory cache."""

from __future__ import annotations

from backend.cache import MemoryCache, digest
from backend.cache.memory import _OVERHEAD


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def _ignore(hit: bool) -> None:
    del hit


async def test_the_least_recently_used_goes_first() -> None:
    cache = MemoryCache(_ignore, max_bytes=3 * (10 + _OVERHEAD))
    for name in "abc":
        await cache.set("user", name, b"0123456789", ttl=60)
    assert await cache.get("user", "a") is not None
    await cache.set("user", "d", b"0123456789", ttl=60)
    assert await cache.get("user", "b") is None
    assert await cache.get("user", "a") is not None
    assert (await cache.state())["bytes"] <= 3 * (10 + _OVERHEAD)


async def test_a_value_beyond_the_bound_is_not_kept_and_drives_nothing_out() -> None:
    cache = MemoryCache(_ignore, max_bytes=1000)
    await cache.set("user", "small", b"x", ttl=60)
    await cache.set("user", "huge", b"x" * 1001, ttl=60)
    assert await cache.get("user", "huge") is None
    assert await cache.get("user", "small") == b"x"


async def test_each_value_has_its_own_ttl() -> None:
    clock = Clock()
    cache = MemoryCache(_ignore, timer=clock)
    await cache.set("user", "short", b"1", ttl=10)
    await cache.set("user", "long", b"2", ttl=100)
    clock.now = 50
    assert await cache.get("user", "short") is None
    assert await cache.get("user", "long") == b"2"
    assert (await cache.state())["entries"] == 1


async def test_clearing_gives_the_memory_back() -> None:
    cache = MemoryCache(_ignore)
    await cache.set("catalogue", "k", b"x" * 10_000, ttl=60)
    await cache.clear("catalogue")
    assert (await cache.state())["bytes"] == 0


def test_keys_tell_parameters_apart() -> None:
    assert digest("genres", {"limit": 1}) != digest("genres", {"limit": 2})
    assert digest("genres", {"limit": 1}) != digest("moods", {"limit": 1})
    assert digest("genres", {"limit": 1, "q": None}) == digest("genres", {"q": None, "limit": 1})
