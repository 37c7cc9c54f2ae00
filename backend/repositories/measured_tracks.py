"""The rows that estimates of audio features are learnt from: measured values of one level of rights, nothing made up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from backend.models.ingestion_models import AUDIO_FEATURES, RightsLevel
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS

if TYPE_CHECKING:
    import pyarrow as pa

_KNOWN: Final = (
    "id", "artist", "genres", "moods", "release_year", "duration_ms", "explicit", "popularity",
)  # fmt: skip
# An estimate stands among the features, too: whoever learnt from it would learn from himself.
_MEASURED: Final = ", ".join(f'CASE WHEN estimates ? \'{f}\' THEN NULL ELSE "{f}" END AS "{f}"' for f in AUDIO_FEATURES)


class MeasuredTracks:
    """Reads one level's tracks in bulk.

    Args:
        database: the tables, migrated.
    """

    def __init__(self, database: Database) -> None:
        self._database = database

    def read(self, level: RightsLevel) -> pa.Table:
        """All tracks of a level with any audio feature, ordered by id; blocking.

        Returns:
            id, artist, genres, moods, release_year, duration_ms, explicit, popularity and the twelve features, null where nobody
            permitted measured them.
        """
        statement = (
            f"SELECT {', '.join(_KNOWN)}, {_MEASURED} FROM {LAYERS[level].tracks} "
            "WHERE audio_features IS NOT NULL AND NOT synthetic ORDER BY id"
        )
        with self._database.columnar() as connection, connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetch_arrow_table()
