"""Reading albums: lists with filters and search, and one in full; at any level of rights."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any, Final

import orjson

from backend.models.ingestion_models import RightsLevel
from backend.models.results import AlbumFilter, Page
from backend.repositories import cursor as cursors
from backend.repositories import name_search
from backend.repositories.album_removal import AlbumRemoval
from backend.repositories.database import Connection, Database
from backend.repositories.layers import LAYERS
from backend.repositories.tag_spellings import spellings
from backend.repositories.track_columns import TRACK_COLUMNS
from backend.repositories.track_filter import as_json, containing
from backend.utils.errors import NotFoundError
from backend.utils.text import fold_name

_SUMMARY: Final = (
    "id", "title", "artist", "artist_id", "release_date", "release_precision", "label", "upc", "total_tracks", "popularity",
    "listeners", "aoty_critic_score", "aoty_critic_count", "aoty_user_score", "aoty_user_count", "genres", "moods", "ids",
    "synthetic",
)  # fmt: skip
_NAMES: Final = ("title_key", "artist_key")
_SOURCES: Final = """
SELECT source, rights, match_method, match_score, fetched_at, valid_from FROM source_records
WHERE album_id = $1 AND valid_to IS NULL AND ($2::text[] IS NULL OR source = ANY($2)) ORDER BY source
"""
_TRACK: Final = f"row_to_json((SELECT r FROM (SELECT {', '.join(TRACK_COLUMNS)}) AS r))::text"


class AlbumReader:
    """Reads albums; lists are ordered by artist, then title, searches by nearness."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, wanted: AlbumFilter, *, limit: int = 50, cursor: str | None = None) -> Page:
        """Albums that fit.

        Args:
            wanted: which.
            limit: of a page.
            cursor: of the page before.

        Raises:
            InvalidInputError: the cursor is not of this listing, or a text holds what PostgreSQL cannot.
        """
        held = as_json(wanted)
        layer = LAYERS[wanted.rights]
        after = cursors.decode(cursor, of=[held], parts=4) if cursor else ["-1", "", "", ""]
        conditions, bound = _conditions(wanted)
        far = "0"
        if wanted.q and not name_search.has_words(wanted.q):
            # Signs alone: names as they are written.
            bound.append(containing(wanted.q))
            conditions.append(f"(title ILIKE ${len(bound)} OR artist ILIKE ${len(bound)})")
        elif wanted.q:
            first = len(bound) + 1
            bound += name_search.parameters(wanted.q)
            conditions.append(name_search.fitting(_NAMES, first))
            far = name_search.order(_NAMES, first)
        where = " AND ".join(conditions) or "true"
        n = len(bound)
        async with self._snapshot() as connection:
            await connection.execute(name_search.SET_THRESHOLD)
            if far != "0":
                await connection.execute(name_search.BY_INDEX)
            rows = await connection.fetch(
                f"WITH fitting AS (SELECT {', '.join((*_SUMMARY, *_NAMES))}, {far} AS far FROM {layer.albums} WHERE {where}) "
                f"SELECT far, artist_key, title_key, id, "
                f"row_to_json((SELECT r FROM (SELECT {', '.join(_SUMMARY)}) AS r))::text AS row FROM fitting "
                f"WHERE (far, artist_key, title_key, id) > (${n + 1}::integer, ${n + 2}, ${n + 3}, ${n + 4}) "
                f"ORDER BY far, artist_key, title_key, id LIMIT ${n + 5}",
                *bound,
                int(after[0]),
                *after[1:],
                limit + 1,
            )
            # The parameters of the order are not those of the count: a search counts what it finds.
            total = await connection.fetchval(f"SELECT count(*) FROM {layer.albums} WHERE {where}", *bound)
        more = len(rows) > limit
        last = rows[limit - 1] if more else None
        place = [str(last["far"]), last["artist_key"], last["title_key"], last["id"]] if last else []
        return Page(
            items=[orjson.loads(row["row"]) for row in rows[:limit]],
            next_cursor=cursors.encode(place, of=[held]) if last else None,
            total=total,
        )

    async def album(self, album_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        """One album: its fields, `provenance`, `tracks` in order, and `sources` (who said something of it, and when).

        Raises:
            NotFoundError: no album has this id, or none at this level.
        """
        layer = LAYERS[rights]
        columns = ", ".join((*_SUMMARY, "provenance", "created_at", "updated_at"))
        async with self._snapshot() as connection:
            row = await connection.fetchval(
                f"SELECT row_to_json((SELECT r FROM (SELECT {columns}) AS r))::text FROM {layer.albums} WHERE id = $1",
                album_id,
            )
            if row is None:
                raise NotFoundError(_missing(album_id, rights))
            tracks = await connection.fetch(
                f"SELECT {_TRACK} FROM {layer.tracks} WHERE album_id = $1 ORDER BY disc_number, track_number, id",
                album_id,
            )
            found = {**orjson.loads(row), "tracks": [orjson.loads(track[0]) for track in tracks]}
            # Below the whole catalogue only who gave something is named.
            named = None if rights is RightsLevel.ANY else _named(found)
            sources = await connection.fetch(_SOURCES, album_id, named)
        return {**found, "sources": [dict(source) for source in sources]}

    async def recording(self, recording_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> list[dict[str, Any]]:
        """The appearances of a recording, the earliest first.

        Raises:
            NotFoundError: there is no such recording at this level.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT {_TRACK} FROM {LAYERS[rights].tracks} WHERE id = $1 AND coalesce(recording_id, id) = $1 "
                "OR recording_id = $1 AND recording_id <> id ORDER BY release_date, id",
                recording_id,
            )
        if not rows:
            raise NotFoundError(f"No recording has the id {recording_id[:100]!r}; a track's `recording_id` names it")
        return [orjson.loads(row[0]) for row in rows]

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


def _conditions(f: AlbumFilter) -> tuple[list[str], list[Any]]:
    """The conditions that are set, and what they bind, in the order of their numbers."""
    given: list[tuple[str, object]] = []
    if f.artist:
        given.append(("artist_key = ${}", fold_name(f.artist)))
    if f.artist_id:
        given.append(("artist_id = ${}", f.artist_id))
    if f.genre:
        given.append(("genres && ${}::text[]", spellings(f.genre)))
    if f.mood:
        given.append(("moods && ${}::text[]", spellings(f.mood)))
    if f.label:
        given.append(("label ILIKE ${}", containing(f.label)))
    if f.year_from is not None:
        given.append(("release_date >= make_date(${}::integer, 1, 1)", _bounded(f.year_from)))
    if f.year_to is not None:
        given.append(("release_date <= make_date(${}::integer, 12, 31)", _bounded(f.year_to)))
    if f.min_user_score is not None:
        given.append(("aoty_user_score >= ${}::real", f.min_user_score))
    if f.min_critic_score is not None:
        given.append(("aoty_critic_score >= ${}::real", f.min_critic_score))
    if f.synthetic is not None:
        given.append(("synthetic = ${}::boolean", f.synthetic))
    return [text.format(n) for n, (text, _) in enumerate(given, 1)], [value for _, value in given]


def _named(album: dict[str, Any]) -> list[str]:
    """The sources that an album's rows name."""
    whose = [album["provenance"], *(t["provenance"] for t in album["tracks"])]
    return sorted({source for p in whose for sources in p.values() for source in sources.split("+")})


def _missing(album_id: str, rights: RightsLevel) -> str:
    if rights is RightsLevel.ANY:
        return f"No album has the id {album_id[:100]!r}; /albums lists what is stored"
    return f"No album has the id {album_id[:100]!r} at rights={rights}; /albums?rights={rights} lists what there is"


def _bounded(year: int) -> int:
    # What make_date takes; beyond it nothing was released either way.
    return min(max(year, 1), 9_999)
