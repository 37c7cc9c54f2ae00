"""Figures over the whole catalogue, each from one statement."""

from __future__ import annotations

from string import Template
from typing import Any, Final

import orjson

from backend.models.ingestion_models import AUDIO_FEATURES, RightsLevel
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS
from backend.repositories.tag_spellings import spellings

_FIELDS: Final = (
    "genres", "moods", "audio_features", "popularity", "duration_ms", "track_number", "release_date", "aoty_score",
    "aoty_critic_score", "explicit", "rating", "listeners", "isrc", "spotify_id", "recording_mbid", *AUDIO_FEATURES,
)  # fmt: skip
_KNOWN: Final = {"genres": "cardinality(genres) > 0", "moods": "cardinality(moods) > 0"}


def _known(field: str) -> str:
    return _KNOWN.get(field, f'"{field}" IS NOT NULL')


_SUMMARY: Final = """
SELECT (SELECT count(*) FROM $tracks) AS tracks, (SELECT count(*) FROM $albums) AS albums,
       (SELECT count(DISTINCT artist_id) FROM $albums) AS artists,
       (SELECT count(DISTINCT g) FROM (SELECT unnest(genres) AS g FROM $albums) x) AS genres,
       (SELECT count(DISTINCT m) FROM (SELECT unnest(moods) AS m FROM $albums) x) AS moods,
       (SELECT count(*) FROM $albums WHERE synthetic) AS synthetic_albums,
       (SELECT count(*) FROM $tracks WHERE synthetic) AS synthetic_tracks,
       (SELECT min(release_year) FROM $tracks) AS first_year,
       (SELECT max(release_year) FROM $tracks) AS last_year,
       (SELECT max(updated_at) FROM $albums) AS last_change
"""
_COVERAGE: Final = "SELECT count(*) AS tracks, {} FROM $tracks".format(
    ", ".join(f'count(*) FILTER (WHERE {_known(f)}) AS "{f}"' for f in _FIELDS)
)
_BY_SOURCE: Final = """
WITH named AS (
    SELECT DISTINCT t.id, s.source FROM $tracks t,
    LATERAL (SELECT unnest(string_to_array(value, '+')) AS source FROM jsonb_each_text(t.provenance)) AS s
), tracks AS (SELECT source, count(*) AS tracks FROM named GROUP BY source),
records AS (
    SELECT source, min(rights) AS rights, count(*) AS albums, sum(pg_column_size(record)) AS bytes,
           max(fetched_at) AS last_fetched
    FROM source_records WHERE valid_to IS NULL GROUP BY source
)
SELECT source, r.rights, coalesce(r.albums, 0) AS albums, coalesce(t.tracks, 0) AS tracks,
       coalesce(r.bytes, 0) AS bytes, r.last_fetched
FROM records r FULL JOIN tracks t USING (source) WHERE $1::boolean OR t.source IS NOT NULL ORDER BY source
"""
_TAGS: Final = """
SELECT tag AS name, count(*) AS tracks, round(count(*)::numeric / greatest((SELECT count(*) FROM $tracks), 1), 6)::float8
    AS share, bool_or(synthetic) AS synthetic
FROM (SELECT unnest({column}) AS tag, synthetic FROM $tracks) AS t
GROUP BY tag ORDER BY tracks DESC, tag LIMIT $1
"""
_HISTOGRAM: Final = """
SELECT low, low + 10 AS high, count({column}) AS tracks FROM generate_series(0, 90, 10) AS low
LEFT JOIN $tracks ON {column} >= low AND ({column} < low + 10 OR (low = 90 AND {column} = 100))
GROUP BY low ORDER BY low
"""
_YEARS: Final = """
SELECT release_year AS year, count(*) AS tracks, count(DISTINCT album_id) AS albums, avg(popularity)::float8 AS popularity,
       avg(aoty_score)::float8 AS aoty_score, avg(duration_ms)::float8 AS duration_ms, {means}
FROM $tracks WHERE release_year IS NOT NULL GROUP BY release_year ORDER BY release_year
""".format(means=", ".join(f'avg("{f}")::float8 AS "{f}"' for f in AUDIO_FEATURES[:9]))
_SCALES: Final = AUDIO_FEATURES[:9]  # of which a mean says something; a mean key is none
_GENRE: Final = """
SELECT count(*) AS tracks, count(*) FILTER (WHERE synthetic) AS synthetic_tracks, min(release_year) AS first_year,
       max(release_year) AS last_year, avg(popularity)::float8 AS popularity, avg(aoty_score)::float8 AS aoty_score,
       avg(aoty_critic_score)::float8 AS aoty_critic_score,
       ARRAY(SELECT m FROM $tracks AS t, unnest(t.moods) AS m WHERE t.genres && $1::text[]
             GROUP BY m ORDER BY count(*) DESC, m LIMIT 5) AS moods, {figures}
FROM $tracks WHERE genres && $1::text[]
""".format(
    figures=", ".join(
        f'jsonb_build_object(\'known\', count("{f}"), \'mean\', avg("{f}"), \'deviation\', stddev_pop("{f}"))::text AS "{f}"'
        for f in _SCALES
    )
)
_SIZES: Final = """
SELECT c.relname AS name, pg_total_relation_size(c.oid) AS bytes, greatest(c.reltuples, 0)::bigint AS rows_estimated
FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p') AND n.nspname = current_schema() ORDER BY bytes DESC
"""


class Aggregates:
    """Reads figures of one level of rights.

    Args:
        database: the tables, migrated.
        rights: the level.
    """

    def __init__(self, database: Database, *, rights: RightsLevel = RightsLevel.ANY) -> None:
        self._database = database
        self._layer = LAYERS[rights]

    def at(self, rights: RightsLevel) -> Aggregates:
        """The figures of another level."""
        return Aggregates(self._database, rights=rights)

    def _of_layer(self, statement: str) -> str:
        return Template(statement).safe_substitute(tracks=self._layer.tracks, albums=self._layer.albums)

    async def _rows(self, statement: str, *parameters: object) -> list[dict[str, Any]]:
        async with self._database.connection() as connection:
            return [dict(row) for row in await connection.fetch(self._of_layer(statement), *parameters)]

    async def summary(self) -> dict[str, Any]:
        """How much there is: tracks, albums, artists, genres, moods, years, made-up values."""
        return (await self._rows(_SUMMARY))[0]

    async def genre_distribution(self, limit: int) -> dict[str, Any]:
        """The most frequent genres with their tracks and share of all tracks."""
        return await self._tags("genres", limit)

    async def mood_distribution(self, limit: int) -> dict[str, Any]:
        """The most frequent moods with their tracks and share of all tracks."""
        return await self._tags("moods", limit)

    async def _tags(self, column: str, limit: int) -> dict[str, Any]:
        async with self._database.connection() as connection:
            rows = await connection.fetch(self._of_layer(_TAGS.format(column=column)), limit)
            distinct = await connection.fetchval(
                f"SELECT count(DISTINCT tag) FROM (SELECT unnest({column}) AS tag FROM {self._layer.tracks}) AS t"
            )
        return {"distinct": distinct, "count": len(rows), "data": [dict(row) for row in rows]}

    async def histogram(self, column: str) -> list[dict[str, Any]]:
        """Tracks by tenths of a 0-to-100 column: popularity, aoty_score or aoty_critic_score."""
        if column not in {"popularity", "aoty_score", "aoty_critic_score"}:
            raise ValueError(f"{column} is no column of 0 to 100")
        return await self._rows(_HISTOGRAM.format(column=column))

    async def years(self) -> list[dict[str, Any]]:
        """Per year of release: tracks, albums, and means."""
        return await self._rows(_YEARS)

    async def audio_features(self) -> dict[str, Any]:
        """Per audio feature: how many tracks know it, mean, deviation, quartiles and range."""
        parts = ", ".join(
            f"jsonb_build_object('known', count(\"{f}\"), 'mean', avg(\"{f}\"), 'deviation', stddev_pop(\"{f}\"), "
            f"'min', min(\"{f}\"), 'max', max(\"{f}\"), 'quartiles', "
            f'percentile_cont(ARRAY[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY "{f}"))::text AS "{f}"'
            for f in AUDIO_FEATURES
        )
        row = (await self._rows(f"SELECT {parts} FROM $tracks"))[0]
        return {name: orjson.loads(figures) for name, figures in row.items()}

    async def genre(self, name: str) -> dict[str, Any]:
        """A genre, in whatever spelling: tracks, years, means, frequent moods; of each audio feature mean and deviation.

        A genre that no track has is one with no tracks, not an error.
        """
        row = (await self._rows(_GENRE, spellings(name)))[0]
        features = {f: orjson.loads(row.pop(f)) for f in _SCALES}
        return {"name": name, **row, "audio_features": features}

    async def coverage(self) -> dict[str, Any]:
        """Which share of tracks knows each field, and per source: rights, albums, tracks named in provenance, bytes."""
        counts = (await self._rows(_COVERAGE))[0]
        tracks = counts.pop("tracks")
        return {
            "tracks": tracks,
            "fields": {f: {"known": n, "share": round(n / tracks, 6) if tracks else 0.0} for f, n in counts.items()},
            "sources": await self._rows(_BY_SOURCE, self._layer.level is RightsLevel.ANY),
        }

    async def sizes(self) -> dict[str, Any]:
        """Bytes on disk of the database and of each table with its indexes."""
        async with self._database.connection() as connection:
            total = await connection.fetchval("SELECT pg_database_size(current_database())")
        return {"database_bytes": total, "tables": await self._rows(_SIZES)}
