"""Public listeners: what they play most, by Last.fm or ListenBrainz."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import orjson

from backend.cache import Cache, digest, remember
from backend.models.ingestion_models import Rights, RightsLevel
from backend.models.tastes import HeardFrom
from backend.utils.errors import BusyError, InvalidInputError

Kind = Literal["artists", "albums", "tracks"]
Period = Literal["overall", "7day", "1month", "3month", "6month", "12month"]

_AGAIN: float = 10.0  # seconds until a cache that does not answer is worth another try


class Listener(Protocol):
    """Who knows what a listener plays; `ingestion.lastfm_listener` and `ingestion.listenbrainz_listener` do."""

    @property
    def rights(self) -> Rights:
        """What its terms let one do with it."""
        ...

    async def top(self, user: str, kind: Kind, *, period: Period, limit: int) -> Sequence[Mapping[str, Any]]:
        """The most played, first the most: at least `name`, `plays`, and `artist` for albums and tracks.

        Raises:
            UnconfiguredError: no key is set, or it is switched off.
            RecordNotFoundError: there is no such listener.
            BlockedError: the listener keeps it private.
            SourceError: anything else that keeps the answer away.
        """
        ...


class UserService:
    """Answers of public listeners, kept for a while: each costs requests to a provider.

    Args:
        listeners: who knows what is played, by name.
        cache: where answers are kept.
        ttl: seconds they are kept.
    """

    def __init__(self, listeners: Mapping[HeardFrom, Listener], *, cache: Cache, ttl: float) -> None:
        self._listeners = listeners
        self._cache = cache
        self._ttl = ttl

    def rights(self, source: HeardFrom) -> Rights:
        """What may be done with what a source says of listeners.

        Raises:
            InvalidInputError: it says nothing of listeners.
        """
        return self._listener(source).rights

    async def top(
        self,
        user: str,
        kind: Kind,
        *,
        period: Period,
        limit: int,
        rights: RightsLevel = RightsLevel.ANY,
        source: HeardFrom = HeardFrom.LASTFM,
    ) -> dict[str, Any]:
        """The most played artists, albums or tracks.

        Raises:
            SourceError: see `Listener.top`.
            InvalidInputError: what listeners play may not be shown at this level of rights.
        """
        listener = self._listener(source)
        self.check(source, rights)

        async def ask() -> dict[str, Any]:
            found = await listener.top(user, kind, period=period, limit=limit)
            return {
                "user": user,
                "source": source,
                "kind": kind,
                "period": period,
                "count": len(found),
                "data": [dict(f) for f in found],
            }

        return await self._kept("top", ask, user=user, source=source, kind=kind, period=period, limit=limit)

    def check(self, source: HeardFrom, rights: RightsLevel) -> None:
        """See whether what a source says of listeners may be shown at a level of rights.

        Raises:
            InvalidInputError: it may not.
        """
        own = self.rights(source)
        if not rights.permits(own):
            raise InvalidInputError(
                f"What listeners play is {own} at {source}: there is none of it at rights={rights}; leave rights out"
            )

    async def forget(self) -> None:
        """Take all that is kept of public listeners off the cache at once: its keys do not tell whose is whose.

        Raises:
            BusyError: the cache does not answer; what is in it is gone when its time is up.
        """
        if not await self._cache.erase("user"):
            raise BusyError(
                f"The cache does not answer; ask again, or it is gone by itself after {self._ttl:g} seconds (CACHE_USER_TTL)",
                retry_after=_AGAIN,
            )

    def _listener(self, source: HeardFrom) -> Listener:
        found = self._listeners.get(source)
        if found is None:
            raise InvalidInputError(
                f"{source} says nothing of public listeners; there are {', '.join(self._listeners)}"
            )
        return found

    async def _kept(
        self, name: str, ask: Callable[[], Awaitable[dict[str, Any]]], **parameters: object
    ) -> dict[str, Any]:
        async def compute() -> bytes:
            return orjson.dumps(await ask())

        key = digest(f"user.{name}", parameters)
        found: dict[str, Any] = orjson.loads(await remember(self._cache, "user", key, ttl=self._ttl, compute=compute))
        return found
