"""The write path in SQL: rows are copied into temporary tables, then merged, and what has not changed is left alone."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from backend.models.ingestion_models import RightsLevel
from backend.repositories.layers import LAYERS, Layer


@dataclass(frozen=True, slots=True)
class Stage:
    """A temporary table that rows are copied into.

    Attributes:
        name: what it holds.
        columns: name and type of each, in the order of the copied rows.
    """

    name: str
    columns: tuple[tuple[str, str], ...]

    @property
    def names(self) -> list[str]:
        """Its columns' names."""
        return [name for name, _ in self.columns]

    @property
    def table(self) -> str:
        """Its table's name, another one for other columns: behind a pooler, tables of an older Tensoe may still stand."""
        return f"tensoe_{self.name}_{zlib.crc32(repr(self.columns).encode()):08x}"

    @property
    def definition(self) -> str:
        """SQL that makes it, once per connection."""
        columns = ", ".join(f"{name} {kind}" for name, kind in self.columns)
        return f"CREATE TEMPORARY TABLE IF NOT EXISTS {self.table} ({columns}) ON COMMIT DELETE ROWS"


def _stage(name: str, columns: str) -> Stage:
    pairs = (column.strip().split(" ", 1) for column in columns.strip().split(","))
    return Stage(name, tuple((column, kind) for column, kind in pairs))


@dataclass(frozen=True, slots=True)
class LayerStages:
    """The stages of one level's albums and tracks."""

    layer: Layer
    albums: Stage
    tracks: Stage


ARTISTS: Final = _stage("artists", "id text, name text, name_key text, ids jsonb")
_ALBUM: Final = """id text, title text, artist text, title_key text, artist_key text, artist_id text, release_date date,
    release_precision text, label text, upc text, total_tracks integer, popularity integer, listeners integer,
    aoty_critic_score real, aoty_critic_count integer, aoty_user_score real, aoty_user_count integer, genres text[],
    moods text[], ids jsonb, provenance jsonb, synthetic boolean"""
_TRACK: Final = """id text, title text, artist text, album text, genres text[], moods text[], audio_features jsonb,
    popularity integer, duration_ms integer, track_number integer, release_date date, aoty_score real,
    explicit boolean, album_id text, disc_number smallint, aoty_critic_score real, rating real, listeners integer,
    isrc text, spotify_id text, recording_mbid text, recording_key text, tag_weights jsonb, mood_valence real,
    mood_arousal real, estimates jsonb, provenance jsonb, synthetic boolean"""
BY_LAYER: Final = {
    level: LayerStages(layer, _stage(layer.albums, _ALBUM), _stage(layer.tracks, _TRACK))
    for level, layer in LAYERS.items()
}
ALBUM_COLUMNS: Final = BY_LAYER[RightsLevel.ANY].albums.names
NEW_TRACK_COLUMNS: Final = [*BY_LAYER[RightsLevel.ANY].tracks.names, "recording_id"]
"""Of a track that was not there: alone of its recording, until another appearance is found (see `recordings`)."""
IDENTIFIERS: Final = _stage("identifiers", "source text, external_id text, album_id text")
SAID: Final = _stage(
    "said",
    "album_id text, source text, rights text, digest text, fetched_at timestamptz",
)
_ALWAYS: Final = (ARTISTS, IDENTIFIERS, SAID)
_OF_KNOWN: Final = tuple(s for b in BY_LAYER.values() for s in (b.albums, b.tracks))
STAGES: Final = (*_ALWAYS, *_OF_KNOWN)

_KNOWN: Final = "current_setting('tensoe.known')::timestamptz"
"""When what is being stored becomes known: one moment for all of it, after the albums' locks were had."""

DEFINE: Final = ";\n".join(
    (
        *(stage.definition for stage in _ALWAYS),
        "SELECT set_config('tensoe.known', "
        "to_char(clock_timestamp() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), true)",
    )
)
DEFINE_KNOWN: Final = ";\n".join(stage.definition for stage in _OF_KNOWN)
"""Apart from the others: a connection makes them for albums that were stored before, and then empties them at each commit."""


def _update(target: str, *, columns: list[str], rows: str) -> str:
    """Update the rows that say something else; equal ones are not touched."""
    own = [c for c in columns if c != "id"]
    stored, given = ", ".join(f"t.{c}" for c in own), ", ".join(f"i.{c}" for c in own)
    return f"""UPDATE {target} t SET {", ".join(f"{c} = i.{c}" for c in own)}, updated_at = now()
    FROM {rows} i WHERE t.id = i.id AND ({stored}) IS DISTINCT FROM ({given})"""


def _insert(target: str, *, columns: list[str], rows: str, more: Mapping[str, str] | None = None) -> str:
    """Insert the rows that are not there.

    Not ON CONFLICT: it would lock, and so write to, each row that is there, and costs a third more for those that are not.
    Nobody else inserts the same albums meanwhile: all writers hold locks.
    """
    given = {c: f"i.{c}" for c in columns} | dict(more or {})
    return f"""INSERT INTO {target} ({", ".join(given)}) SELECT {", ".join(given.values())} FROM {rows} i
    WHERE NOT EXISTS (SELECT FROM {target} o WHERE o.id = i.id)"""


# An artist is one row per folded name, whose spelling is that of the first album.
MERGE_ARTISTS: Final = f"""
INSERT INTO artists (id, name, name_key)
    SELECT DISTINCT ON (i.name_key) i.id, i.name, i.name_key FROM {ARTISTS.table} i
    WHERE NOT EXISTS (SELECT FROM artists o WHERE o.name_key = i.name_key) ORDER BY i.name_key, i.id, i.name
    ON CONFLICT DO NOTHING;
UPDATE artists r SET ids = n.ids || r.ids
    FROM (SELECT DISTINCT ON (i.name_key) i.name_key, i.ids FROM {ARTISTS.table} i WHERE i.ids <> '{{}}'
          ORDER BY i.name_key, i.ids) n
    WHERE r.name_key = n.name_key AND n.ids || r.ids <> r.ids
"""

_ALBUMS: Final = BY_LAYER[RightsLevel.ANY].albums.table

# It follows an album that gave this spelling and now has another, so that two albums with two spellings don't take turns.
_RENAME_ARTISTS: Final = f"""
UPDATE artists r SET name = n.artist
    FROM (SELECT DISTINCT ON (o.artist_id) o.artist_id, o.artist AS before, i.artist
          FROM {_ALBUMS} i JOIN albums o ON o.id = i.id
          WHERE o.artist <> i.artist AND o.artist_key = i.artist_key ORDER BY o.artist_id, i.id) n
    WHERE r.id = n.artist_id AND r.name = n.before
"""


def _merge_albums(stages: LayerStages) -> str:
    """Albums that were stored before; every one of them stands in the stage of the level `any`."""
    target, rows = stages.layer.albums, stages.albums.table
    if stages.layer.level is RightsLevel.ANY:
        return _update(target, columns=stages.albums.names, rows=rows)
    gone = f"""DELETE FROM {target} t USING {_ALBUMS} a
    WHERE t.id = a.id AND NOT EXISTS (SELECT FROM {rows} i WHERE i.id = t.id)"""
    columns = stages.albums.names
    return ";\n".join((gone, _update(target, columns=columns, rows=rows), _insert(target, columns=columns, rows=rows)))


def _merge_tracks(stages: LayerStages) -> str:
    """Their tracks. An album's `updated_at` moves with its tracks, so that it alone tells whether anything changed."""
    albums, tracks, rows = stages.layer.albums, stages.layer.tracks, stages.tracks.table
    return f"""
WITH removed AS (
    DELETE FROM {tracks} t USING {stages.albums.table} a
    WHERE t.album_id = a.id AND NOT EXISTS (SELECT FROM {rows} i WHERE i.id = t.id) RETURNING t.album_id
), changed AS (
    {_update(tracks, columns=stages.tracks.names, rows=rows)} RETURNING t.album_id
), added AS (
    SELECT i.album_id FROM {rows} i WHERE NOT EXISTS (SELECT FROM {tracks} o WHERE o.id = i.id)
)
UPDATE {albums} a SET updated_at = now()
FROM (SELECT album_id FROM removed UNION SELECT album_id FROM changed UNION SELECT album_id FROM added) c
WHERE a.id = c.album_id AND a.updated_at < now();
{_insert(tracks, columns=stages.tracks.names, rows=rows, more={"recording_id": "i.id"})}
"""


MERGE_IDENTIFIERS: Final = f"""
INSERT INTO album_identifiers (source, external_id, album_id)
    SELECT i.source, i.external_id, i.album_id FROM {IDENTIFIERS.table} i
    WHERE NOT EXISTS (SELECT FROM album_identifiers o WHERE (o.source, o.external_id) = (i.source, i.external_id))
    ORDER BY i.source, i.external_id ON CONFLICT DO NOTHING
"""
"""What services call the albums; of new albums nothing was said before, so that no record of them can end."""

_CURRENT: Final = "s.album_id = i.album_id AND s.source = i.source AND s.valid_to IS NULL"
_MERGE_RECORDS: Final = f"""
UPDATE source_records s SET fetched_at = i.fetched_at FROM {SAID.table} i
    WHERE {_CURRENT} AND s.digest = i.digest AND s.rights = i.rights AND s.fetched_at < i.fetched_at;
UPDATE source_records s SET valid_to = GREATEST(i.fetched_at, s.valid_from), known_to = {_KNOWN} FROM {SAID.table} i
    WHERE {_CURRENT} AND (s.digest, s.rights) <> (i.digest, i.rights)
"""

# The records themselves, each some kilobytes of JSON, are copied only when they are new, and straight to where they stay.
NEW_RECORDS: Final = f"""
SELECT i.album_id, i.source, GREATEST(i.fetched_at, (
    SELECT max(s.valid_to) FROM source_records s WHERE s.album_id = i.album_id AND s.source = i.source)) AS valid_from,
    {_KNOWN} AS known_from
FROM {SAID.table} i WHERE NOT EXISTS (SELECT FROM source_records s WHERE {_CURRENT})
ORDER BY i.album_id, i.source
"""
RECORD_COLUMNS: Final = (
    "album_id", "source", "rights", "digest", "fetched_at", "record", "match_method", "match_score", "valid_from",
)  # fmt: skip
NEW_RECORD_COLUMNS: Final = (*RECORD_COLUMNS, "known_from")
"""Of a record that may follow another one: it becomes known in the moment in which that one ceases to be."""

# One script is one round trip, and leaves no prepared statement behind that a pooler would lose.
MERGE_KNOWN: Final = ";\n".join(
    (_RENAME_ARTISTS, *(merge(stages) for stages in BY_LAYER.values() for merge in (_merge_albums, _merge_tracks)))
)
"""Albums that were stored before."""
MERGE_ORIGINS: Final = ";\n".join((MERGE_IDENTIFIERS, _MERGE_RECORDS))
"""What services call the albums and said of them; the albums are there."""
