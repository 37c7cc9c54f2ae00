"""The tables of one level of rights as they were at a past moment, made anew from what was known then.

They are temporary tables of the reader's own session with the columns of the present ones: whatever reads tracks reads them
too, filters and types included. Albums of which nobody has said anything else since are copied, the others are merged from the
records of that moment, some hundred at a time; neither takes more memory for a greater catalogue.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson

from backend.models.ingestion_models import RightsLevel, SourceRecord
from backend.repositories import past_recordings
from backend.repositories import records as kept
from backend.repositories.album_rows import Row, Rows
from backend.repositories.layers import LAYERS, Layer
from backend.repositories.remerging import Merge
from backend.repositories.staging import BY_LAYER, Stage

_AT_ONCE: Final = 500  # albums merged at a time
_REAL: Final = struct.Struct("<f")


def known_at(moment: str) -> str:
    """Which records were known at a moment, as a condition; the moment is SQL."""
    return f"known_from <= {moment} AND (known_to IS NULL OR known_to > {moment})"


KNOWN: Final = known_at("$1")
"""Which records were known at the moment that is the first parameter."""

_CHANGED: Final = """
CREATE TEMPORARY TABLE tensoe_past_changed (album_id text PRIMARY KEY) ON COMMIT DROP
"""
# With nothing to copy, every album counts as changed.
_FIND_CHANGED: Final = """
INSERT INTO tensoe_past_changed SELECT DISTINCT album_id FROM source_records
WHERE NOT $2::boolean OR known_from > $1 OR known_to > $1
"""
_PAGE: Final = f"""
SELECT album_id, source, rights, record::text AS record, fetched_at FROM source_records
WHERE album_id IN (SELECT album_id FROM tensoe_past_changed WHERE album_id > $2 ORDER BY album_id LIMIT {_AT_ONCE}) AND {KNOWN}
ORDER BY album_id, source
"""
_LAST: Final = f"""
SELECT max(album_id) FROM (SELECT album_id FROM tensoe_past_changed WHERE album_id > $1 ORDER BY album_id LIMIT {_AT_ONCE}) p
"""


def make(cursor: Any, level: RightsLevel, *, moment: datetime, merge: Merge, copy: bool) -> Layer:
    """Make the tables of a level as of a moment; answers what they are called. They go with the transaction.

    Args:
        cursor: of an ADBC connection, in a transaction that sees all that was stored by the moment.
        level: of rights.
        moment: not in the future.
        merge: makes an album of its records.
        copy: whether the rows of now are what `merge` would make of the records of now.
    """
    present = LAYERS[level]
    past = Layer(level, "tensoe_past_albums", "tensoe_past_tracks")
    for now, then in ((present.albums, past.albums), (present.tracks, past.tracks)):
        cursor.execute(
            f"CREATE TEMPORARY TABLE {then} (LIKE {now} INCLUDING DEFAULTS INCLUDING GENERATED) ON COMMIT DROP"
        )
    cursor.execute(_CHANGED)
    cursor.execute(_FIND_CHANGED, (moment, copy))
    stages = BY_LAYER[level]
    if copy:
        for stage, now, then, album in (
            (stages.albums, present.albums, past.albums, "id"),
            (stages.tracks, present.tracks, past.tracks, "album_id"),
        ):
            names = ", ".join(stage.names)
            cursor.execute(
                f"INSERT INTO {then} ({names}) SELECT {names} FROM {now} t "
                f"WHERE NOT EXISTS (SELECT FROM tensoe_past_changed c WHERE c.album_id = t.{album})"
            )
    for said in _pages(cursor, moment):
        merged = (merge(album_id, records) for album_id, records in said.items())
        rows = Rows.of((levels, ()) for levels in merged if levels is not None).levels[level]
        _insert(cursor, past.albums, stages.albums, rows.albums)
        _insert(cursor, past.tracks, stages.tracks, rows.tracks)
    cursor.execute(f"UPDATE {past.tracks} SET recording_id = id")
    past_recordings.link(cursor, past.tracks)
    return past


def _pages(cursor: Any, moment: datetime) -> Iterator[Mapping[str, Sequence[SourceRecord]]]:
    """What was said of the changed albums at that moment, page by page; of new ones nothing was."""
    last = ""
    while True:
        cursor.execute(_LAST, (last,))
        end = cursor.fetchone()[0]
        if end is None:
            return
        cursor.execute(_PAGE, (moment, last))
        said: dict[str, list[SourceRecord]] = {}
        for row in cursor.fetch_arrow_table().to_pylist():
            record = kept.decode(
                row["record"], source=row["source"], rights=row["rights"], fetched_at=row["fetched_at"]
            )
            said.setdefault(row["album_id"], []).append(record)
        yield said
        last = end


def _insert(cursor: Any, table: str, stage: Stage, rows: Sequence[Row]) -> None:
    if not rows:
        return
    given = ", ".join(f"{name} {'text' if kind == 'jsonb' else kind}" for name, kind in stage.columns)
    taken = ", ".join(f"{name}::jsonb" if kind == "jsonb" else name for name, kind in stage.columns)
    reals = {name for name, kind in stage.columns if kind == "real"}
    written = orjson.dumps([_object(stage.names, row, reals) for row in rows]).decode()
    cursor.execute(
        f"INSERT INTO {table} ({', '.join(stage.names)}) SELECT {taken} FROM json_to_recordset($1::text::json) AS r ({given})",
        (written,),
    )


def _object(names: Sequence[str], row: Row, reals: set[str]) -> dict[str, Any]:
    """A row as JSON; what becomes REAL is rounded to it first, as by COPY: rounding its decimal digits may come out otherwise."""
    return {
        name: _REAL.unpack(_REAL.pack(value))[0] if name in reals and value is not None else value
        for name, value in zip(names, row, strict=True)
    }
