"""Reading tracks: a page, one, a stream of text, or Arrow."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal

import orjson

from backend.models.results import Page, TrackFilter
from backend.repositories import cursor as cursors
from backend.repositories.database import Connection, Database
from backend.repositories.track_columns import FLAT_COLUMNS, TRACK_COLUMNS, csv_expression
from backend.repositories.track_filter import PARAMETER, values, where
from backend.repositories.track_tables import TrackTables
from backend.utils.errors import NotFoundError

if TYPE_CHECKING:
    import pyarrow as pa

Form = Literal["json", "ndjson", "csv"]

_ROW: Final = f"row_to_json((SELECT r FROM (SELECT {', '.join(TRACK_COLUMNS)}) AS r))::text"
_AT_ONCE: Final = 1_000  # rows fetched from the server's cursor at a time
_WAITING_CHUNKS: Final = 4


class TrackReader:
    """Reads `enhanced_tracks`; always ordered by id, which never changes."""

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
                f"SELECT id, {_ROW} AS row FROM enhanced_tracks "
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

    async def track(self, track_id: str) -> dict[str, Any]:
        """One track.

        Raises:
            NotFoundError: no track has this id.
        """
        async with self._database.connection() as connection:
            row = await connection.fetchval(f"SELECT {_ROW} FROM enhanced_tracks WHERE id = $1", track_id)
        if row is None:
            raise NotFoundError(f"No track has the id {track_id[:100]!r}; /ml/training-data lists what is stored")
        found: dict[str, Any] = orjson.loads(row)
        return found

    async def version(self) -> str:
        """A text that changes when tracks do; cheap."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(
                "SELECT n_tup_ins + n_tup_upd + n_tup_del AS moved, max_updated FROM pg_stat_user_tables, "
                "(SELECT count(*)::text || coalesce(max(updated_at)::text, '') AS max_updated FROM enhanced_tracks) AS t "
                "WHERE relid = 'enhanced_tracks'::regclass"
            )
        return f"{row['moved']}/{row['max_updated']}"

    # -- streams of text ---------------------------------------------------------------------------

    async def stream(self, track_filter: TrackFilter, *, limit: int, form: Form) -> AsyncIterator[bytes]:
        """Tracks as one snapshot: a JSON array, NDJSON, or CSV (RFC 4180, with a header); chunk by chunk."""
        if form == "csv":
            async for chunk in self._csv(track_filter, limit=limit):
                yield chunk
            return
        opening, between, closing = (b"[", b",", b"]") if form == "json" else (b"", b"\n", b"\n")
        statement = (
            f"SELECT {_ROW} FROM enhanced_tracks WHERE {where(track_filter, PARAMETER)} AND ($1::text IS NOT NULL) "
            "ORDER BY id LIMIT $2"
        )
        first = True
        async with self._snapshot() as connection:
            cursor = await connection.cursor(statement, values(track_filter), limit)
            while rows := await cursor.fetch(_AT_ONCE):
                yield (opening if first else between) + between.join(row[0].encode() for row in rows)
                first = False
        if form == "json":
            yield opening + closing if first else closing
        elif not first:
            yield closing

    @contextlib.asynccontextmanager
    async def _snapshot(self) -> AsyncIterator[Connection]:
        async with (
            self._database.connection() as connection,
            connection.transaction(isolation="repeatable_read", readonly=True),
        ):
            yield connection

    async def _csv(self, track_filter: TrackFilter, *, limit: int) -> AsyncIterator[bytes]:
        """By COPY: PostgreSQL writes CSV itself. COPY pushes, a stream is pulled: a short queue stands between."""
        listed = ", ".join(csv_expression(column) for column in FLAT_COLUMNS)
        statement = (
            f"SELECT {listed} FROM enhanced_tracks WHERE {where(track_filter, PARAMETER)} AND ($1::text IS NOT NULL) "
            "ORDER BY id LIMIT $2"
        )
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(_WAITING_CHUNKS)

        async def copy() -> None:
            try:
                async with self._database.connection() as connection:
                    await connection.copy_from_query(
                        statement, values(track_filter), limit, output=queue.put, format="csv", header=True
                    )
            finally:
                await queue.put(None)

        task = asyncio.create_task(copy(), name="csv of tracks")
        try:
            while (chunk := await queue.get()) is not None:
                yield bytes(chunk)  # asyncpg hands on its buffer, which is no bytes object
            await task
        finally:
            if not task.done():
                task.cancel()
                # Room for what it still wants to say, then wait for its connection to be given back.
                while not queue.empty():
                    queue.get_nowait()
                with contextlib.suppress(asyncio.CancelledError):
                    await task

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
