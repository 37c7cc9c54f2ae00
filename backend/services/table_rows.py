"""Rows of albums that one table alone speaks of, made in columns: those that `merge_levels` and `Rows` give, much faster.

Where one source says something there is nothing to choose: every value is taken as it is, and provenance is one name.
`tests/integration/test_table_rows.py` holds both ways against each other.
"""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

import orjson

from backend.ingestion.alignment import recording_key, title_key
from backend.ingestion.policy import MergePolicy
from backend.ingestion.said import Said
from backend.ingestion.source import SourceProfile
from backend.ingestion.tables.reading import PART
from backend.ingestion.tables.records import Album, features_in
from backend.ingestion.tag_sorter import Sorted, TagSorter
from backend.models.ingestion_models import AlbumRecord, RightsLevel, Tag, TrackRecord
from backend.repositories import records as kept
from backend.repositories.album_rows import parse_date
from backend.repositories.staging import ALBUM_COLUMNS, NEW_TRACK_COLUMNS, RECORD_COLUMNS
from backend.repositories.table_store import NewRows
from backend.utils.identifiers import derive
from backend.utils.text import fold_name

if TYPE_CHECKING:
    import polars as pl

_RENAMED: Final = {"artists": "artist", "track_id": "spotify_id", "track_mbid": "recording_mbid"}
# Fields of a track that a table may leave unsaid, as the columns that provenance names.
_OPTIONAL: Final = ("artists", "duration_ms", "explicit", "popularity", "listeners", "isrc", "track_id", "track_mbid")


@dataclass(frozen=True, slots=True)
class _Sorted:
    """An album's or a track's tags as they are written."""

    genres: str
    moods: str
    weights: str
    valence: float | None
    arousal: float | None

    @classmethod
    def of(cls, found: Sorted) -> _Sorted:
        weights = orjson.dumps(found.weights).decode() if found.weights else "{}"
        return cls(_array(found.genres), _array(found.moods), weights, found.valence, found.arousal)


@dataclass(slots=True)
class RowMaker:
    """Makes rows of one source's albums.

    Attributes:
        profile: of the source.
        policy: says how many tags are kept.
        fetched_at: when the table was taken in.
    """

    profile: SourceProfile
    policy: MergePolicy
    fetched_at: datetime
    _folded: dict[str, frozenset[str]] = field(default_factory=dict)
    _of_tracks: dict[tuple[str | None, frozenset[str]], _Sorted] = field(default_factory=dict)
    _of_albums: dict[tuple[Any, ...], _Sorted] = field(default_factory=dict)
    _titles: dict[str, str] = field(default_factory=dict)
    _whose: dict[tuple[int, bool, bool, bool], str] = field(default_factory=dict)
    _dates: dict[str | None, tuple[str | None, str | None]] = field(default_factory=dict)

    def levels(self) -> tuple[RightsLevel, ...]:
        """The levels at which a source with these rights is shown."""
        return tuple(level for level in RightsLevel if level.permits(self.profile.rights))

    def rows(self, albums: Sequence[Album], ids: Sequence[str], tracks: pl.DataFrame) -> NewRows:
        """The rows of albums that are not stored yet.

        Args:
            albums: that a table speaks of.
            ids: theirs, one each.
            tracks: theirs, in the same order; `tags` of rows that are albums are the album's.
        """
        of_tracks = any(album.tracks for album in albums)
        sizes = [album.tracks for album in albums]
        tags = tracks.get_column("tags").to_list()
        track_tags = self._tracks_tags(albums, tags) if of_tracks else []
        if of_tracks:
            album_tags, at = [], 0
            for album, size in zip(albums, sizes, strict=True):
                album_tags.append(self._album_tags(album, tags[at : at + size]))
                at += size
        else:
            album_tags = [self._own_tags(album, said) for album, said in zip(albums, tags, strict=True)]
        identifiers = [(s, key, id_) for album, id_ in zip(albums, ids, strict=True) for s, key in album.ids.items()]
        return NewRows(
            ids=list(ids),
            levels=self.levels(),
            artists=[(a.artist_id, a.artist, a.artist_key, "{}") for a in albums],
            albums=self._albums(albums, ids, album_tags),
            tracks=self._tracks(albums, ids, tracks, track_tags) if of_tracks else b"",
            identifiers=identifiers,
            records=self._records(albums, ids),
        )

    # -- tags --------------------------------------------------------------------------------------

    def _tracks_tags(self, albums: Sequence[Album], tags: Sequence[str | None]) -> list[_Sorted]:
        found, given = [], iter(tags)
        for album in albums:
            for _ in range(album.tracks):
                said = next(given)
                own = self._own(album, said)
                known = self._of_tracks.get((said, own))
                if known is None:
                    track = TrackRecord(title="", tags=_tags(said, "track"))
                    known = _Sorted.of(self._sorter(album, (track,)).track({self.profile.name: track}))
                    self._of_tracks[said, own] = known
                found.append(known)
        return found

    def _album_tags(self, album: Album, tags: Sequence[str | None]) -> _Sorted:
        one = tags[0] if len(set(tags)) == 1 else None
        own = self._own(album, one) if one else frozenset[str]().union(*(self._own(album, s) for s in set(tags)))
        key = (own, *sorted(said or "" for said in tags))
        if key not in self._of_albums:
            tracks = tuple(TrackRecord(title="", tags=_tags(said, "track")) for said in tags)
            self._of_albums[key] = _Sorted.of(self._sorter(album, tracks).album())
        return self._of_albums[key]

    def _own_tags(self, album: Album, said: str | None) -> _Sorted:
        key = (self._own(album, said), "", said)
        if key not in self._of_albums:
            self._of_albums[key] = _Sorted.of(self._sorter(album, (), _tags(said, "album")).album())
        return self._of_albums[key]

    def _own(self, album: Album, said: str | None) -> frozenset[str]:
        """The tags among these that are the artist's or the album's name, and so no tag."""
        if said is None:
            return frozenset()
        if said not in self._folded:
            self._folded[said] = frozenset(map(fold_name, said.split(PART)))
        return self._folded[said].intersection((album.artist_key, album.title_key))

    def _sorter(self, album: Album, tracks: tuple[TrackRecord, ...], tags: tuple[Tag, ...] = ()) -> TagSorter:
        record = AlbumRecord(title=album.title, artist=album.artist, tracks=tracks, tags=tags)
        said = Said(self.profile.name, record, self.profile, self.policy)
        most = self.policy
        return TagSorter(
            [said], artist=album.artist, album=album.title, max_genres=most.max_genres, max_moods=most.max_moods
        )

    # -- rows --------------------------------------------------------------------------------------

    def _date(self, album: Album) -> tuple[str | None, str | None]:
        if album.release_date not in self._dates:
            day, precision = parse_date(album.release_date)
            self._dates[album.release_date] = (None if day is None else day.isoformat(), precision)
        return self._dates[album.release_date]

    def _albums(self, albums: Sequence[Album], ids: Sequence[str], tags: Sequence[_Sorted]) -> bytes:
        import polars as pl

        name = self.profile.name
        columns: dict[str, Any] = {
            "id": ids,
            "title": [a.title for a in albums],
            "artist": [a.artist for a in albums],
            "title_key": [a.title_key for a in albums],
            "artist_key": [a.artist_key for a in albums],
            "artist_id": [a.artist_id for a in albums],
            "release_date": [self._date(a)[0] for a in albums],
            "release_precision": [self._date(a)[1] for a in albums],
            "label": [a.label for a in albums],
            "upc": [a.upc for a in albums],
            "total_tracks": [a.tracks for a in albums],
            "genres": [t.genres for t in tags],
            "moods": [t.moods for t in tags],
            "ids": [orjson.dumps(a.ids).decode() for a in albums],
            "provenance": [_album_provenance(a, t, name) for a, t in zip(albums, tags, strict=True)],
        }
        strings = {k: pl.Series(v, dtype=pl.Int64 if k == "total_tracks" else pl.String) for k, v in columns.items()}
        return written(pl.DataFrame(strings).with_columns(synthetic=pl.lit(value=False)), ALBUM_COLUMNS)

    def _tracks(
        self, albums: Sequence[Album], ids: Sequence[str], tracks: pl.DataFrame, tags: Sequence[_Sorted]
    ) -> bytes:
        import polars as pl

        sizes = pl.Series([a.tracks for a in albums], dtype=pl.UInt32)
        owner = pl.select(pl.int_range(0, len(albums)).repeat_by(sizes).explode()).to_series()
        of_album = pl.DataFrame(
            {
                "album_id": pl.Series(ids, dtype=pl.String),
                "album": pl.Series([a.title for a in albums], dtype=pl.String),
                "_artist": pl.Series([a.artist for a in albums], dtype=pl.String),
                "release_date": pl.Series([self._date(a)[0] for a in albums], dtype=pl.String),
            }
        )[owner]
        names = features_in(tracks)
        mask = sum(
            (pl.col(c).is_not_null().cast(pl.UInt32) * 2**bit for bit, c in enumerate((*_OPTIONAL, *names))), pl.lit(0)
        )
        places = pl.int_range(1, pl.len() + 1).over(owner)
        frame = tracks.select(
            "title", "duration_ms", "explicit", "popularity", "listeners", "isrc", mask.alias("_mask"),
            pl.col("artists").str.replace_all(PART, ", ", literal=True).alias("artist"),
            pl.coalesce("track_number", places).alias("track_number"), pl.col("disc_number").fill_null(1),
            pl.col("track_id").alias("spotify_id"), pl.col("track_mbid").alias("recording_mbid"), _features(names),
        ).with_columns(*of_album.get_columns()).with_columns(artist=pl.coalesce("artist", "_artist"))  # fmt: skip
        track_ids, keys = self._keys(ids, sizes.to_list(), frame)
        masks = frame.get_column("_mask").to_list()
        dated = [a.release_date is not None for a in albums for _ in range(a.tracks)]
        whose = [
            self._provenance(m, names, (d, t.genres != "{}", t.moods != "{}"))
            for m, d, t in zip(masks, dated, tags, strict=True)
        ]
        text = {
            "id": track_ids, "recording_id": track_ids, "recording_key": keys, "provenance": whose,
            "genres": [t.genres for t in tags], "moods": [t.moods for t in tags], "tag_weights": [t.weights for t in tags],
        }  # fmt: skip
        frame = frame.with_columns(
            *(pl.Series(k, v, dtype=pl.String) for k, v in text.items()),
            pl.Series("mood_valence", [t.valence for t in tags], dtype=pl.Float64).cast(pl.Float32),
            pl.Series("mood_arousal", [t.arousal for t in tags], dtype=pl.Float64).cast(pl.Float32),
            estimates=pl.lit("{}"),
            synthetic=pl.lit(value=False),
        )
        return written(frame, NEW_TRACK_COLUMNS)

    def _keys(self, ids: Sequence[str], sizes: Sequence[int], frame: pl.DataFrame) -> tuple[list[str], list[str]]:
        """The tracks' ids, and what finds them on other albums."""
        titles, artists = frame.get_column("title").to_list(), frame.get_column("artist").to_list()
        known = self._titles
        track_ids, at = [], 0
        for album_id, size in zip(ids, sizes, strict=True):
            seen: Counter[str] = Counter()
            for title in titles[at : at + size]:
                key = known.get(title)
                if key is None:
                    key = known[title] = title_key(title)
                seen[key] += 1
                track_ids.append(derive("track", album_id, key, seen[key]))
            at += size
        return track_ids, [recording_key(a, t) for a, t in zip(artists, titles, strict=True)]

    def _provenance(self, mask: int, names: Sequence[str], has: tuple[bool, bool, bool]) -> str:
        key = (mask, *has)
        if key not in self._whose:
            columns = (*_OPTIONAL, *names)
            said = [c for bit, c in enumerate(columns) if mask >> bit & 1]
            more = [c for c, there in zip(("release_date", "genres", "moods"), has, strict=True) if there]
            whose = {_RENAMED.get(c, c) for c in said} | {"album", "artist", "title", "track_number", *more}
            self._whose[key] = orjson.dumps(dict.fromkeys(sorted(whose), self.profile.name)).decode()
        return self._whose[key]

    def _records(self, albums: Sequence[Album], ids: Sequence[str]) -> bytes:
        import polars as pl

        when = self.fetched_at.isoformat()
        frame = pl.DataFrame(
            {
                "album_id": pl.Series(ids, dtype=pl.String),
                "digest": pl.Series([kept.digest(a.written) for a in albums], dtype=pl.String),
                "record": pl.Series([a.written.decode() for a in albums], dtype=pl.String),
                "match_method": pl.Series([a.method for a in albums], dtype=pl.String),
            }
        ).with_columns(
            source=pl.lit(self.profile.name),
            rights=pl.lit(self.profile.rights.value),
            fetched_at=pl.lit(when),
            valid_from=pl.lit(when),
            match_score=pl.lit(1.0),
        )
        return written(frame, RECORD_COLUMNS)


def written(frame: pl.DataFrame, columns: Sequence[str]) -> bytes:
    """Rows in COPY's text form; columns that the frame lacks are empty."""
    import polars as pl

    empty = [pl.lit(None, dtype=pl.String).alias(c) for c in columns if c not in frame.columns]
    frame = frame.with_columns(empty).select(
        pl.col(c).str.replace_all("\\", "\\\\", literal=True) if frame.schema.get(c) == pl.String else pl.col(c)
        for c in columns
    )
    buffer = io.BytesIO()
    frame.write_csv(buffer, include_header=False, separator="\t", quote_style="never", null_value="\\N")
    return buffer.getvalue()


def _features(names: Sequence[str]) -> pl.Expr:
    """The audio features as JSON; nothing where none is known."""
    import polars as pl

    if not names:
        return pl.lit(None, dtype=pl.String).alias("audio_features")
    pairs = [pl.concat_str(pl.lit(f'"{name}":'), pl.col(name).cast(pl.String)) for name in names]
    joined = pl.concat_str(*pairs, separator=",", ignore_nulls=True)
    whole = pl.concat_str(pl.lit("{"), joined, pl.lit("}"))
    return pl.when(pl.any_horizontal(pl.col(name).is_not_null() for name in names)).then(whole).alias("audio_features")


def _album_provenance(album: Album, tags: _Sorted, source: str) -> str:
    said = {
        "title": True, "artist": True, "release_date": album.release_date, "label": album.label, "upc": album.upc,
        "genres": tags.genres != "{}", "moods": tags.moods != "{}", "tracks": album.tracks, "ids": album.ids,
    }  # fmt: skip
    return orjson.dumps({name: source for name in sorted(said) if said[name]}).decode()


def _tags(said: str | None, level: Any) -> tuple[Tag, ...]:
    return tuple(Tag(name=name, weight=1.0, level=level) for name in said.split(PART)) if said else ()


def _array(names: Sequence[str]) -> str:
    """A text[] as PostgreSQL reads it."""
    return "{" + ",".join('"' + n.replace("\\", "\\\\").replace('"', '\\"') + '"' for n in names) + "}"
