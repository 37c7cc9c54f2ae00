"""Where a page of tracks begins and ends, told before its rows are read: so that any form can be streamed and paged."""

from __future__ import annotations

from dataclasses import dataclass, replace

from backend.models.results import TrackFilter
from backend.repositories import cursor as cursors
from backend.repositories.database import Database
from backend.repositories.track_filter import PARAMETER, tracks_of, values, where


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
        listing = values(track_filter)
        after = cursors.decode(cursor, of=listing, parts=1)[0] if cursor else None
        rows = replace(track_filter, after=after)
        async with self._database.connection() as connection:
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
