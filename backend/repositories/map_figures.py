"""What the map is coloured by that no index holds: scores, and who names a track."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, TypeAlias

from backend.models.ingestion_models import RightsLevel
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS

Told: TypeAlias = tuple[list[str], list[Any]]
"""Ids, and a value of each."""

_AT_ONCE: Final = 50_000


class MapFigureTables:
    """Reads them through one ADBC connection, part by part; blocking.

    Args:
        connection: of `Database.columnar` or `open_columnar`.
    """

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def scores(self, rights: RightsLevel) -> Iterator[Told]:
        """Ids of tracks and their albums' user scores, 0 to 100; of those that have one."""
        return self._read(f"SELECT id, aoty_score FROM {LAYERS[rights].tracks} WHERE aoty_score IS NOT NULL")

    def sources(self, rights: RightsLevel) -> Iterator[Told]:
        """Ids of tracks and the sources that their titles are taken from."""
        return self._read(f"SELECT id, provenance->>'title' FROM {LAYERS[rights].tracks}")

    def _read(self, statement: str) -> Iterator[Told]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement)
            for batch in cursor.fetch_record_batch():
                for start in range(0, batch.num_rows, _AT_ONCE):
                    ids, values = batch.slice(start, _AT_ONCE).columns
                    yield ids.to_pylist(), values.to_pylist()


class MapFigures:
    """The same, through a connection for each; blocking."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def scores(self, rights: RightsLevel) -> Iterator[Told]:
        """See `MapFigureTables`."""
        with self._database.columnar() as connection:
            yield from MapFigureTables(connection).scores(rights)

    def sources(self, rights: RightsLevel) -> Iterator[Told]:
        """See `MapFigureTables`."""
        with self._database.columnar() as connection:
            yield from MapFigureTables(connection).sources(rights)
