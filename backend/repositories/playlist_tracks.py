"""Tracks as playlists name them, by their ids."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from backend.models.discovery import PlaylistEntry
from backend.models.ingestion_models import RightsLevel
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS

COLUMNS: Final = (
    "id", "title", "artist", "album", "release_year", "duration_ms", "isrc", "spotify_id", "recording_mbid",
)  # fmt: skip


class PlaylistTracks:
    """Reads what a playlist says of tracks."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, ids: Sequence[str], *, rights: RightsLevel = RightsLevel.ANY) -> list[PlaylistEntry]:
        """The tracks of these ids, in their order; those that are gone are left out."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {', '.join(COLUMNS)} FROM {LAYERS[rights].tracks} WHERE id = ANY($1::text[])", list(ids)
            )
        found = {row["id"]: PlaylistEntry(**dict(row)) for row in rows}
        return [found[track_id] for track_id in ids if track_id in found]
