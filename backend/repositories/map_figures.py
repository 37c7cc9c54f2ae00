"""What the map is coloured by that no index holds: scores, and who names a track."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from backend.models.ingestion_models import RightsLevel
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS

if TYPE_CHECKING:
    import pyarrow as pa


class MapFigureTables:
    """Reads them through one ADBC connection; blocking.

    Args:
        connection: of `Database.columnar` or `open_columnar`.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def scores(self, rights: RightsLevel) -> pa.Table:
        """Of each track `id` and `value`, its album's user score, 0 to 100; those that have one."""
        return self._read(f"SELECT id, aoty_score AS value FROM {LAYERS[rights].tracks} WHERE aoty_score IS NOT NULL")

    def sources(self, rights: RightsLevel) -> pa.Table:
        """Of each track `id` and `value`, the source that its title is taken from."""
        return self._read(f"SELECT id, provenance->>'title' AS value FROM {LAYERS[rights].tracks}")

    def _read(self, statement: str) -> pa.Table:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetch_arrow_table()


class MapFigures:
    """The same, through a connection for each; blocking."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def scores(self, rights: RightsLevel) -> pa.Table:
        """See `MapFigureTables`."""
        with self._database.columnar() as connection:
            return MapFigureTables(connection).scores(rights)

    def sources(self, rights: RightsLevel) -> pa.Table:
        """See `MapFigureTables`."""
        with self._database.columnar() as connection:
            return MapFigureTables(connection).sources(rights)
