"""What the catalogue knows of given artists: for a listener's profile."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template
from typing import Any

import orjson

from backend.models.ingestion_models import AUDIO_FEATURES, RightsLevel
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS

_MEANS = ", ".join(
    f"'{name}', avg(t.{name})" for name in AUDIO_FEATURES if name not in {"key", "mode", "time_signature"}
)
# One pass over the artists' tracks; tags are counted beside it, since unnesting would multiply the means' rows.
_OF_ARTISTS = f"""
WITH mine AS (
    SELECT a.artist_key, t.* FROM $albums a JOIN $tracks t ON t.album_id = a.id WHERE a.artist_key = ANY($1)
), genre AS (
    SELECT artist_key, jsonb_object_agg(tag, n) AS counts
    FROM (SELECT artist_key, unnest(genres) AS tag, count(*) AS n FROM mine GROUP BY 1, 2) g GROUP BY 1
), mood AS (
    SELECT artist_key, jsonb_object_agg(tag, n) AS counts
    FROM (SELECT artist_key, unnest(moods) AS tag, count(*) AS n FROM mine GROUP BY 1, 2) m GROUP BY 1
)
SELECT t.artist_key, count(*) AS tracks, bool_or(t.synthetic) AS synthetic,
       jsonb_strip_nulls(jsonb_build_object({_MEANS}))::text AS features,
       (SELECT counts::text FROM genre g WHERE g.artist_key = t.artist_key) AS genres,
       (SELECT counts::text FROM mood m WHERE m.artist_key = t.artist_key) AS moods
FROM mine t GROUP BY t.artist_key ORDER BY t.artist_key
"""


class Tastes:
    """Reads figures per artist."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_artists(self, keys: Sequence[str], *, rights: RightsLevel = RightsLevel.ANY) -> list[dict[str, Any]]:
        """Per artist that the catalogue has: tracks, mean audio features, number of tracks per genre and mood.

        Args:
            keys: folded names (`fold_name`).
            rights: whose values.
        """
        async with self._database.connection() as connection:
            layer = LAYERS[rights]
            statement = Template(_OF_ARTISTS).safe_substitute(albums=layer.albums, tracks=layer.tracks)
            rows = await connection.fetch(statement, list(dict.fromkeys(keys)))
        return [
            {
                "artist_key": row["artist_key"],
                "tracks": row["tracks"],
                "synthetic": row["synthetic"],
                **{name: orjson.loads(row[name] or "{}") for name in ("features", "genres", "moods")},
            }
            for row in rows
        ]
