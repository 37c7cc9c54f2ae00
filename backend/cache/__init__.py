"""Answers kept for a while, in memory or in Redis: losing the cache costs speed, never an answer."""

from backend.cache.cache import Cache, Namespace, digest, remember
from backend.cache.memory import MemoryCache
from backend.cache.redis_cache import RedisCache

__all__ = ["Cache", "MemoryCache", "Namespace", "RedisCache", "digest", "remember"]
