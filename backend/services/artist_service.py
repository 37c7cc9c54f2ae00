"""Artists: finding them, and one in full."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from backend.models.ingestion_models import RightsLevel
from backend.models.results import Page
from backend.repositories.artist_reader import ArtistReader
from backend.utils.identifiers import derive
from backend.utils.text import fold_name


class ArtistService:
    """Answers of artists.

    Args:
        reader: where they are read.
    """

    def __init__(self, reader: ArtistReader) -> None:
        self._reader = reader

    async def page(
        self, *, q: str | None = None, rights: RightsLevel = RightsLevel.ANY, limit: int = 50, cursor: str | None = None
    ) -> Page:
        """Artists by name, or the nearest first when something is searched for.

        Raises:
            InvalidInputError: the cursor is none of ours.
        """
        return await self._reader.page(q=q, rights=rights, limit=limit, cursor=cursor)

    async def artist(self, artist_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        """One artist: how much there is, years, genres, moods, mean audio features.

        Raises:
            NotFoundError: no album of this level is credited to such an artist.
        """
        return await self._reader.artist(artist_id, rights=rights)

    async def identified(self, rows: Sequence[dict[str, Any]], *, rights: RightsLevel) -> list[dict[str, Any]]:
        """Rows that name an `artist`, with `artist_id`: None for whom no album of this level is credited to."""
        ids = [derive("artist", fold_name(row["artist"])) for row in rows]
        known = await self._reader.known(ids, rights=rights)
        return [{**row, "artist_id": id_ if id_ in known else None} for row, id_ in zip(rows, ids, strict=True)]
