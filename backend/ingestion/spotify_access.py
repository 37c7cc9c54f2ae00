"""What a client id may ask Spotify: found out once per endpoint, and remembered over restarts.

Since November 2024 new client ids get no audio features, since February 2026 those in development mode no batch gets; older
ones may still have either. Nothing tells which is which but asking, and a refusal counts towards the quota.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import time
from collections.abc import AsyncIterator
from typing import Final, Literal

import structlog

from backend.ingestion.memory import Memory

log = structlog.get_logger(__name__)

Mode = Literal["auto", "development", "extended"]
Kind = Literal["tracks", "audio-features"]

_DAY: Final = 86_400.0
_REFUSED_SECONDS: Final = 7 * _DAY  # Spotify may grant more, or move a client id back, so neither is for ever
_ALLOWED_SECONDS: Final = 30 * _DAY
_IN_MIND_SECONDS: Final = 3600.0  # before the memory is looked at again


class Access:
    """What one client id may use.

    Args:
        mode: auto: ask and remember. development: ask for nothing that this mode lacks. extended: believe no refusal that
            is remembered; a new one is believed for an hour.
        client_id: who asks; only a hash of it is kept.
    """

    def __init__(self, mode: Mode, client_id: str) -> None:
        self._mode = mode
        self._owner = hashlib.sha256(client_id.encode()).hexdigest()[:16]
        self._in_mind: dict[Kind, tuple[bool, float]] = {}  # whether allowed, and until when to believe it
        self._probing = asyncio.Lock()

    @contextlib.asynccontextmanager
    async def asking(self, kind: Kind, memory: Memory) -> AsyncIterator[bool]:
        """Whether it is worth asking; while nobody knows, one asks and the others wait for what he is told.

        The one who asks calls `learn` before he leaves.
        """
        known = await self.known(kind, memory)
        if known is not None:
            yield known
            return
        async with self._probing:
            known = await self.known(kind, memory)
            yield known is not False

    async def known(self, kind: Kind, memory: Memory) -> bool | None:
        """Whether it may be asked; None when nobody knows."""
        if self._mode == "development":
            return False
        allowed, until = self._in_mind.get(kind, (False, 0.0))
        if time.monotonic() < until:
            return allowed
        found = (await memory.recall([self._key(kind)])).get(self._key(kind))
        if not isinstance(found, bool) or (self._mode == "extended" and not found):
            return None
        self._in_mind[kind] = found, time.monotonic() + _IN_MIND_SECONDS
        return found

    async def learn(self, kind: Kind, *, allowed: bool, memory: Memory) -> None:
        """Remember what an answer said."""
        before, until = self._in_mind.get(kind, (None, 0.0))
        self._in_mind[kind] = allowed, time.monotonic() + _IN_MIND_SECONDS
        if before is allowed and time.monotonic() < until:
            return  # once an hour is often enough to write it down
        if not allowed:
            say = log.warning if self._mode == "extended" else log.info
            say("this client id may not ask there", source="spotify", endpoint=kind, spotify_mode=self._mode)
        seconds = _ALLOWED_SECONDS if allowed else _REFUSED_SECONDS
        await memory.remember({self._key(kind): allowed}, seconds=seconds)

    def _key(self, kind: Kind) -> str:
        return f"may:{self._owner}:{kind}"
