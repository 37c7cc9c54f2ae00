"""A catalogue and playlists out of one file, or playlists of a file laid onto a catalogue that is there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from backend.features.columns import CONTINUOUS
from backend.features.discovery.rows import READS
from backend.features.discovery.songs import song_codes
from backend.features.evaluation.files import Weighed, column, optional, read
from backend.features.evaluation.protocols import Lists
from backend.features.splits.names import artist_key
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import polars as pl

_URI: Final = "spotify:track:"
_TYPES: Final[Mapping[str, pa.DataType]] = {
    **dict.fromkeys(CONTINUOUS, pa.float32()), "release_year": pa.int32(), "popularity": pa.int32(),
    "genres": pa.list_(pa.string()), "moods": pa.list_(pa.string()), "synthetic": pa.bool_(),
    "duration_ms": pa.int32(), "explicit": pa.bool_(), "mood_valence": pa.float32(), "mood_arousal": pa.float32(),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Given:
    """What is evaluated on.

    Attributes:
        table: the catalogue, columns of `rows.READS`, ordered by id.
        lists: playlists of its rows.
        unknown: places of playlists whose track the catalogue lacks.
    """

    table: pa.Table
    lists: Lists
    unknown: int = 0


def is_catalogue(path: Path) -> bool:
    """Whether a file of playlists brings its tracks' features along."""
    names = set(read(path).columns)
    return len(names & set(CONTINUOUS)) >= 3


def from_file(path: Path, tags: Weighed) -> Given:
    """Tracks with audio features and the playlists that they stand in, as in spotify_songs.csv.

    Columns that say what a playlist is (its name, its genre) are not read: a track would carry its own answer.

    Raises:
        InvalidInputError: it cannot be read, or lacks a column.
    """
    table = read(path)
    ids = column(table, "track", path=path)
    playlists = column(table, "playlist", path=path)
    first = {track: i for i, track in reversed(list(enumerate(ids))) if track}
    order = sorted(first)
    rows = [first[track] for track in order]
    made = _tracks(table, rows, tags, path=path)
    place = {track: i for i, track in enumerate(order)}
    pairs = ((name, place[track]) for name, track in zip(playlists, ids, strict=True) if name and track)
    return Given(made, listed(pairs, order))


def onto(path: Path, table: pa.Table) -> Given:
    """Playlists by track id, Spotify id, or artist and title, of a catalogue's tracks.

    Args:
        path: columns playlist, and track id or artist and title.
        table: columns of `rows.READS`; with `spotify_id` these are known, too.

    Raises:
        InvalidInputError: it cannot be read, or names no track.
    """
    table = table.sort_by("id")
    said = read(path)
    playlists = column(said, "playlist", path=path)
    ids = optional(said, "track")
    titles, artists = optional(said, "title"), optional(said, "artist")
    if ids is None and (titles is None or artists is None):
        raise InvalidInputError(f"{path} names no tracks: it needs a column track_id, or artist and title")
    none: list[str | None] = [None] * len(playlists)
    titled = titles is not None and artists is not None
    songs = song_codes(titles or none, artists or none) if titled else np.zeros(len(playlists), np.int64)
    by_id, by_song = _places(table)
    pairs, unknown = [], 0
    for name, track, song in zip(playlists, ids or none, songs.tolist(), strict=True):
        row = by_id.get((track or "").removeprefix(_URI), by_song.get(song) if titled else None)
        if row is None:
            unknown += 1
        elif name:
            pairs.append((name, row))
    return Given(table, listed(pairs, table.column("id").to_pylist()), unknown)


def listed(pairs: Iterable[tuple[str, int]], ids: Sequence[str]) -> Lists:
    """Lists out of pairs of a name and a row."""
    found: dict[str, set[int]] = {}
    for name, row in pairs:
        found.setdefault(name, set()).add(row)
    names = sorted(found)
    return Lists(names, [np.array(sorted(found[name]), np.int64) for name in names], ids)


def _places(table: pa.Table) -> tuple[dict[str, int], dict[int, int]]:
    by_id: dict[str, int] = {}
    if "spotify_id" in table.column_names:
        by_id |= {key: i for i, key in enumerate(table.column("spotify_id").to_pylist()) if key}
    by_id |= {key: i for i, key in enumerate(table.column("id").to_pylist())}
    codes = song_codes(table.column("title").to_pylist(), table.column("artist").to_pylist())
    return by_id, {code: i for i, code in reversed(list(enumerate(codes.tolist())))}


def _tracks(table: pl.DataFrame, rows: list[int], tags: Weighed, *, path: Path) -> pa.Table:
    def take(kind: str) -> list[str | None]:
        values = optional(table, kind)
        return [None] * len(rows) if values is None else [values[i] for i in rows]

    artists = column(table, "artist", path=path)
    by = [artists[i] or "" for i in rows]
    ids = column(table, "track", path=path)
    columns: dict[str, Any] = {
        "id": [ids[i] for i in rows],
        "title": [title or "" for title in take("title")],
        "artist": by,
        "album": take("album"),
        "album_id": take("album_id"),
        "release_year": [_year(date) for date in take("date")],
        "synthetic": [False] * len(rows),
        "genres": [list(tags.get(artist_key(name), {})) for name in by],
        "moods": [[] for _ in rows],
        "popularity": [_whole(value) for value in take("popularity")],
    }
    for field in CONTINUOUS:
        values = table[field].to_list() if field in table.columns else [None] * len(table)
        columns[field] = [_float(values[i]) for i in rows]
    unknown = [None] * len(rows)  # what no such file tells
    return pa.table({name: pa.array(columns.get(name, unknown), _TYPES.get(name, pa.string())) for name in READS})


def _float(text: str | None) -> float | None:
    try:
        return float(text or "")
    except ValueError:
        return None  # "NA" and the like: unknown


def _whole(text: str | None) -> int | None:
    value = _float(text)
    return None if value is None or not np.isfinite(value) else round(value)


def _year(date: str | None) -> int | None:
    year = (date or "")[:4]
    return int(year) if len(year) == 4 and year.isdecimal() and int(year) > 0 else None
