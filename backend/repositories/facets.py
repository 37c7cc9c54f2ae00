"""Figures of the tracks that fit a filter, made so that each picture filters the others.

A picture of years keeps to every condition but those on years, so that the years beside those chosen stay to be seen;
likewise the others. Each figure comes from one statement, and all of them from one state of the tables.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from backend.models.ingestion_models import AUDIO_FEATURES
from backend.models.results import TrackFilter
from backend.repositories.database import Connection, Database
from backend.repositories.layers import LAYERS
from backend.repositories.track_filter import PARAMETER, tracks_of, values, where

OWN: Final[Mapping[str, dict[str, Any]]] = {
    "genres": {"genres": ()},
    "moods": {"moods": ()},
    "years": {"year_from": None, "year_to": None},
    "popularity": {"min_popularity": None, "max_popularity": None},
    "user_score": {"min_user_score": None, "max_user_score": None},
    "critic_score": {"min_critic_score": None, "max_critic_score": None},
}
"""Per picture the conditions that it leaves out."""
WIDTH: Final = 5  # points of a bin of popularity or scores
CELL: Final = 4  # points of a cell of critics against listeners
_COLUMNS: Final = {
    "years": "release_year", "popularity": "popularity", "user_score": "aoty_score", "critic_score": "aoty_critic_score",
}  # fmt: skip
_BINNED: Final = tuple(name for name in _COLUMNS if name != "years")

_TAGS: Final = """
SELECT tag AS name, count(*) AS tracks FROM (SELECT unnest({column}) AS tag FROM {tracks} WHERE {where}) AS t
GROUP BY tag ORDER BY tracks DESC, tag LIMIT $2
"""
# `which` is a bit per column that is not grouped by, so each row says which picture it belongs to.
_COUNTS: Final = """
SELECT GROUPING({names}) AS which, {names}, count(*) AS tracks FROM (SELECT {binned} FROM {tracks} WHERE {where}) AS t
GROUP BY GROUPING SETS ({sets})
"""
_TOTAL: Final = """
SELECT coalesce(sum(t.tracks), 0)::bigint AS tracks, count(*) AS albums, count(DISTINCT a.artist_id) AS artists,
       coalesce(sum(t.synthetic), 0)::bigint AS synthetic
FROM (SELECT album_id, count(*) AS tracks, count(*) FILTER (WHERE synthetic) AS synthetic FROM {tracks} WHERE {where}
      GROUP BY album_id) AS t LEFT JOIN {albums} a ON a.id = t.album_id
"""
# Scores are an album's: an album counts once, however many of its tracks fit.
_SCORES: Final = """
SELECT GROUPING(c) AS whole, {cell} * c AS critics, {cell} * u AS listeners, count(*) AS albums, sum(tracks)::bigint AS tracks,
       corr(critics, listeners)::float8 AS correlation, avg(critics - listeners)::float8 AS difference
FROM (SELECT max(aoty_critic_score) AS critics, max(aoty_score) AS listeners, count(*) AS tracks,
             least(floor(max(aoty_critic_score) / {cell}), {last})::int AS c,
             least(floor(max(aoty_score) / {cell}), {last})::int AS u
      FROM {tracks} WHERE {where} AND aoty_critic_score IS NOT NULL AND aoty_score IS NOT NULL GROUP BY album_id) AS t
GROUP BY GROUPING SETS ((c, u), ()) ORDER BY c, u
"""
_SOUND: Final = """
SELECT tag AS genre, count(*) AS tracks, {means}, count("{feature}") AS known,
       percentile_cont(ARRAY[0.05, 0.25, 0.5, 0.75, 0.95]) WITHIN GROUP (ORDER BY "{feature}") AS spread
FROM (SELECT unnest(genres) AS tag, {features} FROM {tracks} WHERE {where} AND genres && $2::text[]) AS t
WHERE tag = ANY($2::text[]) GROUP BY tag
"""


class Facets:
    """Reads figures of tracks that fit a filter."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of(self, wanted: TrackFilter, *, feature: str, tags: int, genres: int) -> dict[str, Any]:
        """All figures.

        Args:
            wanted: which tracks.
            feature: the audio feature of which each genre's spread is told.
            tags: how many genres and moods, the most frequent.
            genres: of how many of them the sound is told.

        Returns:
            `catalogue`: all tracks; `fitting`: how many fit in all; per picture of `OWN` its counts; `scores`: critics against
            listeners in cells; `sound`: per genre means of the audio features, and the spread of the one asked for.

        Raises:
            InvalidInputError: a text of the filter holds what PostgreSQL cannot.
        """
        held = values(wanted)
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            reading = _Reading(connection, wanted, held)
            found: dict[str, Any] = {
                "catalogue": await connection.fetchval(f"SELECT count(*) FROM {LAYERS[wanted.rights].tracks}"),
                "fitting": (await reading.rows(_TOTAL))[0],
                "genres": await reading.tags("genres", tags),
                "moods": await reading.tags("moods", tags),
                **await reading.counts(),
                "scores": await reading.scores(),
            }
            found["sound"] = await reading.sound([g["name"] for g in found["genres"][:genres]], feature)
        return found


class _Reading:
    """One answer's statements, on one connection."""

    def __init__(self, connection: Connection, wanted: TrackFilter, held: str) -> None:
        self._connection = connection
        self._wanted = wanted
        self._held = held

    async def rows(
        self, statement: str, *bound: object, without: tuple[str, ...] = (), **parts: object
    ) -> list[dict[str, Any]]:
        """Rows of a statement on the tracks that fit, but for the conditions of some pictures."""
        left_out = {name: value for picture in without for name, value in OWN[picture].items()}
        loosened = replace(self._wanted, **left_out)
        text = statement.format(
            tracks=tracks_of(loosened), albums=LAYERS[loosened.rights].albums, where=where(loosened, PARAMETER), **parts
        )
        # A filter that sets nothing leaves $1 without a use, and PostgreSQL without its type.
        text = f"WITH given AS (SELECT $1::text AS filter) {text}"
        return [dict(row) for row in await self._connection.fetch(text, self._held, *bound)]

    async def tags(self, column: str, limit: int) -> list[dict[str, Any]]:
        return await self.rows(_TAGS, limit, without=(column,), column=column)

    async def counts(self) -> dict[str, list[dict[str, Any]]]:
        """Years, popularity and scores: those with the same conditions from one pass over the tracks."""
        asked = {name: tuple(n for n in OWN[name] if getattr(self._wanted, n) is not None) for name in _COLUMNS}
        shared = tuple(name for name in _COLUMNS if not asked[name])
        passes: list[tuple[tuple[str, ...], tuple[str, ...]]] = [(shared, ())] if shared else []
        passes += [((name,), (name,)) for name in _COLUMNS if asked[name]]
        found: dict[str, list[dict[str, Any]]] = {}
        for names, without in passes:
            rows = await self.rows(
                _COUNTS,
                without=without,
                names=", ".join(names),
                sets=", ".join(f"({name})" for name in names),
                binned=", ".join(_binned(name) for name in names),
            )
            for place, name in enumerate(names):
                which = (1 << len(names)) - 1 - (1 << (len(names) - 1 - place))
                counted = {row[name]: row["tracks"] for row in rows if row["which"] == which and row[name] is not None}
                found[name] = _bins(counted) if name in _BINNED else _years(counted)
        return found

    async def scores(self) -> dict[str, Any]:
        rows = await self.rows(_SCORES, without=("user_score", "critic_score"), cell=CELL, last=100 // CELL - 1)
        whole = next(row for row in rows if row["whole"])
        cells = [
            {name: row[name] for name in ("critics", "listeners", "albums", "tracks")}
            for row in rows
            if not row["whole"]
        ]
        return {"cell": CELL, **{n: whole[n] for n in ("albums", "correlation", "difference")}, "data": cells}

    async def sound(self, genres: list[str], feature: str) -> dict[str, Any]:
        rows = await self.rows(
            _SOUND,
            genres,
            without=("genres",),
            feature=feature,
            features=", ".join(f'"{f}"' for f in AUDIO_FEATURES),
            means=", ".join(f'avg("{f}")::float8 AS "{f}"' for f in AUDIO_FEATURES[:9]),
        )
        by_genre = {row["genre"]: row for row in rows}
        shown = [
            {
                **{name: row[name] for name in ("genre", "tracks", "known", "spread")},
                "means": {f: row[f] for f in AUDIO_FEATURES[:9]},
            }
            for row in (by_genre[genre] for genre in genres)
        ]
        return {"feature": feature, "data": shown}


def _binned(name: str) -> str:
    column = _COLUMNS[name]
    if name not in _BINNED:
        return f"{column} AS {name}"
    # Of what is unknown `least` would make the last bin.
    last = f"CASE WHEN {column} >= {100 - WIDTH} THEN {100 // WIDTH - 1}"
    return f"{last} ELSE floor({column} / {WIDTH}.0)::int END AS {name}"


def _bins(counted: Mapping[int, int]) -> list[dict[str, int]]:
    return [{"low": WIDTH * n, "high": WIDTH * (n + 1), "tracks": counted.get(n, 0)} for n in range(100 // WIDTH)]


def _years(counted: Mapping[int, int]) -> list[dict[str, int]]:
    return [{"year": year, "tracks": counted[year]} for year in sorted(counted)]
