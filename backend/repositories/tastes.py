"""What the catalogue knows of what a listener plays, and the figures of the whole that a taste is measured against."""

from __future__ import annotations

from collections.abc import Sequence
from string import Template
from typing import Final

import orjson

from backend.models.ingestion_models import AUDIO_FEATURES, RightsLevel
from backend.models.tastes import CatalogueFigures, KnownTrack
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS

CONTINUOUS: Final = tuple(name for name in AUDIO_FEATURES if name not in {"key", "mode", "time_signature"})
_VALUES: Final = ", ".join(f"t.{name}" for name in CONTINUOUS)
# A union of looks into indexes: a condition with OR over two tables would read them whole.
_KNOWN: Final = f"""
WITH wanted AS (
    SELECT t.id FROM $albums a JOIN $tracks t ON t.album_id = a.id WHERE a.artist_key = ANY($$1)
    UNION SELECT id FROM $tracks WHERE recording_key = ANY($$2)
    UNION SELECT id FROM $tracks WHERE recording_mbid = ANY($$3)
    UNION SELECT id FROM $tracks WHERE id = ANY($$4)
)
SELECT t.id, a.artist_key, t.recording_key, coalesce(t.recording_id, t.id) AS recording, t.title, t.artist, t.release_year,
       t.genres, t.moods, t.popularity, t.recording_mbid, t.synthetic, {_VALUES}
FROM wanted w JOIN $tracks t ON t.id = w.id JOIN $albums a ON a.id = t.album_id
ORDER BY t.release_date NULLS LAST, t.id
"""
_FIGURES: Final = """
SELECT (SELECT count(*) FROM $tracks) AS tracks,
       (SELECT coalesce(jsonb_object_agg(tag, n), '{}')::text FROM
            (SELECT unnest(genres) AS tag, count(*) AS n FROM $tracks GROUP BY 1) g) AS genres,
       (SELECT coalesce(jsonb_object_agg(tag, n), '{}')::text FROM
            (SELECT unnest(moods) AS tag, count(*) AS n FROM $tracks GROUP BY 1) m) AS moods,
       (SELECT coalesce(jsonb_object_agg(popularity, n), '{}')::text FROM
            (SELECT popularity, count(*) AS n FROM $tracks WHERE popularity IS NOT NULL GROUP BY 1) p) AS popularity
"""
_TRACKS_PER_ARTIST: Final = """
SELECT a.artist_key, count(*) AS n FROM $albums a JOIN $tracks t ON t.album_id = a.id
WHERE a.artist_key = ANY($$1) GROUP BY 1
"""


class Tastes:
    """Reads the catalogue for tastes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def known(
        self,
        *,
        artists: Sequence[str],
        track_keys: Sequence[str] = (),
        mbids: Sequence[str] = (),
        ids: Sequence[str] = (),
        rights: RightsLevel = RightsLevel.ANY,
    ) -> list[KnownTrack]:
        """The tracks of some artists, and further ones by key, MusicBrainz recording or id; the earliest released first.

        Args:
            artists: folded names, of whole albums.
            track_keys: of recordings.
            mbids: of recordings.
            ids: of tracks.
            rights: whose values.
        """
        async with self._database.connection() as connection:
            rows = await connection.fetch(_at(_KNOWN, rights), list(artists), list(track_keys), list(mbids), list(ids))
        return [
            KnownTrack(
                id=row["id"],
                artist_key=row["artist_key"],
                track_key=row["recording_key"],
                recording=row["recording"],
                title=row["title"],
                artist=row["artist"],
                year=row["release_year"],
                genres=tuple(row["genres"] or ()),
                moods=tuple(row["moods"] or ()),
                popularity=row["popularity"],
                mbid=row["recording_mbid"],
                synthetic=row["synthetic"],
                features={name: row[name] for name in CONTINUOUS if row[name] is not None},
            )
            for row in rows
        ]

    async def figures(self, rights: RightsLevel = RightsLevel.ANY) -> CatalogueFigures:
        """The whole catalogue of a level in numbers."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_at(_FIGURES, rights))
        return CatalogueFigures(
            tracks=row["tracks"],
            genres=orjson.loads(row["genres"]),
            moods=orjson.loads(row["moods"]),
            popularity={int(value): n for value, n in orjson.loads(row["popularity"]).items()},
        )

    async def albums_of(self, artists: Sequence[str]) -> list[tuple[str, str]]:
        """Folded artist and title of each album that is stored of these artists."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "SELECT artist_key, title FROM albums WHERE artist_key = ANY($1)", list(artists)
            )
        return [(row["artist_key"], row["title"]) for row in rows]

    async def tracks_of_artists(self, artists: Sequence[str], rights: RightsLevel = RightsLevel.ANY) -> dict[str, int]:
        """How many tracks are stored of each of these artists that has any."""
        async with self._database.connection() as connection:
            rows = await connection.fetch(_at(_TRACKS_PER_ARTIST, rights), list(artists))
        return {row["artist_key"]: row["n"] for row in rows}


def _at(statement: str, rights: RightsLevel) -> str:
    layer = LAYERS[rights]
    return Template(statement).substitute(albums=layer.albums, tracks=layer.tracks)
