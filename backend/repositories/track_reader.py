"""Reading tracks: a page, one, a stream of text, or Arrow."""

from __future__ import annotations

import contextlib
import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from backend.models.ingestion_models import RightsLevel
from backend.models.results import Page, TrackFilter
from backend.repositories import cursor as cursors
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS
from backend.repositories.track_columns import FLAT_COLUMNS, TRACK_COLUMNS, csv_expression
from backend.repositories.track_filter import PARAMETER, most, tracks_of, values, where
from backend.repositories.track_tables import TrackTables
from backend.utils.errors import NotFoundError

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["json", "ndjson", "csv"]

_ROW: Final = f"row_to_json((SELECT r FROM (SELECT {', '.join(TRACK_COLUMNS)}) AS r))::text"
_AT_FIRST: Final = 100  # rows of the first chunk: it is there soon
_AT_ONCE: Final = 1_000  # rows fetched from the server's cursor at a time


def _csv(rows: Iterable[Sequence[str | None]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


# What stands before the rows, how rows are written, what stands behind them.
_WRITERS: Final[dict[Form, tuple[bytes, Callable[[Any], bytes], bytes]]] = {
    "json": (b"[", lambda rows: ",".join([row[0] for row in rows]).encode(), b"]"),
    "ndjson": (b"", lambda rows: "".join([row[0] + "\n" for row in rows]).encode(), b""),
    "csv": (_csv([FLAT_COLUMNS]), _csv, b""),
}


class TrackReader:
    """Reads tracks of any level of rights; always ordered by id, which never changes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def page(self, track_filter: TrackFilter, *, limit: int, cursor: str | None = None) -> Page:
        """A page of tracks, and the cursor of the next.

        Raises:
            InvalidInputError: the cursor is not of this listing.
        """
        held = values(track_filter)
        after = cursors.decode(cursor, of=held, parts=1)[0] if cursor else ""
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                f"SELECT id, {_ROW} AS row FROM {tracks_of(track_filter)} "
                f"WHERE {where(track_filter, PARAMETER)} AND ($1::text IS NOT NULL) AND id > $2 ORDER BY id LIMIT $3",
                held,
                after,
                limit + 1,
            )
        more = len(rows) > limit
        return Page(
            items=[orjson.loads(row["row"]) for row in rows[:limit]],
            next_cursor=cursors.encode([rows[limit - 1]["id"]], of=held) if more else None,
        )

    async def track(self, track_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        """One track, at a level of rights.

        Raises:
            NotFoundError: no track has this id.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchval(f"SELECT {_ROW} FROM {LAYERS[rights].tracks} WHERE id = $1", track_id)
        if row is None:
            raise NotFoundError(f"No track has the id {track_id[:100]!r}; /ml/training-data lists what is stored")
        found: dict[str, Any] = orjson.loads(row)
        return found

    async def version(self, rights: RightsLevel = RightsLevel.ANY) -> str:
        """A text that changes whenever tracks of a level do: an album's time moves with its tracks (see `staging`).

        The sum is exact whatever order transactions end in; the greatest time alone is not.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT count(*) AS n, coalesce(sum(extract(epoch FROM updated_at)), 0)::text AS moved "
                f"FROM {LAYERS[rights].albums}"
            )
        return f"{rights}/{row['n']}/{row['moved']}"

    # -- streams of text ---------------------------------------------------------------------------

    async def stream(self, track_filter: TrackFilter, /, *, limit: int, form: Form) -> AsyncGenerator[bytes, None]:
        """Tracks as one snapshot: a JSON array, NDJSON, or CSV (RFC 4180, with a header); chunk by chunk.

        A reader that goes away gives the connection back.
        """
        listed = ", ".join(map(csv_expression, FLAT_COLUMNS)) if form == "csv" else _ROW
        statement = (
            f"SELECT {listed} FROM {tracks_of(track_filter)} WHERE {where(track_filter, PARAMETER)} AND ($1::text IS NOT NULL) "
            "ORDER BY id LIMIT $2"
        )
        opening, write, closing = _WRITERS[form]
        first = True
        async with self._database.connection() as connection, connection.transaction(readonly=True):
            cursor = await connection.cursor(statement, values(track_filter), most(track_filter, limit))
            at_once = _AT_FIRST
            while rows := await cursor.fetch(at_once):
                yield (opening if first else b"," if form == "json" else b"") + write(rows)
                first, at_once = False, _AT_ONCE
        if first or closing:
            yield (opening if first else b"") + closing

    # -- Arrow -------------------------------------------------------------------------------------

    def arrow(self, track_filter: TrackFilter, /, *, limit: int, columns: Sequence[str] | None = None) -> pa.Table:
        """See `TrackTables.arrow`; blocking."""
        with self._database.columnar() as connection:
            return TrackTables(connection).arrow(track_filter, limit=limit, columns=columns)

    @contextlib.contextmanager
    def arrow_batches(
        self, track_filter: TrackFilter, /, *, limit: int, columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatchReader]:
        """See `TrackTables.arrow_batches`; blocking."""
        with (
            self._database.columnar() as connection,
            TrackTables(connection).arrow_batches(track_filter, limit=limit, columns=columns) as batches,
        ):
            yield batches
