"""A table's albums as records, written at once: the same bytes that `AlbumRecord`s give, a tenth of the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import msgspec

from backend.ingestion.tables.reading import PART
from backend.models.ingestion_models import AUDIO_FEATURES, AlbumRecord, Level
from backend.utils.identifiers import derive

if TYPE_CHECKING:
    import polars as pl

TABLE_VERSION: Final = "rows-1"
"""Of what makes records of rows; stored with every one."""
TRACK_COLUMNS: Final = (
    "title", "artists", "disc_number", "track_number", "duration_ms", "explicit", "popularity", "listeners", "isrc", "tags",
    "track_id", "track_mbid",
)  # fmt: skip
_ALBUM_COLUMNS: Final = (
    "title", "artist", "release_date", "label", "upc", "album_id", "album_mbid", "single", "tracks", "artist_key", "title_key",
    "line",
)  # fmt: skip
_NONE: Final[dict[str, Any]] = {}


class _Tag(msgspec.Struct, frozen=True):
    name: str
    weight: float
    level: Level


class _Track(msgspec.Struct):
    """`TrackRecord`, field by field in its order."""

    title: str
    artists: tuple[str, ...]
    disc_number: int
    track_number: int | None
    duration_ms: int | None
    explicit: bool | None
    popularity: int | None
    listeners: int | None
    rating: float | None
    isrc: str | None
    audio_features: dict[str, float]
    raw_features: dict[str, float]
    tags: tuple[_Tag, ...]
    ids: dict[str, str]


class _Album(msgspec.Struct):
    """`AlbumRecord`, likewise."""

    title: str
    artist: str
    release_date: str | None
    label: str | None
    upc: str | None
    popularity: int | None
    listeners: int | None
    critic_score: float | None
    critic_count: int | None
    user_score: float | None
    user_count: int | None
    tags: tuple[_Tag, ...]
    tracks: list[_Track]
    ids: dict[str, str]
    artist_ids: dict[str, str]
    url: str | None
    match_method: str
    match_score: float
    match_penalties: dict[str, float]
    parser: str


# As `repositories.records` writes them: keys in order, which is how all mappings here are made.
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(AlbumRecord)


@dataclass(frozen=True, slots=True)
class Album:
    """An album of a table.

    Attributes:
        title: its title; artist and the folded names likewise.
        ids: what services call it.
        release_date: as precise as known.
        label: who released it.
        upc: its barcode.
        line: where the table speaks of it first.
        tracks: how many tracks the table has of it.
        written: its record as JSON.
        usual_id: the id that it has unless another one of the same names has it.
        artist_id: its artist's.
        method: how it was found: "table", or "single" for one made of a track that says no album.
    """

    title: str
    artist: str
    artist_key: str
    title_key: str
    ids: dict[str, str]
    release_date: str | None
    label: str | None
    upc: str | None
    line: int
    tracks: int
    written: bytes
    usual_id: str
    artist_id: str
    method: str = "table"

    @property
    def record(self) -> AlbumRecord:
        """The record."""
        return _DECODER.decode(self.written)


def features_in(tracks: pl.DataFrame) -> list[str]:
    """The audio features that any row of a table has, in the order of the alphabet."""
    return [name for name in sorted(AUDIO_FEATURES) if tracks.get_column(name).null_count() < tracks.height]


def albums(table: pl.DataFrame, tracks: pl.DataFrame, *, of_tracks: bool) -> Iterator[Album]:
    """The albums of a part of a table, in its order.

    Args:
        table: its albums.
        tracks: their tracks in the same order.
        of_tracks: whether rows are tracks; else tags are the album's and there are no tracks.
    """
    rows = _tracks(tracks) if of_tracks else iter(())
    tags = iter(() if of_tracks else tracks.get_column("tags").to_list())
    for cells in table.select(_ALBUM_COLUMNS).iter_rows():
        title, artist, date, label, upc, album_id, album_mbid, single, size, artist_key, title_key, line = cells
        ids = {name: key for name, key in (("musicbrainz", album_mbid), ("spotify", album_id)) if key}
        method = "single" if single else "table"
        written = _ENCODER.encode(
            _Album(
                title, artist, date, label, upc, None, None, None, None, None, None,
                () if of_tracks else _tags(next(tags), "album"), [next(rows) for _ in range(size)] if of_tracks else [], ids,
                _NONE, None, method, 1.0, _NONE, TABLE_VERSION,
            )
        )  # fmt: skip
        own = derive("album", artist_key, title_key), derive("artist", artist_key)
        yield Album(
            title, artist, artist_key, title_key, ids, date, label, upc, line, size if of_tracks else 0, written, *own, method
        )  # fmt: skip


def _tracks(tracks: pl.DataFrame) -> Iterator[_Track]:
    names = features_in(tracks)
    heard = zip(*(tracks.get_column(name).to_list() for name in names), strict=True) if names else ((),) * tracks.height
    said = zip(*(tracks.get_column(name).to_list() for name in TRACK_COLUMNS), strict=True)
    whole = all(tracks.get_column(name).null_count() == 0 for name in names)
    known: dict[str | None, tuple[_Tag, ...]] = {}
    for row, values in zip(said, heard, strict=True):
        title, artists, disc, number, duration, explicit, popularity, listeners, isrc, tags, track_id, mbid = row
        if tags not in known:
            known[tags] = _tags(tags, "track")
        features = (
            dict(zip(names, values, strict=True))
            if whole
            else {n: v for n, v in zip(names, values, strict=True) if v is not None}
        )
        ids = {"spotify": track_id} if track_id else {}
        if mbid:
            ids = {"musicbrainz": mbid, **ids}
        yield _Track(
            title, tuple(artists.split(PART)) if artists else (), disc or 1, number, duration, explicit, popularity, listeners,
            None, isrc, features, _NONE, known[tags], ids,
        )  # fmt: skip


def _tags(tags: str | None, level: Level) -> tuple[_Tag, ...]:
    return tuple(_Tag(name, 1.0, level) for name in tags.split(PART)) if tags else ()
