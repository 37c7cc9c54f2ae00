"""Finding tracks by what people type: by title, with the artist beside it where both are typed."""

from __future__ import annotations

from typing import Any, Final

from backend.models.ingestion_models import RightsLevel
from backend.repositories import name_search
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS
from backend.repositories.track_filter import as_json, containing
from backend.utils.text import squeeze

_SHOWN: Final = (
    "id", "title", "artist", "album", "album_id", "release_year", "duration_ms", "popularity", "synthetic",
)  # fmt: skip
_TITLE: Final = "lower(title)"  # as the index has it
_NAMES: Final = (_TITLE, "lower(artist)")
_SHORT: Final = 3
"""Letters below which only beginnings are looked for: trigrams tell nothing of less, and every title would fit."""


class TrackSearch:
    """Searches titles."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def find(self, q: str, *, limit: int, rights: RightsLevel = RightsLevel.ANY) -> list[dict[str, Any]]:
        """Songs whose title is like what was typed, the nearest first, of equally near ones the most popular; each once.

        Args:
            q: what was typed; the artist may stand beside the title.
            limit: how many.
            rights: the level.

        Raises:
            InvalidInputError: the text holds what PostgreSQL cannot.
        """
        typed = squeeze(q).lower()
        as_json(typed)
        bound: list[object] = [typed, containing(typed)]
        if len(typed) < _SHORT or not name_search.has_words(typed):
            fitting = f"{_TITLE} LIKE $3"
            bound.append((containing(typed) or "")[1:])
        else:
            fitting = name_search.fitting((_TITLE,), 1)
        table, columns = LAYERS[rights].tracks, ", ".join(_SHOWN)
        async with self._database.connection() as connection, connection.transaction(readonly=True):
            await connection.execute(name_search.SET_THRESHOLD)
            await connection.execute(name_search.BY_INDEX)
            rows = await connection.fetch(
                f"WITH fitting AS (SELECT {columns}, coalesce(recording_id, id) AS song, {name_search.order(_NAMES, 1)} AS far "
                f"FROM {table} WHERE {fitting}), "
                "songs AS (SELECT DISTINCT ON (song) * FROM fitting "
                "ORDER BY song, far, popularity DESC NULLS LAST, release_year, id) "
                f"SELECT {columns} FROM songs ORDER BY far, popularity DESC NULLS LAST, id LIMIT ${len(bound) + 1}",
                *bound,
                limit,
            )
        return [dict(row) for row in rows]
