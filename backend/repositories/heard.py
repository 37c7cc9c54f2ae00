"""What a listener's own history holds, summed by artist, track, album and time; each from one statement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from backend.models.ingestion_models import Rights
from backend.models.tastes import By, Heard, HeardFrom, ListenerRef, PlayedAlbum, PlayedArtist, PlayedTrack
from backend.repositories.database import Database
from backend.repositories.listens import PLAYED

_PERIOD: Final[Mapping[By, str]] = {
    By.YEAR: "to_char(listened_at AT TIME ZONE 'UTC', 'YYYY')",
    By.QUARTER: """to_char(listened_at AT TIME ZONE 'UTC', 'YYYY-"Q"Q')""",
}
# Columns in the order of `PlayedArtist` and `PlayedTrack`.
_ARTISTS: Final = f"""
SELECT artist_key, mode() WITHIN GROUP (ORDER BY artist) AS name, count(*) AS plays, {{period}} AS period
FROM listens WHERE listener = $1 AND {PLAYED} GROUP BY 1, 4 ORDER BY 4, plays DESC, 1
"""
_TRACKS: Final = f"""
SELECT artist_key, track_key, count(*) AS plays, track_id, max(recording_mbid) AS mbid, {{period}} AS period
FROM listens WHERE listener = $1 AND {PLAYED} GROUP BY 1, 2, 4, 6 ORDER BY 6, plays DESC, 2, 4
"""
# Editions of one name are one album; it is called as it is said most.
_ALBUMS: Final = f"""
SELECT mode() WITHIN GROUP (ORDER BY album) AS title, mode() WITHIN GROUP (ORDER BY artist) AS artist, artist_key,
       count(*) AS plays
FROM listens WHERE listener = $1 AND {PLAYED} AND album_key <> '' GROUP BY album_key, artist_key
ORDER BY plays DESC, artist_key, album_key
"""


class HistoryReader:
    """Reads histories."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def heard(self, name: str, *, by: By = By.YEAR) -> Heard | None:
        """What a listener plays, period by period; None when nothing is stored of him."""
        async with self._database.transaction() as connection:
            if not await connection.fetchval("SELECT EXISTS (SELECT FROM listens WHERE listener = $1)", name):
                return None
            artists = await connection.fetch(_ARTISTS.format(period=_PERIOD[by]), name)
            tracks = await connection.fetch(_TRACKS.format(period=_PERIOD[by]), name)
        return Heard(
            listener=ListenerRef(name=name, source=HeardFrom.HISTORY),
            rights=Rights.OPEN,  # the user's own
            artists=list(map(PlayedArtist._make, artists)),
            tracks=list(map(PlayedTrack._make, tracks)),
        )

    async def albums(self, name: str) -> list[PlayedAlbum]:
        """The albums that a listener's plays name, the most played first."""
        async with self._database.connection() as connection:
            return [PlayedAlbum(**row) for row in await connection.fetch(_ALBUMS, name)]
