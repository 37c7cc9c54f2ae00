"""Answers kept for a while, in memory or in Redis: losing the cache costs speed, never an answer."""

from backend.cache.cache import Cache, Namespace, digest, remember
from backend.cache.memory import MemoryCache

# `redis_cache` is not imported here: its library costs a tenth of the start-up, and most servers go without.
__all__ = ["Cache", "MemoryCache", "Namespace", "digest", "remember"]
