"""Albums and recordings: finding them, one in full, and taking one out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import orjson

from backend.cache import Cache, digest, remember
from backend.models.ingestion_models import RightsLevel
from backend.models.results import AlbumFilter, Page
from backend.repositories.album_reader import AlbumReader


class AlbumService:
    """Answers of albums.

    Args:
        reader: where they are read.
        cache: where albums in full are kept.
        ttl: seconds they are kept at the most; an ingestion empties them.
        stored: awaited after an album was taken out, to empty caches.
    """

    def __init__(self, reader: AlbumReader, *, cache: Cache, ttl: float, stored: Callable[[], Awaitable[None]]) -> None:
        self._reader = reader
        self._cache = cache
        self._ttl = ttl
        self._stored = stored

    async def page(self, wanted: AlbumFilter, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Albums that fit: by artist and title, or the nearest first when something is searched for.

        Raises:
            InvalidInputError: the cursor is none of ours.
        """
        return await self._reader.page(wanted, limit=limit, cursor=cursor)

    async def album(self, album_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        """An album with its tracks, scores and the source of each field.

        Raises:
            NotFoundError: no album has this id, or none at this level.
        """
        found: dict[str, Any] = orjson.loads(await self.album_json(album_id, rights=rights))
        return found

    async def album_json(self, album_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> bytes:
        """The same as ready JSON, kept for a while."""

        async def compute() -> bytes:
            return orjson.dumps(await self._reader.album(album_id, rights=rights))

        key = digest("album", [album_id, rights])
        return await remember(self._cache, "catalogue", key, ttl=self._ttl, compute=compute)

    async def recording(self, recording_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> list[dict[str, Any]]:
        """The appearances of a recording, the earliest first.

        Raises:
            NotFoundError: there is no such recording at this level.
        """
        return await self._reader.recording(recording_id, rights=rights)

    async def delete(self, album_id: str) -> None:
        """Take an album out, with its tracks and what the sources said of it.

        Raises:
            NotFoundError: no album has this id.
        """
        await self._reader.delete(album_id)
        await self._stored()
