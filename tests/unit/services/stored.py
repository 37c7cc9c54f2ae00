"""Tracks in memory, read as from the database."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Literal

import orjson
import pyarrow as pa
import pyarrow.compute as pc

from backend.models.ingestion_models import RightsLevel
from backend.models.results import TrackFilter


class StoredTracks:
    """A reader of a table; understands filters by genre, mood and artist.

    Attributes:
        reads: the limit of each read.
        changes: counted up by whoever changes the table.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.reads: list[int] = []
        self.changes = 0

    def arrow(self, track_filter: TrackFilter, /, *, limit: int, columns: Sequence[str] | None = None) -> pa.Table:
        self.reads.append(limit)
        found = self.table
        for field in ("genres", "moods"):
            for tag in getattr(track_filter, field):
                lists = found.column(field).to_pylist()
                found = found.filter(pa.array([tag.casefold() in (tags or ()) for tags in lists], pa.bool_()))
        if track_filter.artist is not None:
            found = found.filter(pc.equal(found.column("artist"), track_filter.artist))
        return found.slice(0, limit).select(columns or found.column_names)

    @contextlib.contextmanager
    def arrow_batches(
        self, track_filter: TrackFilter, /, *, limit: int, columns: Sequence[str] | None = None
    ) -> Iterator[pa.RecordBatchReader]:
        yield self.arrow(track_filter, limit=limit, columns=columns).to_reader(max_chunksize=7)

    async def stream(
        self, track_filter: TrackFilter, /, *, limit: int, form: Literal["json", "ndjson", "csv"]
    ) -> AsyncIterator[bytes]:
        rows = self.arrow(track_filter, limit=limit, columns=["id", "title", "provenance"]).to_pylist()
        if form == "csv":
            yield b"id,title,provenance\n"
        for row in rows:
            whose = row["provenance"].replace('"', '""')
            told = f'{row["id"]},"{row["title"]}","{whose}"\n'.encode()
            yield (
                told if form == "csv" else orjson.dumps({**row, "provenance": orjson.loads(row["provenance"])}) + b"\n"
            )

    async def track(self, track_id: str, *, rights: RightsLevel = RightsLevel.ANY) -> dict[str, Any]:
        (row,) = self.table.filter(pc.equal(self.table.column("id"), track_id)).to_pylist()
        return dict(row)

    async def version(self, rights: RightsLevel = RightsLevel.ANY) -> str:
        return f"{rights}/{self.changes}"
