"""Reading albums: lists with filters and search, and one in full."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson

from backend.models.results import Page
from backend.repositories import cursor as cursors
from backend.repositories.album_removal import AlbumRemoval
from backend.repositories.database import Connection, Database
from backend.repositories.tag_spellings import spellings
from backend.repositories.track_columns import TRACK_COLUMNS
from backend.repositories.track_filter import as_json, containing
from backend.utils.errors import NotFoundError
from backend.utils.text import fold, fold_name

_SUMMARY: Final = (
    "id", "title", "artist", "release_date", "release_precision", "label", "upc", "total_tracks", "popularity", "listeners",
    "aoty_critic_score", "aoty_critic_count", "aoty_user_score", "aoty_user_count", "genres", "moods", "ids", "synthetic",
)  # fmt: skip
_FITTING: Final = """
    ($1::text IS NULL OR title ILIKE $1 OR artist ILIKE $1 OR title_key LIKE $2 OR artist_key LIKE $2)
    AND ($3::text IS NULL OR artist_key = $3) AND ($4::text[] IS NULL OR genres && $4)
    AND ($5::int IS NULL OR release_date >= make_date($5, 1, 1))
    AND ($6::int IS NULL OR release_date <= make_date($6, 12, 31))
    AND ($7::boolean IS NULL OR synthetic = $7)
"""
_PAGE: Final = f"""
SELECT artist_key, title_key, id, row_to_json((SELECT r FROM (SELECT {", ".join(_SUMMARY)}) AS r))::text AS row
FROM albums WHERE {_FITTING} AND (artist_key, title_key, id) > ($8, $9, $10)
ORDER BY artist_key, title_key, id LIMIT $11
"""
_COUNT: Final = f"SELECT count(*) FROM albums WHERE {_FITTING}"
_TRACKS: Final = f"""
SELECT row_to_json((SELECT r FROM (SELECT {", ".join(TRACK_COLUMNS)}) AS r))::text
FROM enhanced_tracks WHERE album_id = $1 ORDER BY disc_number, track_number, id
"""
_SOURCES: Final = """
SELECT source, rights, match_method, match_score, fetched_at, valid_from FROM source_records
WHERE album_id = $1 AND valid_to IS NULL ORDER BY source
"""


class AlbumReader:
    """Reads `albums`; lists are ordered by artist, then title."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self,
        *,
        q: str | None = None,
        artist: str | None = None,
        genre: str | None = None,
        year_from: int | None = None,
        year_to: int | None = None,
        synthetic: bool | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> Page:
        """Albums that fit.

        Args:
            q: looked for in titles and artists, whatever its case and accents.
            artist: exactly this one, in any spelling.
            genre: one of the album's, in any spelling.
            year_from: of release, included.
            year_to: of release, included.
            synthetic: only albums with made-up values, or only those without.
            limit: of a page.
            cursor: of the page before.

        Raises:
            InvalidInputError: the cursor is not of this listing, or a text holds what PostgreSQL cannot.
        """
        held = [q, artist, genre, year_from, year_to, synthetic]
        as_json(held)
        after = cursors.decode(cursor, of=held, parts=3) if cursor else ["", "", ""]
        fitting = (
            containing(q),
            containing(fold(q)) if q else None,
            fold_name(artist) if artist else None,
            spellings(genre) if genre else None,
            _bounded(year_from),
            _bounded(year_to),
            synthetic,
        )
        async with self._snapshot() as connection:
            rows = await connection.fetch(_PAGE, *fitting, *after, limit + 1)
            total = await connection.fetchval(_COUNT, *fitting)
        more = len(rows) > limit
        last = rows[limit - 1] if more else None
        return Page(
            items=[orjson.loads(row["row"]) for row in rows[:limit]],
            next_cursor=cursors.encode([last["artist_key"], last["title_key"], last["id"]], of=held) if last else None,
            total=total,
        )

    async def album(self, album_id: str) -> dict[str, Any]:
        """One album: its fields, `provenance`, `tracks` in order, and `sources` (who said something of it, and when).

        Raises:
            NotFoundError: no album has this id.
        """
        columns = ", ".join((*_SUMMARY, "artist_id", "provenance", "created_at", "updated_at"))
        async with self._snapshot() as connection:
            row = await connection.fetchval(
                f"SELECT row_to_json((SELECT r FROM (SELECT {columns}) AS r))::text FROM albums WHERE id = $1", album_id
            )
            if row is None:
                raise NotFoundError(f"No album has the id {album_id[:100]!r}; /albums lists what is stored")
            tracks = await connection.fetch(_TRACKS, album_id)
            sources = await connection.fetch(_SOURCES, album_id)
        return {
            **orjson.loads(row),
            "tracks": [orjson.loads(track[0]) for track in tracks],
            "sources": [dict(source) for source in sources],
        }

    @contextlib.asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        """A connection whose statements all see the same state."""
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def delete(self, album_id: str) -> None:
        """Remove an album, its tracks and what the sources said of it.

        Raises:
            NotFoundError: no album has this id.
        """
        await AlbumRemoval(self._database).album(album_id)


def _bounded(year: int | None) -> int | None:
    # What make_date takes; beyond it nothing was released either way.
    return None if year is None else min(max(year, 1), 9_999)
