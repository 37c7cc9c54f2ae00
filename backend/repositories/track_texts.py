"""Rows of tracks as text, chunk by chunk, on a connection that somebody holds."""

from __future__ import annotations

import csv
import io
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from typing import Any, Final, Literal

from backend.models.results import TrackFilter
from backend.repositories.database import Connection
from backend.repositories.track_columns import FLAT_COLUMNS, TRACK_COLUMNS, csv_expression
from backend.repositories.track_filter import PARAMETER, most, tracks_of, values, where

Form = Literal["json", "ndjson", "csv"]

ROW: Final = f"row_to_json((SELECT r FROM (SELECT {', '.join(TRACK_COLUMNS)}) AS r))::text"
"""A track as JSON, in SQL."""

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


async def texts(
    connection: Connection, track_filter: TrackFilter, *, limit: int, form: Form
) -> AsyncGenerator[bytes, None]:
    """Tracks that fit, ordered by id: a JSON array, NDJSON, or CSV (RFC 4180, with a header).

    Args:
        connection: in a transaction.
        track_filter: which tracks.
        limit: at most so many rows.
        form: of the text.
    """
    listed = ", ".join(map(csv_expression, FLAT_COLUMNS)) if form == "csv" else ROW
    statement = (
        f"SELECT {listed} FROM {tracks_of(track_filter)} WHERE {where(track_filter, PARAMETER)} AND ($1::text IS NOT NULL) "
        "ORDER BY id LIMIT $2"
    )
    opening, write, closing = _WRITERS[form]
    first = True
    cursor = await connection.cursor(statement, values(track_filter), most(track_filter, limit))
    at_once = _AT_FIRST
    while rows := await cursor.fetch(at_once):
        yield (opening if first else b"," if form == "json" else b"") + write(rows)
        first, at_once = False, _AT_ONCE
    if first or closing:
        yield (opening if first else b"") + closing
