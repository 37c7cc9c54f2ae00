"""The write path in SQL: rows are copied into temporary tables, then merged, and what has not changed is left alone."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from typing import Final


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


ARTISTS: Final = _stage("artists", "id text, name text, name_key text, ids jsonb")
ALBUMS: Final = _stage(
    "albums",
    """id text, title text, artist text, title_key text, artist_key text, release_date date, release_precision text,
    label text, upc text, total_tracks integer, popularity integer, listeners integer, aoty_critic_score real,
    aoty_critic_count integer, aoty_user_score real, aoty_user_count integer, genres text[], moods text[], ids jsonb,
    provenance jsonb, synthetic boolean""",
)
TRACKS: Final = _stage(
    "tracks",
    """id text, title text, artist text, album text, genres text[], moods text[], audio_features jsonb,
    popularity integer, duration_ms integer, track_number integer, release_date date, aoty_score real,
    explicit boolean, album_id text, disc_number smallint, aoty_critic_score real, rating real, listeners integer,
    isrc text, spotify_id text, provenance jsonb, synthetic boolean""",
)
IDENTIFIERS: Final = _stage("identifiers", "source text, external_id text, album_id text")
SAID: Final = _stage(
    "said",
    "album_id text, source text, rights text, digest text, fetched_at timestamptz",
)
STAGES: Final = (ARTISTS, ALBUMS, TRACKS, IDENTIFIERS, SAID)

DEFINE: Final = ";\n".join(stage.definition for stage in STAGES)


def _update(target: str, *, columns: list[str], rows: str) -> str:
    """Update the rows that say something else; equal ones are not touched."""
    own = [c for c in columns if c != "id"]
    stored, given = ", ".join(f"t.{c}" for c in own), ", ".join(f"i.{c}" for c in own)
    return f"""UPDATE {target} t SET {", ".join(f"{c} = i.{c}" for c in own)}, updated_at = now()
    FROM {rows} i WHERE t.id = i.id AND ({stored}) IS DISTINCT FROM ({given})"""


def _insert(target: str, *, columns: list[str], rows: str) -> str:
    """Insert the rows that are not there.

    Not ON CONFLICT: it would lock, and so write to, each row that is there, and costs a third more for those that are not.
    Nobody else inserts the same albums meanwhile: all writers hold locks.
    """
    listed = ", ".join(columns)
    return f"""INSERT INTO {target} ({listed}) SELECT {", ".join(f"i.{c}" for c in columns)} FROM {rows} i
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

# It follows an album that gave this spelling and now has another, so that two albums with two spellings don't take turns.
_RENAME_ARTISTS: Final = f"""
UPDATE artists r SET name = n.artist
    FROM (SELECT DISTINCT ON (o.artist_id) o.artist_id, o.artist AS before, i.artist
          FROM {ALBUMS.table} i JOIN albums o ON o.id = i.id
          WHERE o.artist <> i.artist AND o.artist_key = i.artist_key ORDER BY o.artist_id, i.id) n
    WHERE r.id = n.artist_id AND r.name = n.before
"""

_ALBUM_ROWS: Final = (
    f"(SELECT s.*, r.id AS artist_id FROM {ALBUMS.table} s JOIN artists r ON r.name_key = s.artist_key)"
)
ALBUM_COLUMNS: Final = [*ALBUMS.names, "artist_id"]
_MERGE_ALBUMS: Final = _update("albums", columns=ALBUM_COLUMNS, rows=_ALBUM_ROWS)

# An album's `updated_at` moves with its tracks, so that it alone tells whether anything changed.
_MERGE_TRACKS: Final = f"""
WITH removed AS (
    DELETE FROM enhanced_tracks t USING {ALBUMS.table} a
    WHERE t.album_id = a.id AND NOT EXISTS (SELECT FROM {TRACKS.table} i WHERE i.id = t.id) RETURNING t.album_id
), changed AS (
    {_update("enhanced_tracks", columns=TRACKS.names, rows=TRACKS.table)} RETURNING t.album_id
), added AS (
    SELECT i.album_id FROM {TRACKS.table} i WHERE NOT EXISTS (SELECT FROM enhanced_tracks o WHERE o.id = i.id)
)
UPDATE albums a SET updated_at = now()
FROM (SELECT album_id FROM removed UNION SELECT album_id FROM changed UNION SELECT album_id FROM added) c
WHERE a.id = c.album_id AND a.updated_at < now();
{_insert("enhanced_tracks", columns=TRACKS.names, rows=TRACKS.table)}
"""

_MERGE_IDENTIFIERS: Final = f"""
INSERT INTO album_identifiers (source, external_id, album_id)
    SELECT i.source, i.external_id, i.album_id FROM {IDENTIFIERS.table} i
    WHERE NOT EXISTS (SELECT FROM album_identifiers o WHERE (o.source, o.external_id) = (i.source, i.external_id))
    ORDER BY i.source, i.external_id ON CONFLICT DO NOTHING
"""

_CURRENT: Final = "s.album_id = i.album_id AND s.source = i.source AND s.valid_to IS NULL"
_MERGE_RECORDS: Final = f"""
UPDATE source_records s SET fetched_at = i.fetched_at FROM {SAID.table} i
    WHERE {_CURRENT} AND s.digest = i.digest AND s.rights = i.rights AND s.fetched_at < i.fetched_at;
UPDATE source_records s SET valid_to = GREATEST(i.fetched_at, s.valid_from) FROM {SAID.table} i
    WHERE {_CURRENT} AND (s.digest, s.rights) <> (i.digest, i.rights)
"""

# The records themselves, each some kilobytes of JSON, are copied only when they are new, and straight to where they stay.
NEW_RECORDS: Final = f"""
SELECT i.album_id, i.source, GREATEST(i.fetched_at, (
    SELECT max(s.valid_to) FROM source_records s WHERE s.album_id = i.album_id AND s.source = i.source)) AS valid_from
FROM {SAID.table} i WHERE NOT EXISTS (SELECT FROM source_records s WHERE {_CURRENT})
ORDER BY i.album_id, i.source
"""
RECORD_COLUMNS: Final = (
    "album_id", "source", "rights", "digest", "fetched_at", "record", "match_method", "match_score", "valid_from",
)  # fmt: skip

# One script is one round trip, and leaves no prepared statement behind that a pooler would lose.
MERGE_KNOWN: Final = ";\n".join((_RENAME_ARTISTS, _MERGE_ALBUMS, _MERGE_TRACKS))
"""Albums that were stored before."""
MERGE_ORIGINS: Final = ";\n".join((_MERGE_IDENTIFIERS, _MERGE_RECORDS))
"""What services call the albums and said of them; the albums are there."""
