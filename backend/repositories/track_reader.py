"""Reading tracks: a page, one, a stream of text, or Arrow."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Iterator, Sequence
from typing import TYPE_CHECKING, Any

import orjson

from backend.models.ingestion_models import RightsLevel
from backend.models.results import Page, TrackFilter
from backend.repositories import cursor as cursors
from backend.repositories.database import Database
from backend.repositories.layers import LAYERS
from backend.repositories.track_filter import PARAMETER, tracks_of, values, where
from backend.repositories.track_tables import TrackTables
from backend.repositories.track_texts import ROW, Form, texts
from backend.utils.errors import NotFoundError

if TYPE_CHECKING:
    import pyarrow as pa


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
                f"SELECT id, {ROW} AS row FROM {tracks_of(track_filter)} "
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
            row = await connection.fetchval(f"SELECT {ROW} FROM {LAYERS[rights].tracks} WHERE id = $1", track_id)
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
        async with self._database.connection() as connection, connection.transaction(readonly=True):
            async for chunk in texts(connection, track_filter, limit=limit, form=form):
                yield chunk

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
