"""Reading artists, as albums are credited to them; at any level of rights."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import orjson

from backend.models.ingestion_models import AUDIO_FEATURES, RightsLevel
from backend.models.results import Page
from backend.repositories import cursor as cursors
from backend.repositories import name_search
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS
from backend.repositories.track_filter import as_json, containing
from backend.utils.errors import NotFoundError

_NAMES: Final = ("artist_key",)
_TOP: Final = 10  # genres and moods of an artist
_MEANS: Final = ", ".join(f"'{f}', avg(t.{f})" for f in AUDIO_FEATURES if f not in {"key", "mode", "time_signature"})


class ArtistReader:
    """Reads artists; lists are ordered by name, searches by nearness."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(
        self, *, q: str | None = None, rights: RightsLevel = RightsLevel.ANY, limit: int = 50, cursor: str | None = None
    ) -> Page:
        """Artists with how much there is of them.

        Args:
            q: looked for in names; forgives misspelling.
            rights: the level.
            limit: of a page.
            cursor: of the page before.

        Raises:
            InvalidInputError: the cursor is not of this listing, or the text holds what PostgreSQL cannot.
        """
        held = as_json([q, rights])
        after = cursors.decode(cursor, of=[held], parts=3) if cursor else ["-1", "", ""]
        bound: list[Any] = []
        where, far = "true", "0"
        if q and not name_search.has_words(q):
            bound, where = [containing(q)], "artist ILIKE $1"
        elif q:
            bound = [*name_search.parameters(q)]
            where, far = name_search.fitting(_NAMES, 1), name_search.order(_NAMES, 1)
        n = len(bound)
        async with self._database.connection() as connection, connection.transaction(readonly=True):
            await connection.execute(name_search.SET_THRESHOLD)
            if far != "0":
                await connection.execute(name_search.BY_INDEX)
            rows = await connection.fetch(
                "WITH fitting AS (SELECT artist_id AS id, artist_key, min(artist) AS name, count(*) AS albums, "
                f"sum(total_tracks)::integer AS tracks, bool_or(synthetic) AS synthetic, min({far}) AS far "
                f"FROM {LAYERS[rights].albums} WHERE {where} GROUP BY artist_id, artist_key) "
                "SELECT id, name, albums, tracks, synthetic, artist_key, far FROM fitting "
                f"WHERE (far, artist_key, id) > (${n + 1}::integer, ${n + 2}, ${n + 3}) "
                f"ORDER BY far, artist_key, id LIMIT ${n + 4}",
                *bound,
                int(after[0]),
                *after[1:],
                limit + 1,
            )
        more = len(rows) > limit
        last = rows[limit - 1] if more else None
        shown = ("id", "name", "albums", "tracks", "synthetic")
        return Page(
            items=[{name: row[name] for name in shown} for row in rows[:limit]],
            next_cursor=cursors.encode([str(last["far"]), last["artist_key"], last["id"]], of=[held]) if last else None,
        )

    async def known(self, artist_ids: Sequence[str], *, rights: RightsLevel = RightsLevel.ANY) -> set[str]:
        """Which of these ids are those of artists that albums of this level are credited to."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT DISTINCT artist_id FROM {LAYERS[rights].albums} WHERE artist_id = ANY($1::text[])",
                list(artist_ids),
            )
        return {row["artist_id"] for row in rows}

    async def artist(self, artist_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        """One artist: how much there is, years, the most frequent genres and moods, mean audio features.

        Raises:
            NotFoundError: no album of this level is credited to such an artist.
        """
        albums, tracks = LAYERS[rights].albums, LAYERS[rights].tracks
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                f"""
                WITH own AS (SELECT * FROM {albums} WHERE artist_id = $1),
                songs AS (SELECT t.* FROM {tracks} t JOIN own a ON a.id = t.album_id)
                SELECT (SELECT min(artist) FROM own) AS name, (SELECT count(*) FROM own) AS albums,
                    (SELECT count(*) FROM songs) AS tracks,
                    (SELECT min(extract(year FROM release_date))::integer FROM own) AS first_year,
                    (SELECT max(extract(year FROM release_date))::integer FROM own) AS last_year,
                    (SELECT bool_or(synthetic) FROM own) AS synthetic,
                    (SELECT array_agg(tag) FROM (SELECT tag FROM songs, unnest(genres) AS tag GROUP BY tag
                        ORDER BY count(*) DESC, tag LIMIT {_TOP}) g) AS genres,
                    (SELECT array_agg(tag) FROM (SELECT tag FROM songs, unnest(moods) AS tag GROUP BY tag
                        ORDER BY count(*) DESC, tag LIMIT {_TOP}) m) AS moods,
                    (SELECT jsonb_strip_nulls(jsonb_build_object({_MEANS}))::text FROM songs t) AS audio_features
                """,
                artist_id,
            )
        if not row["albums"]:
            at = "" if rights is RightsLevel.ANY else f" at rights={rights}"
            raise NotFoundError(f"No artist has the id {artist_id[:100]!r}{at}; /artists lists who is stored")
        found = {**dict(row), "id": artist_id, "audio_features": orjson.loads(row["audio_features"])}
        return found | {name: found[name] or [] for name in ("genres", "moods")}
