"""Albums: finding them, and one in full."""

from __future__ import annotations

from typing import Any

import orjson

from backend.cache import Cache, digest, remember
from backend.models.results import Page
from backend.repositories.album_reader import AlbumReader


class AlbumService:
    """Answers of albums.

    Args:
        reader: where they are read.
        cache: where albums in full are kept.
        ttl: seconds they are kept at the most; an ingestion empties them.
    """

    def __init__(self, reader: AlbumReader, *, cache: Cache, ttl: float) -> None:
        self._reader = reader
        self._cache = cache
        self._ttl = ttl

    async def page(
        self,
        *,
        q: str | None = None,
        artist: str | None = None,
        genre: str | None = None,
        year_from: int | None = None,
        year_to: int | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Albums that fit, in a stable order.

        Raises:
            InvalidInputError: the cursor is none of ours.
        """
        return await self._reader.page(
            q=q, artist=artist, genre=genre, year_from=year_from, year_to=year_to, limit=limit, cursor=cursor
        )

    async def album(self, album_id: str) -> dict[str, Any]:
        """An album with its tracks, scores and the source of each field.

        Raises:
            NotFoundError: no album has this id.
        """
        found: dict[str, Any] = orjson.loads(await self.album_json(album_id))
        return found

    async def album_json(self, album_id: str) -> bytes:
        """The same as ready JSON, kept for a while."""

        async def compute() -> bytes:
            return orjson.dumps(await self._reader.album(album_id))

        return await remember(self._cache, "catalogue", digest("album", album_id), ttl=self._ttl, compute=compute)
