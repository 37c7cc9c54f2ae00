"""Which tracks of the past held one recording: the links of `recordings`, over all tracks at once and in columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import orjson

from backend.repositories.recordings import SAME_CODE_MS, SAME_NAME_MS

if TYPE_CHECKING:
    import pyarrow as pa

_AT_ONCE: Final = 50_000

# Sorted by duration, neighbours are enough to hold together what any two of them link (see `recordings.group`).
_LINKS: Final = """
WITH named AS (
    SELECT id, lag(id) OVER (PARTITION BY recording_mbid ORDER BY id) AS other, 0 AS apart, 0 AS most
    FROM {tracks} WHERE recording_mbid IS NOT NULL
), untimed AS (
    SELECT id, min(id) FILTER (WHERE duration_ms IS NULL) OVER (PARTITION BY isrc) AS other, 0 AS apart, 0 AS most
    FROM {tracks} WHERE isrc IS NOT NULL
), coded AS (
    SELECT id, lag(id) OVER w AS other, duration_ms - lag(duration_ms) OVER w AS apart, {code} AS most
    FROM {tracks} WHERE isrc IS NOT NULL AND duration_ms IS NOT NULL WINDOW w AS (PARTITION BY isrc ORDER BY duration_ms, id)
), called AS (
    SELECT id, lag(id) OVER w AS other, duration_ms - lag(duration_ms) OVER w AS apart, {name} AS most
    FROM {tracks} WHERE recording_key IS NOT NULL AND duration_ms IS NOT NULL
    WINDOW w AS (PARTITION BY recording_key ORDER BY duration_ms, id)
)
SELECT id AS one, other FROM (
    SELECT * FROM named UNION ALL SELECT * FROM untimed UNION ALL SELECT * FROM coded UNION ALL SELECT * FROM called
) AS l WHERE other <> id AND apart <= most
"""
_MOVED: Final = "CREATE TEMPORARY TABLE tensoe_past_recordings (id text, recording_id text) ON COMMIT DROP"
_MOVE: Final = """
INSERT INTO tensoe_past_recordings SELECT * FROM json_to_recordset($1::text::json) AS m (id text, recording_id text)
"""
_APPLY: Final = "UPDATE {tracks} t SET recording_id = m.recording_id FROM tensoe_past_recordings m WHERE t.id = m.id"


def link(cursor: Any, tracks: str) -> None:
    """Say which recording each track holds.

    Args:
        cursor: of an ADBC connection, in a transaction.
        tracks: a table of tracks, each alone of its recording.
    """
    cursor.execute(_LINKS.format(tracks=tracks, code=SAME_CODE_MS, name=SAME_NAME_MS))
    found = _recordings(cursor.fetch_arrow_table())
    if not found.num_rows:
        return
    cursor.execute(_MOVED)
    for batch in found.to_batches(max_chunksize=_AT_ONCE):
        cursor.execute(_MOVE, (orjson.dumps(batch.to_pylist()).decode(),))
    cursor.execute(_APPLY.format(tracks=tracks))


def _recordings(links: pa.Table) -> pa.Table:
    """The tracks whose recording is called after another one: id, recording_id, the least id of those that hang together."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    one, other = links.column("one").combine_chunks(), links.column("other").combine_chunks()
    ids = pc.unique(pa.chunked_array([one, other], pa.string()))
    ids = ids.take(pc.sort_indices(ids))  # by bytes, as Python has them
    a, b = (pc.index_in(ends, ids).to_numpy() for ends in (one, other))
    graph = coo_array((np.ones(len(a), np.bool_), (a, b)), shape=(len(ids), len(ids)))
    groups, group = connected_components(graph, directed=False)
    least = np.full(groups, len(ids))
    np.minimum.at(least, group, np.arange(len(ids)))
    named = least[group]
    moved = np.flatnonzero(named != np.arange(len(ids)))
    return pa.table({"id": ids.take(pa.array(moved)), "recording_id": ids.take(pa.array(named[moved]))})
