"""Where a page of tracks begins and ends, told before its rows are read: so that any form can be streamed and paged."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator
from dataclasses import dataclass, replace

from backend.models.results import TrackFilter
from backend.repositories import cursor as cursors
from backend.repositories.database import Connection, Database
from backend.repositories.track_filter import PARAMETER, tracks_of, values, where
from backend.repositories.track_texts import Form, texts


@dataclass(frozen=True, slots=True, kw_only=True)
class PageBounds:
    """A page that has not been read yet.

    Attributes:
        rows: which rows it holds, as a filter.
        count: how many.
        synthetic: whether a row of it holds a made-up value.
        next_cursor: of the page after it; None at the end.
    """

    rows: TrackFilter
    count: int
    synthetic: bool
    next_cursor: str | None


class TrackPages:
    """Finds the bounds of pages, in the order that `TrackReader` reads in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def bounds(self, track_filter: TrackFilter, *, limit: int, cursor: str | None = None) -> PageBounds:
        """The bounds of the page that a cursor names, or of the first one.

        Raises:
            InvalidInputError: the cursor is not of this listing.
        """
        async with self._database.connection() as connection:
            return await _bounds(connection, track_filter, limit=limit, cursor=cursor)

    async def texts(
        self, track_filter: TrackFilter, *, limit: int, cursor: str | None = None, form: Form
    ) -> tuple[PageBounds, AsyncGenerator[bytes, None]]:
        """A page's bounds and its rows as text (see `track_texts.texts`), both as of one moment.

        The rows hold a connection until they are read or closed; begin to read them at once.

        Raises:
            InvalidInputError: the cursor is not of this listing.
        """
        async with contextlib.AsyncExitStack() as stack:
            connection = await stack.enter_async_context(self._database.connection())
            # One snapshot for both: rows that are added in between would be more than were counted.
            await stack.enter_async_context(connection.transaction(isolation="repeatable_read", readonly=True))
            bounds = await _bounds(connection, track_filter, limit=limit, cursor=cursor)
            return bounds, _held(stack.pop_all(), texts(connection, bounds.rows, limit=limit, form=form))

    async def count(self, track_filter: TrackFilter) -> int:
        """How many tracks fit."""
        async with self._database.connection() as connection:
            return int(
                await connection.fetchval(
                    f"SELECT count(*) FROM {tracks_of(track_filter)} "
                    f"WHERE {where(track_filter, PARAMETER)} AND ($1::text IS NOT NULL)",
                    values(track_filter),
                )
            )


async def _bounds(connection: Connection, track_filter: TrackFilter, *, limit: int, cursor: str | None) -> PageBounds:
    listing = values(track_filter)
    after = cursors.decode(cursor, of=listing, parts=1)[0] if cursor else None
    rows = replace(track_filter, after=after)
    found = await connection.fetchrow(
        "WITH page AS (SELECT id, synthetic, row_number() OVER (ORDER BY id) AS n "
        f"FROM {tracks_of(rows)} "
        f"WHERE {where(rows, PARAMETER)} AND ($1::text IS NOT NULL) ORDER BY id LIMIT $2::bigint + 1) "
        "SELECT count(*) AS n, max(id) FILTER (WHERE n = $2::bigint) AS last, "
        "coalesce(bool_or(synthetic) FILTER (WHERE n <= $2::bigint), false) AS synthetic FROM page",
        values(rows),
        limit,
    )
    more = found["n"] > limit
    return PageBounds(
        # Up to its last row: rows that are added before it is read must not push others out of it.
        rows=replace(rows, until=found["last"]) if more else rows,
        count=min(found["n"], limit),
        synthetic=found["synthetic"],
        next_cursor=cursors.encode([found["last"]], of=listing) if more else None,
    )


async def _held(stack: contextlib.AsyncExitStack, rows: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    async with stack, contextlib.aclosing(rows):
        async for chunk in rows:
            yield chunk
