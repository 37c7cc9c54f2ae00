"""Writing albums set by set: COPY into staging tables, then one statement per table that touches only what differs."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date
from typing import Any, Final

import msgspec

from backend.models.ingestion_models import MergedAlbum, MergedTrack, SourceRecord
from backend.repositories.database import Connection

_ARTIST: Final = ("id", "name", "name_key")
_ALBUM: Final = (
    "id", "title", "artist", "artist_id", "title_key", "artist_key", "release_date", "release_precision", "label", "upc",
    "total_tracks", "popularity", "listeners", "aoty_critic_score", "aoty_critic_count", "aoty_user_score",
    "aoty_user_count", "genres", "moods", "ids", "provenance", "synthetic",
)  # fmt: skip
_TRACK: Final = (
    "id", "title", "artist", "album", "genres", "moods", "audio_features", "popularity", "duration_ms", "track_number",
    "release_date", "aoty_score", "explicit", "album_id", "disc_number", "aoty_critic_score", "rating", "listeners", "isrc",
    "spotify_id", "provenance", "synthetic",
)  # fmt: skip
_IDENTIFIER: Final = ("source", "external_id", "album_id")
_RECORD: Final = (
    "album_id", "source", "rights", "record", "digest", "match_method", "match_score", "fetched_at",
)  # fmt: skip

_STAGES: Final = {
    "artists": _ARTIST,
    "albums": _ALBUM,
    "enhanced_tracks": _TRACK,
    "album_identifiers": _IDENTIFIER,
    "source_records": _RECORD,
}


def _stage(table: str, columns: Sequence[str]) -> str:
    # Kept by the pooled connection: making tables for each album would swell the catalogue.
    return (
        f"CREATE TEMP TABLE IF NOT EXISTS stage_{table} ON COMMIT DELETE ROWS AS "
        f"SELECT {', '.join(columns)} FROM {table} WITH NO DATA;"
    )


def _upsert(table: str, columns: Sequence[str], *, stamp: str) -> str:
    rest = [c for c in columns if c != "id"]
    new, old = (", ".join(f"{of}.{c}" for c in rest) for of in ("excluded", table))
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) SELECT {', '.join(columns)} FROM stage_{table} "
        f"ON CONFLICT (id) DO UPDATE SET ({', '.join(rest)}, updated_at) = ROW({new}, {stamp}) "
        f"WHERE ({old}) IS DISTINCT FROM ({new})"
    )


_PREPARE: Final = "".join(_stage(table, columns) for table, columns in _STAGES.items())
_MERGE: Final = (
    "INSERT INTO artists (id, name, name_key) SELECT DISTINCT ON (id) id, name, name_key FROM stage_artists "
    "ORDER BY id, name ON CONFLICT DO NOTHING",
    _upsert("albums", _ALBUM, stamp="now()"),
    "DELETE FROM enhanced_tracks t USING stage_albums a WHERE t.album_id = a.id "
    "AND NOT EXISTS (SELECT FROM stage_enhanced_tracks s WHERE s.id = t.id)",
    _upsert("enhanced_tracks", _TRACK, stamp="now()"),
    "INSERT INTO album_identifiers (source, external_id, album_id) "
    "SELECT DISTINCT ON (source, external_id) source, external_id, album_id FROM stage_album_identifiers "
    "ORDER BY source, external_id, album_id ON CONFLICT DO NOTHING",
    "UPDATE source_records r SET fetched_at = s.fetched_at FROM stage_source_records s "
    "WHERE r.album_id = s.album_id AND r.source = s.source AND r.valid_to IS NULL "
    "AND r.digest = s.digest AND r.fetched_at < s.fetched_at",
    "UPDATE source_records r SET valid_to = s.fetched_at FROM stage_source_records s "
    "WHERE r.album_id = s.album_id AND r.source = s.source AND r.valid_to IS NULL AND r.digest <> s.digest",
    f"INSERT INTO source_records ({', '.join(_RECORD)}, valid_from) "
    f"SELECT {', '.join(f's.{c}' for c in _RECORD)}, s.fetched_at FROM stage_source_records s "
    "WHERE NOT EXISTS (SELECT FROM source_records r WHERE r.album_id = s.album_id AND r.source = s.source "
    "AND r.valid_to IS NULL)",
)
_ANALYZE_FROM: Final = 500  # staged albums from which the planner is told how many there are


async def write(connection: Connection, items: Sequence[tuple[MergedAlbum, Sequence[SourceRecord]]]) -> None:
    """Store albums with their tracks and records; the connection is in a transaction.

    Each album stands in `items` once. Rows that are stored as they are already are not written again.
    """
    await connection.execute(_PREPARE)
    albums = [album for album, _ in items]
    rows: dict[str, list[tuple[Any, ...]]] = {
        "artists": [(a.artist_id, a.artist, a.artist_key) for a in albums],
        "albums": [_album_row(a) for a in albums],
        "enhanced_tracks": [row for a in albums for row in _track_rows(a)],
        "album_identifiers": [(source, key, a.id) for a in albums for source, key in a.ids.items()],
        "source_records": [_record_row(a.id, r) for a, records in items for r in records],
    }
    for table, columns in _STAGES.items():
        if rows[table]:
            await connection.copy_records_to_table(f"stage_{table}", records=rows[table], columns=columns)
    if len(albums) >= _ANALYZE_FROM:
        await connection.execute("".join(f"ANALYZE stage_{table};" for table in _STAGES))
    for statement in _MERGE:
        await connection.execute(statement)


def _album_row(a: MergedAlbum) -> tuple[Any, ...]:
    day, precision = _date(a.release_date)
    return (
        a.id, a.title, a.artist, a.artist_id, a.title_key, a.artist_key, day, precision, a.label, a.upc, len(a.tracks),
        a.popularity, a.listeners, a.aoty_critic_score, a.aoty_critic_count, a.aoty_user_score, a.aoty_user_count,
        a.genres, a.moods, _json(a.ids), _json(a.provenance), a.synthetic,
    )  # fmt: skip


def _track_rows(a: MergedAlbum) -> list[tuple[Any, ...]]:
    day, _ = _date(a.release_date)
    # What the album's fields are from holds for its tracks' copies of them too.
    shared = {
        ours: a.provenance[theirs]
        for ours, theirs in (
            ("release_date", "release_date"), ("aoty_score", "aoty_user_score"), ("aoty_critic_score", "aoty_critic_score"),
        )
        if theirs in a.provenance
    }  # fmt: skip
    return [_track_row(a, t, day=day, shared=shared) for t in a.tracks]


def _track_row(a: MergedAlbum, t: MergedTrack, *, day: date | None, shared: dict[str, str]) -> tuple[Any, ...]:
    return (
        t.id, t.title, t.artist, t.album, t.genres, t.moods, _json(t.audio_features) if t.audio_features else None,
        t.popularity, t.duration_ms, t.track_number, day, a.aoty_user_score, t.explicit, a.id, t.disc_number,
        a.aoty_critic_score, t.rating, t.listeners, t.isrc, t.spotify_id, _json(dict(sorted({**shared, **t.provenance}.items()))),
        a.synthetic,
    )  # fmt: skip


def _record_row(album_id: str, r: SourceRecord) -> tuple[Any, ...]:
    encoded = _json(r.album)
    digest = hashlib.blake2b(encoded.encode(), digest_size=16).hexdigest()
    return (
        album_id, r.source, r.rights.value, encoded, digest, r.album.match_method, r.album.match_score, r.fetched_at,
    )  # fmt: skip


def _json(value: object) -> str:
    encoded = msgspec.json.encode(value)
    if b"\\u0000" in encoded:
        # PostgreSQL's jsonb holds no NUL.
        encoded = msgspec.json.encode(_without_nul(msgspec.to_builtins(value)))
    return encoded.decode()


def _without_nul(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("\0", "")
    if isinstance(value, dict):
        return {_without_nul(k): _without_nul(v) for k, v in value.items()}
    return [_without_nul(v) for v in value] if isinstance(value, list | tuple) else value


def _date(text: str | None) -> tuple[date | None, str | None]:
    """A date of day, month or year precision as its first day and the precision."""
    if text is None:
        return None, None
    parts = [int(part) for part in text.split("-")]
    return date(parts[0], *[*parts[1:], 1, 1][:2]), ("year", "month", "day")[len(parts) - 1]
