"""Listeners: what they play most by Last.fm, and what the catalogue knows of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, Protocol

import orjson

from backend.cache import Cache, digest, remember
from backend.models.ingestion_models import Rights, RightsLevel
from backend.repositories.tastes import Tastes
from backend.utils.errors import InvalidInputError
from backend.utils.text import fold_name

Kind = Literal["artists", "albums", "tracks"]
Period = Literal["overall", "7day", "1month", "3month", "6month", "12month"]

_PROFILE_ARTISTS = 100
_PROFILE_TAGS = 20


class Listener(Protocol):
    """Who knows what a listener plays; `ingestion.lastfm_listener` does."""

    @property
    def rights(self) -> Rights:
        """What its terms let one do with it."""
        ...

    async def top(self, user: str, kind: Kind, *, period: Period, limit: int) -> Sequence[Mapping[str, Any]]:
        """The most played, first the most: at least `name`, `plays`, and `artist` for albums and tracks.

        Raises:
            UnconfiguredError: no key is set.
            RecordNotFoundError: there is no such listener.
            SourceError: anything else that keeps the answer away.
        """
        ...


class UserService:
    """Answers of listeners, kept for a while: each costs requests to a provider.

    Args:
        listener: who knows what is played.
        tastes: what the catalogue knows of artists.
        cache: where answers are kept.
        ttl: seconds they are kept.
    """

    def __init__(self, listener: Listener, tastes: Tastes, *, cache: Cache, ttl: float) -> None:
        self._listener = listener
        self._tastes = tastes
        self._cache = cache
        self._ttl = ttl

    async def top(
        self, user: str, kind: Kind, *, period: Period, limit: int, rights: RightsLevel = RightsLevel.ANY
    ) -> dict[str, Any]:
        """The most played artists, albums or tracks.

        Raises:
            SourceError: see `Listener.top`.
            InvalidInputError: what listeners play may not be shown at this level of rights.
        """
        if not rights.permits(self._listener.rights):
            raise InvalidInputError(
                f"What listeners play is {self._listener.rights}: there is none of it at rights={rights}; leave rights out"
            )

        async def ask() -> dict[str, Any]:
            found = await self._listener.top(user, kind, period=period, limit=limit)
            return {
                "user": user,
                "kind": kind,
                "period": period,
                "count": len(found),
                "data": [dict(f) for f in found],
            }

        return await self._kept("top", ask, user=user, kind=kind, period=period, limit=limit)

    async def profile(self, user: str, *, period: Period, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        """Genres, moods and audio features of the artists played most, as far as the catalogue knows them.

        Every artist counts by its plays; an artist's own mean by its tracks in the catalogue.

        Raises:
            SourceError: see `Listener.top`.
        """
        top = (await self.top(user, "artists", period=period, limit=_PROFILE_ARTISTS, rights=rights))["data"]
        plays: dict[str, float] = defaultdict(float)
        for artist in top:
            plays[fold_name(artist["name"])] += float(artist.get("plays") or 0)
        # Not cached: what the catalogue knows changes with every ingestion, and asking it is cheap.
        known = await self._tastes.of_artists(list(plays), rights=rights)
        heard = sum(plays.values())
        covered = sum(plays[row["artist_key"]] for row in known)
        return {
            "user": user,
            "period": period,
            "artists_played": len(top),
            "artists_known": len(known),
            "plays_known_share": round(covered / heard, 4) if heard else 0.0,
            "tracks_known": sum(row["tracks"] for row in known),
            "synthetic": any(row["synthetic"] for row in known),
            "genres": _tags(known, "genres", plays),
            "moods": _tags(known, "moods", plays),
            "audio_features": _means(known, plays),
        }

    async def _kept(
        self, name: str, ask: Callable[[], Awaitable[dict[str, Any]]], **parameters: object
    ) -> dict[str, Any]:
        async def compute() -> bytes:
            return orjson.dumps(await ask())

        key = digest(f"user.{name}", parameters)
        found: dict[str, Any] = orjson.loads(await remember(self._cache, "user", key, ttl=self._ttl, compute=compute))
        return found


def _tags(known: Sequence[Mapping[str, Any]], kind: str, plays: Mapping[str, float]) -> list[dict[str, Any]]:
    """Shares of the plays: a tag on half of an artist's tracks gets half of the artist's plays."""
    weights: dict[str, float] = defaultdict(float)
    total = sum(plays[row["artist_key"]] for row in known)
    for row in known:
        for tag, count in row[kind].items():
            weights[tag] += plays[row["artist_key"]] * count / row["tracks"]
    ranked = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:_PROFILE_TAGS]
    return [{"name": tag, "share": round(weight / total, 4)} for tag, weight in ranked if total]


def _means(known: Sequence[Mapping[str, Any]], plays: Mapping[str, float]) -> dict[str, float]:
    sums: dict[str, float] = defaultdict(float)
    weights: dict[str, float] = defaultdict(float)
    for row in known:
        for feature, mean in row["features"].items():
            sums[feature] += plays[row["artist_key"]] * mean
            weights[feature] += plays[row["artist_key"]]
    return {feature: round(sums[feature] / weights[feature], 4) for feature in sorted(sums) if weights[feature]}
