"""What sources say differently of the same album or track, at a moment; compared by PostgreSQL, which gives what differs alone.

Albums of which one source alone speaks are left out before their records are opened. PostgreSQL sorts and joins on disk what
its `work_mem` does not hold, and the rows are streamed: here, memory goes by the number of differences.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from backend.models.results import TrackFilter
from backend.repositories.layers import Layer
from backend.repositories.past_tables import known_at
from backend.repositories.track_filter import SESSION, tracks_of, values, where

if TYPE_CHECKING:
    import pyarrow as pa

Believed = Mapping[str, Collection[str]]
"""By field of `FIELDS`, the sources that are heard on it."""

FIELDS: Final = (
    "release_date", "label", "tracks", "duration_ms", "explicit", "isrc", "tempo", "key", "mode",
)  # fmt: skip
"""What is compared, as records call it."""

SAME_MS: Final = 3_000
"""Durations that are further apart differ."""
SAME_TEMPO: Final = 0.02
"""Tempos that are further apart differ, as a share, unless one is twice or four times the other."""

# The regular expressions of every locale know these classes; those for letters know ASCII alone in some.
_FOLDED: Final = r"lower(regexp_replace(normalize({0}, NFKD), '[[:punct:][:space:]\u0300-\u036f]+', '', 'g'))"


def _folded(text: str) -> str:
    return f"coalesce(nullif({_FOLDED.format(text)}, ''), {text})"


def _heard(field: str, value: str) -> str:
    return f"CASE WHEN (SELECT held->'{field}' FROM asked) ? r.source THEN {value} END"


_STATEMENT: Final = f"""
WITH asked AS MATERIALIZED (SELECT current_setting('tensoe.contradictions')::jsonb AS held),
wanted AS MATERIALIZED (
    SELECT id, album_id, disc_number, track_number, {_folded("title")} AS title FROM {{tracks}} WHERE {{where}}
), known AS (
    SELECT r.album_id, r.source, r.record FROM source_records r
    WHERE {known_at("(SELECT (held->>'moment')::timestamptz FROM asked)")} AND (SELECT held->'sources' FROM asked) ? r.source
), several AS MATERIALIZED (
    SELECT album_id FROM known WHERE album_id IN (SELECT album_id FROM wanted) GROUP BY album_id HAVING count(*) > 1
), albums_said AS MATERIALIZED (
    SELECT r.album_id AS id, r.source,
        {_heard("release_date", "substring(r.record->>'release_date' FROM '^[0-9]{{4}}')")} AS year,
        {_heard("label", "nullif(r.record->>'label', '')")} AS label,
        {_heard("tracks", "nullif(jsonb_array_length(r.record->'tracks'), 0)")} AS tracks
    FROM known r JOIN several USING (album_id)
), tracks_said AS MATERIALIZED (
    SELECT w.id, r.source,
        {_heard("duration_ms", "nullif((t->>'duration_ms')::bigint, 0)")} AS duration,
        {_heard("explicit", "t->>'explicit'")} AS explicit,
        {_heard("isrc", "nullif(upper(replace(t->>'isrc', '-', '')), '')")} AS isrc,
        {_heard("tempo", "nullif((t->'audio_features'->>'tempo')::float8, 0)")} AS tempo,
        {_heard("key", "nullif((t->'audio_features'->>'key')::float8, -1)")} AS key,
        {_heard("mode", "(t->'audio_features'->>'mode')::float8")} AS mode
    FROM known r JOIN several USING (album_id) CROSS JOIN LATERAL jsonb_array_elements(r.record->'tracks') AS t
    JOIN wanted w ON w.album_id = r.album_id AND w.disc_number = (t->>'disc_number')::int
        AND w.track_number = (t->>'track_number')::int AND w.title = {_folded("t->>'title'")}
), pairs AS (
    SELECT a.id, f.field, a.source AS one, f.x, b.source AS two, f.y
    FROM albums_said a JOIN albums_said b ON a.id = b.id AND a.source < b.source
    CROSS JOIN LATERAL (VALUES
        ('release_year', a.year, b.year, a.year <> b.year),
        ('label', a.label, b.label, {_folded("a.label")} <> {_folded("b.label")}),
        ('tracks', a.tracks::text, b.tracks::text, a.tracks <> b.tracks)
    ) AS f (field, x, y, differs) WHERE f.differs
    UNION ALL
    SELECT a.id, f.field, a.source, f.x, b.source, f.y
    FROM tracks_said a JOIN tracks_said b ON a.id = b.id AND a.source < b.source
    CROSS JOIN LATERAL (VALUES
        ('duration_ms', a.duration::text, b.duration::text, abs(a.duration - b.duration) > {SAME_MS}),
        ('explicit', a.explicit, b.explicit, a.explicit <> b.explicit),
        ('isrc', a.isrc, b.isrc, a.isrc <> b.isrc),
        ('tempo', a.tempo::text, b.tempo::text, NOT EXISTS (
            SELECT FROM (VALUES (1), (2), (4)) AS o (octave)
            WHERE abs(greatest(a.tempo, b.tempo) / (octave * least(a.tempo, b.tempo)) - 1) <= {SAME_TEMPO}
        ) AND a.tempo > 0 AND b.tempo > 0),
        ('key', a.key::text, b.key::text, a.key <> b.key),
        ('mode', a.mode::text, b.mode::text, a.mode <> b.mode)
    ) AS f (field, x, y, differs) WHERE f.differs
)
SELECT id, field, source, min(value) AS value, array_agg(DISTINCT other) AS others FROM (
    SELECT id, field, one AS source, x AS value, two AS other FROM pairs
    UNION ALL SELECT id, field, two, y, one FROM pairs
) AS sides GROUP BY id, field, source
"""

# Nobody knows how many rows come out of JSON: the planner takes them for few, and would compare each with each.
_SETTINGS: Final = """
SELECT set_config('tensoe.filter', $1, true), set_config('tensoe.contradictions', $2, true),
    set_config('enable_nestloop', 'off', true), set_config('jit', 'off', true)
"""


def read(
    connection: Any, track_filter: TrackFilter, *, moment: datetime, believed: Believed, layer: Layer | None = None
) -> pa.Table:
    """What sources say differently of the tracks that fit, and of their albums.

    A source's track is that of the row of its album, disc and number whose folded title is its own.

    Args:
        connection: ADBC, in a transaction that sees all that was stored by the moment; planned otherwise until it ends.
        track_filter: which tracks.
        moment: records known then are compared.
        believed: whose word counts on what; nobody's on a field that is not named.
        layer: the tables of tracks, instead of those of the level of rights asked for.

    Returns:
        id (of a track, or of an album: release_year, label, tracks), field, source, value as text, and others, the sources that
        it differs from; in no order.
    """
    import pyarrow as pa

    held = {f: sorted(believed.get(f, ())) for f in FIELDS}
    sources = sorted({s for listed in held.values() for s in listed})
    written = orjson.dumps({**held, "sources": sources, "moment": moment.isoformat()}).decode()
    statement = _STATEMENT.format(tracks=tracks_of(track_filter, layer), where=where(track_filter, SESSION, layer))
    with connection.cursor() as cursor:
        cursor.execute(_SETTINGS, (values(track_filter), written))
        cursor.fetchall()
        cursor.execute(statement)
        batches = cursor.fetch_record_batch()
        # Few words, written often: as numbers they take a byte or four.
        return pa.Table.from_batches(
            (_narrow(batch) for batch in batches), _narrow(batches.schema.empty_table()).schema
        )


def _narrow(rows: Any) -> Any:
    for name in ("field", "source"):
        i = rows.schema.get_field_index(name)
        rows = rows.set_column(i, name, rows.column(i).dictionary_encode())
    return rows
