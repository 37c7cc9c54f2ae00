"""Merged albums as rows: what goes into the tables by COPY. Pure."""

from __future__ import annotations

import calendar
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final

import orjson

from backend.models.ingestion_models import MergedAlbum, MergedTrack, RightsLevel, SourceRecord
from backend.repositories import records as kept
from backend.repositories.staging import ALBUM_COLUMNS, NEW_TRACK_COLUMNS

Row = tuple[Any, ...]
_ARTIST_KEY: Final = ALBUM_COLUMNS.index("artist_key")
_ARTIST_ID: Final = ALBUM_COLUMNS.index("artist_id")
_ALBUM_OF_TRACK: Final = NEW_TRACK_COLUMNS.index("album_id")

_DATE: Final = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d))?)?")
_SMALLINT: Final = 32_767
_INTEGER: Final = 2_147_483_647
_TINIEST, _GREATEST = 1.2e-38, 3.4e38  # of REAL's normal numbers
# What a track has from its album, and under which name the album's provenance has it.
_INHERITED: Final = {
    "album": "title",
    "release_date": "release_date",
    "aoty_score": "aoty_user_score",
    "aoty_critic_score": "aoty_critic_score",
}


@dataclass(slots=True)
class LevelRows:
    """Albums and their tracks at one level of rights."""

    albums: list[Row] = field(default_factory=list)
    tracks: list[Row] = field(default_factory=list)

    def only(self, albums: Collection[str]) -> LevelRows:
        """The rows of these albums."""
        return LevelRows(
            [row for row in self.albums if row[0] in albums],
            [row for row in self.tracks if row[_ALBUM_OF_TRACK] in albums],
        )

    def without(self, albums: Collection[str]) -> LevelRows:
        """The rows of all other albums; each track is alone of its recording, its own id being the recording's."""
        return LevelRows(
            [row for row in self.albums if row[0] not in albums],
            [(*row, row[0]) for row in self.tracks if row[_ALBUM_OF_TRACK] not in albums],
        )


@dataclass(slots=True)
class Rows:
    """Rows of several albums, columns as `staging` names them."""

    artists: list[Row] = field(default_factory=list)
    levels: dict[RightsLevel, LevelRows] = field(default_factory=lambda: {level: LevelRows() for level in RightsLevel})
    identifiers: list[Row] = field(default_factory=list)
    said: list[Row] = field(default_factory=list)
    """Who said something of which album, and when."""
    records: dict[tuple[str, str], Row] = field(default_factory=dict)
    """By album and source: what was said."""
    given: int = 0
    """How many albums these are the rows of, repeated ones counted."""

    @classmethod
    def of(cls, items: Iterable[tuple[Mapping[RightsLevel, MergedAlbum], Sequence[SourceRecord]]]) -> Rows:
        """The rows of albums; of an album that comes twice the last is taken."""
        rows = cls()
        last = {}
        for levels, said in items:
            rows.given += 1
            last[levels[RightsLevel.ANY].id] = levels, said
        for levels, said in last.values():
            rows._add(levels, said)
        return rows

    @property
    def albums(self) -> list[str]:
        """The albums' ids."""
        return [row[0] for row in self.levels[RightsLevel.ANY].albums]

    @property
    def artist_keys(self) -> list[str]:
        """The folded names of their artists."""
        return [row[2] for row in self.artists]

    def name_artists(self, ids: Mapping[str, str]) -> None:
        """Give the albums the ids that their artists are stored under, by folded name."""
        rows = self.levels[RightsLevel.ANY]
        rows.albums = [
            (*row[:_ARTIST_ID], ids[row[_ARTIST_KEY]], *row[_ARTIST_ID + 1 :]) if row[_ARTIST_KEY] in ids else row
            for row in rows.albums
        ]

    def _add(self, levels: Mapping[RightsLevel, MergedAlbum], said: Sequence[SourceRecord]) -> None:
        clean: dict[int, MergedAlbum] = {}  # levels at which nothing is withheld share one album
        for level, album in levels.items():
            tidy = clean[id(album)] = clean.get(id(album)) or kept.encode(album)[0]
            day, precision = parse_date(tidy.release_date)
            self.levels[level].albums.append(_album(tidy, day, precision))
            self.levels[level].tracks.extend(_tracks(tidy, day))
        whole = clean[id(levels[RightsLevel.ANY])]
        self.identifiers.extend((source, name, whole.id) for source, name in whole.ids.items() if name)
        artist_ids: dict[str, str] = {}
        for record in said:
            spoken, written = kept.encode(record.album)
            artist_ids |= spoken.artist_ids
            origin = (whole.id, record.source, record.rights.value, kept.digest(written), record.fetched_at)
            self.said.append(origin)
            self.records[whole.id, record.source] = (written.decode(), spoken.match_method, spoken.match_score)
        self.artists.append((whole.artist_id, whole.artist, whole.artist_key, _json(artist_ids)))

    def new_records(self, new: Sequence[tuple[str, str, datetime, datetime]]) -> list[Row]:
        """The records of these albums and sources, each with the times from which it holds and is known."""
        said = {row[:2]: row for row in self.said}
        return [(*said[key[:2]], *self.records[key[:2]], *key[2:]) for key in new]


def parse_date(text: str | None) -> tuple[date | None, str | None]:
    """The first day that an ISO date of any precision may mean, and its precision; None for what is no date.

    >>> parse_date("1969-09"), parse_date("0000"), parse_date("2021-02-30")
    ((datetime.date(1969, 9, 1), 'month'), (None, None), (datetime.date(2021, 2, 1), 'month'))
    """
    match = _DATE.fullmatch(text) if text else None
    if match is None or int(match[1]) == 0:
        return None, None
    year, month, day = int(match[1]), int(match[2] or 0), int(match[3] or 0)
    if not 1 <= month <= 12:
        return date(year, 1, 1), "year"
    if not 1 <= day <= calendar.monthrange(year, month)[1]:
        return date(year, month, 1), "month"
    return date(year, month, day), "day"


def _album(album: MergedAlbum, day: date | None, precision: str | None) -> Row:
    return (
        album.id,
        album.title,
        album.artist,
        album.title_key,
        album.artist_key,
        album.artist_id,
        day,
        precision,
        album.label,
        album.upc,
        len(album.tracks),
        album.popularity,
        album.listeners,
        album.aoty_critic_score,
        album.aoty_critic_count,
        album.aoty_user_score,
        album.aoty_user_count,
        album.genres,
        album.moods,
        _json(album.ids),
        _json(album.provenance),
        album.synthetic,
    )


def _tracks(album: MergedAlbum, day: date | None) -> Iterator[Row]:
    inherited = {own: album.provenance[theirs] for own, theirs in _INHERITED.items() if theirs in album.provenance}
    for track in album.tracks:
        yield (
            track.id,
            track.title,
            track.artist,
            track.album,
            track.genres,
            track.moods,
            _features(track.audio_features),
            track.popularity,
            track.duration_ms,
            _bounded(track.track_number, _INTEGER),
            day,
            album.aoty_user_score,
            track.explicit,
            album.id,
            _bounded(track.disc_number, _SMALLINT),
            album.aoty_critic_score,
            track.rating,
            track.listeners,
            track.isrc,
            track.spotify_id,
            track.recording_mbid,
            track.recording_key or None,
            _json(track.tag_weights),
            track.mood_valence,
            track.mood_arousal,
            _json(track.estimates),
            _json(_provenance(track, album, inherited)),
            album.synthetic,
        )


def _provenance(track: MergedTrack, album: MergedAlbum, inherited: dict[str, str]) -> dict[str, str]:
    """Who gave each field of the row, the fields it has from its album included."""
    whose = {**inherited, **track.provenance}
    artist = album.provenance.get("artist") if track.artist == album.artist else track.provenance.get("title")
    if artist is not None:
        whose.setdefault("artist", artist)
    return whose


def _features(features: dict[str, float]) -> str | None:
    """Features as JSON, in the range of the REAL columns that PostgreSQL computes from them; None when none is known."""
    if not features:
        return None
    sizes = sorted(map(abs, filter(None, features.values())))
    if not sizes or (sizes[0] >= _TINIEST and sizes[-1] <= _GREATEST):
        return _json(features)
    near = {
        name: 0.0 if abs(value) < _TINIEST else value for name, value in features.items() if abs(value) <= _GREATEST
    }
    return _json(near)


def _bounded(number: int | None, most: int) -> int | None:
    # Unlike counts and durations these come as sources give them; a number beyond the column's type is none.
    return number if number is None or 0 <= number <= most else None


def _json(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode() if value else "{}"
