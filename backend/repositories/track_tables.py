"""Tracks as Arrow over an ADBC connection; blocking, so called from threads and scripts."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final

from backend.models.ingestion_models import RightsLevel
from backend.models.results import TrackFilter
from backend.repositories.layers import LAYERS, Layer
from backend.repositories.track_columns import FLAT_COLUMNS, READABLE
from backend.repositories.track_filter import SESSION, most, tracks_of, values, where
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import pyarrow as pa

_JSON: Final = frozenset({"audio_features", "provenance", "tag_weights", "estimates"})
_BATCH_OPTION: Final = "adbc.postgresql.batch_size_hint_bytes"
_BATCH: Final = 2 << 20  # of a batch: the driver's own 16 MiB keep whoever reads a stream waiting for the first


class TrackTables:
    """Reads tracks through one ADBC connection.

    Args:
        connection: of `Database.columnar` or `open_columnar`.
        layer: the tables to read, instead of those of the level of rights asked for.
    """

    def __init__(self, connection: Any, *, layer: Layer | None = None) -> None:
        self._connection = connection
        self._layer = layer

    def arrow(self, track_filter: TrackFilter, /, *, limit: int, columns: Sequence[str] | None = None) -> pa.Table:
        """Tracks that fit, ordered by id: lists of strings, date32, JSON as string, audio features as float32.

        Raises:
            InvalidInputError: a column is none of the readable ones.
        """
        with self.arrow_batches(track_filter, limit=limit, columns=columns) as batches:
            return batches.read_all()

    def version(self, rights: RightsLevel) -> str:
        """A text that changes with the database, and whenever tracks of a level do (see `TrackReader.version`)."""
        with self._connection.cursor() as cursor:
            cursor.execute(
                "SELECT current_database() || '/' || coalesce(inet_server_addr()::text || inet_server_port(), '') || '/' || "
                f"count(*) || '/' || coalesce(sum(extract(epoch FROM updated_at)), 0) FROM {LAYERS[rights].albums}"
            )
            return str(cursor.fetchone()[0])

    @contextlib.contextmanager
    def arrow_batches(
        self, track_filter: TrackFilter, /, *, limit: int, columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatchReader]:
        """The same, batch by batch."""
        chosen = tuple(columns or FLAT_COLUMNS)
        unknown = [c for c in chosen if c not in READABLE]
        if unknown:
            raise InvalidInputError(f"no column {', '.join(unknown)}; there are {', '.join(sorted(READABLE))}")
        # jsonb as text: what reads Arrow knows strings, not PostgreSQL's types.
        listed = ", ".join(f'"{c}"::text AS "{c}"' if c in _JSON else f'"{c}"' for c in chosen)
        rows = most(track_filter, limit)
        statement = (
            f"SELECT {listed} FROM {tracks_of(track_filter, self._layer)} WHERE {where(track_filter, SESSION, self._layer)} "
            f"ORDER BY id LIMIT {'ALL' if rows is None else int(rows)}"
        )
        with self._connection.cursor() as cursor:
            cursor.adbc_statement.set_options(**{_BATCH_OPTION: str(_BATCH)})
            # The driver streams by COPY, which takes no parameters: the session carries the filter's values.
            cursor.execute("SELECT set_config('tensoe.filter', $1, false)", (values(track_filter),))
            cursor.fetchall()
            cursor.execute(statement)
            yield cursor.fetch_record_batch()
