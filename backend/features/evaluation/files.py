"""Tables of playlists, of plays and of artists' tags, as they are shared: CSV with a line of names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, TypeAlias

from backend.features.splits.names import artist_key
from backend.utils.errors import InvalidInputError

if TYPE_CHECKING:
    import polars as pl

TAGS_PER_ARTIST: Final = 10

_NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "playlist": ("playlist_id", "playlist", "playlist_name", "pid"),
    "track": ("track_id", "spotify_id", "id", "track_uri"),
    "title": ("track_name", "title", "track", "name"),
    "artist": ("track_artist", "artist", "artist_name", "artistname"),
    "album": ("track_album_name", "album", "album_name"),
    "album_id": ("track_album_id", "album_id"),
    "date": ("track_album_release_date", "release_date", "year", "release_year"),
    "popularity": ("track_popularity", "popularity"),
    "listener": ("userid", "user_id", "user", "listener", "username"),
    "plays": ("plays", "count", "weight", "playcount"),
    "tag": ("tag", "genre"),
    "count": ("count", "weight"),
}
"""What columns may be called, any case."""

Weighed: TypeAlias = Mapping[str, Mapping[str, float]]
"""By artist's key, by tag, how often it was given."""


@dataclass(frozen=True, slots=True)
class Play:
    """How often a listener played an artist."""

    listener: str
    artist: str
    plays: float


def read(path: Path) -> pl.DataFrame:
    """A table as text.

    Raises:
        InvalidInputError: it cannot be read, or is none.
    """
    import polars as pl  # late: `tensoe --help` need not load it

    try:
        table = pl.read_csv(path, infer_schema=False)
    except OSError as problem:
        raise InvalidInputError(f"{path} cannot be read: {problem.strerror or problem}") from problem
    except pl.exceptions.PolarsError as problem:
        raise InvalidInputError(f"{path} is no CSV table with a line of names: {problem}") from problem
    return table.rename({name: name.strip().lower() for name in table.columns})


def column(table: pl.DataFrame, kind: str, *, path: Path) -> Sequence[str | None]:
    """A column under any of its names.

    Raises:
        InvalidInputError: there is none.
    """
    found = optional(table, kind)
    if found is None:
        raise InvalidInputError(f"{path} has no column for the {kind}; it may be called {', '.join(_NAMES[kind])}")
    return found


def optional(table: pl.DataFrame, kind: str) -> Sequence[str | None] | None:
    """A column under any of its names; None where there is none."""
    for name in _NAMES[kind]:
        if name in table.columns:
            values: list[str | None] = table[name].to_list()
            return values
    return None


def read_tags(path: Path | None) -> Weighed:
    """Artists' tags: columns artist, tag and, if it is said, count. None: no tags.

    Raises:
        InvalidInputError: it cannot be read, or lacks a column.
    """
    found: dict[str, dict[str, float]] = {}
    if path is None:
        return found
    table = read(path)
    said = optional(table, "count") or [None] * len(table)
    for artist, tag, count in zip(
        column(table, "artist", path=path), column(table, "tag", path=path), said, strict=True
    ):
        key = artist_key(artist or "")
        if key and tag:
            of = found.setdefault(key, {})
            of[tag.casefold()] = max(of.get(tag.casefold(), 0.0), _number(count, 1.0, path=path))
    return {
        key: dict(sorted(of.items(), key=lambda pair: (-pair[1], pair[0]))[:TAGS_PER_ARTIST])
        for key, of in found.items()
    }


def read_plays(path: Path) -> list[Play]:
    """Who played whom: columns listener, artist and, if it is said, plays.

    Raises:
        InvalidInputError: it cannot be read, or lacks a column.
    """
    table = read(path)
    said = optional(table, "plays") or [None] * len(table)
    rows = zip(column(table, "listener", path=path), column(table, "artist", path=path), said, strict=True)
    return [
        Play(listener, artist, _number(plays, 1.0, path=path))
        for listener, artist, plays in rows
        if listener and artist
    ]


def _number(text: str | None, default: float, *, path: Path) -> float:
    if text is None or not text.strip():
        return default
    try:
        return float(text)
    except ValueError:
        raise InvalidInputError(f"{path}: {text[:40]!r} is no number of plays or of tags") from None
