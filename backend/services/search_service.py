"""One search over tracks, albums and artists, for people who type."""

from __future__ import annotations

from typing import Any

import orjson

from backend.cache import Cache, digest, remember
from backend.models.ingestion_models import RightsLevel
from backend.models.results import AlbumFilter
from backend.repositories.album_reader import AlbumReader
from backend.repositories.artist_reader import ArtistReader
from backend.repositories.track_search import TrackSearch

_ALBUM = ("id", "title", "artist", "artist_id", "release_date", "total_tracks", "synthetic")


class SearchService:
    """Finds what is meant.

    Args:
        tracks: finds tracks.
        albums: finds albums.
        artists: finds artists.
        cache: where answers are kept: while somebody types, beginnings come again and again.
        ttl: seconds they are kept at the most.
    """

    def __init__(
        self, tracks: TrackSearch, albums: AlbumReader, artists: ArtistReader, *, cache: Cache, ttl: float
    ) -> None:
        self._tracks = tracks
        self._albums = albums
        self._artists = artists
        self._cache = cache
        self._ttl = ttl

    async def search(self, q: str, *, limit: int, rights: RightsLevel = RightsLevel.ANY) -> bytes:
        """Tracks, albums and artists like what was typed, of each the nearest first, as JSON.

        Args:
            q: what was typed.
            limit: of each.
            rights: the level.

        Raises:
            InvalidInputError: the text holds what PostgreSQL cannot.
        """

        async def compute() -> bytes:
            # One after the other: who types must not take every pooled connection.
            artists = await self._artists.page(q=q, rights=rights, limit=limit)
            albums = await self._albums.page(AlbumFilter(q=q, rights=rights), limit=limit)
            return orjson.dumps(
                {
                    "q": q,
                    "tracks": await self._tracks.find(q, limit=limit, rights=rights),
                    "albums": [_named(album) for album in albums.items],
                    "artists": artists.items,
                }
            )

        key = digest("search", {"q": q, "limit": limit, "rights": rights})
        return await remember(self._cache, "catalogue", key, ttl=self._ttl, compute=compute)


def _named(album: dict[str, Any]) -> dict[str, Any]:
    return {name: album[name] for name in _ALBUM}
