"""How albums and tracks were received: scores, how many gave them, popularity; as Arrow, blocking."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from backend.models.results import TrackFilter
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS
from backend.repositories.track_filter import SESSION, tracks_of, values, where

if TYPE_CHECKING:
    import pyarrow as pa

_SCORES: Final = """a.aoty_user_score AS user_score, a.aoty_user_count AS user_count, a.aoty_critic_score AS critic_score,
       a.aoty_critic_count AS critic_count"""
_SCORED: Final = "(a.aoty_user_score IS NOT NULL OR a.aoty_critic_score IS NOT NULL)"
_ALBUMS: Final = """
SELECT a.id, a.id AS album_id, a.title, a.artist, a.title AS album, extract(year FROM a.release_date)::int AS release_year,
       a.genres, a.synthetic, a.popularity, {scores}, NULL::real AS rating,
       a.id IN (SELECT album_id FROM {tracks} WHERE {where}) AS fits
FROM {albums} a WHERE {scored} ORDER BY a.id
"""
_TRACKS: Final = """
SELECT t.id, t.album_id, t.title, t.artist, t.album, t.release_year, t.genres, t.synthetic, t.popularity, {scores}, t.rating,
       t.id IN (SELECT id FROM {tracks} WHERE {where}) AS fits
FROM {plain} t JOIN {albums} a ON a.id = t.album_id WHERE {scored} OR t.rating IS NOT NULL ORDER BY t.id
"""


class ReceptionTables:
    """Reads through one ADBC connection.

    Args:
        connection: of `Database.columnar` or `open_columnar`.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def of(self, track_filter: TrackFilter, *, tracks: bool) -> pa.Table:
        """All albums, or tracks, of a level that have a score.

        Args:
            track_filter: which may be answered: column `fits`; of albums those with a track that fits.
            tracks: tracks, not albums.

        Returns:
            `id`, `album_id`, `title`, `artist`, `album`, `release_year`, `genres`, `synthetic`, `popularity`, `user_score`,
            `user_count`, `critic_score`, `critic_count` (the album's), `rating` (the track's own), `fits`; ordered by id.
        """
        layer = LAYERS[track_filter.rights]
        statement = (_TRACKS if tracks else _ALBUMS).format(
            scores=_SCORES, scored=_SCORED, tracks=tracks_of(track_filter), where=where(track_filter, SESSION),
            albums=layer.albums, plain=layer.tracks,
        )  # fmt: skip
        with self._connection.cursor() as cursor:
            # The driver streams by COPY, which takes no parameters: the session carries the filter's values.
            cursor.execute("SELECT set_config('tensoe.filter', $1, false)", (values(track_filter),))
            cursor.fetchall()
            cursor.execute(statement)
            found: pa.Table = cursor.fetch_arrow_table()
            return found


class Receptions:
    """The same, each time through a connection of its own."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, track_filter: TrackFilter, *, tracks: bool) -> pa.Table:
        """See `ReceptionTables.of`; blocking."""
        with self._database.columnar() as connection:
            return ReceptionTables(connection).of(track_filter, tracks=tracks)
