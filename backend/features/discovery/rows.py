"""The tracks of an index: what is shown of them, and which are one song, artist or album."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.columns import CONTINUOUS, TAGS, Flags, Floats, floats
from backend.features.discovery.songs import Codes, artist_codes, code, song_codes, text_codes
from backend.utils.errors import NotFoundError

CARD: Final = ("id", "title", "artist", "album", "album_id", "release_year", "synthetic")
"""What is shown of a track."""
READS: Final = (
    *CARD, *TAGS, *CONTINUOUS, "popularity", "recording_id", "duration_ms", "explicit", "mood_valence", "mood_arousal",
)  # fmt: skip
"""The columns of `enhanced_tracks` that an index is made of."""


NUMBERS: Final = (*CONTINUOUS, "release_year")
_PIECES: Final = 8  # of a table at the most


@dataclass(frozen=True, slots=True)
class TrackRows:
    """n tracks in an order that never changes; some of them may be gone.

    Attributes:
        table: the columns `READS`.
        ids, artists, albums, songs, recordings: n codes (see `songs`).
        alive: n; False for tracks that were removed or have a newer row.
        numbers: n × 10 of `NUMBERS`, NaN where unknown; out of the table, where taking some rows of a column costs more.
    """

    table: pa.Table
    ids: Codes
    artists: Codes
    albums: Codes
    songs: Codes
    recordings: Codes
    alive: Flags
    numbers: Floats
    _by_id: Codes  # rows by falling code of their ids
    _by_artist: Codes
    _by_album: Codes

    @classmethod
    def of(cls, table: pa.Table) -> Self:
        """Tracks as they are read, all of them there."""
        columns = {
            name: table.column(name).to_pylist() for name in ("id", "title", "artist", "album_id", "recording_id")
        }
        songs = song_codes(columns["title"], columns["artist"])
        recordings = text_codes(columns["recording_id"])
        return cls.made(
            table,
            ids=text_codes(columns["id"]),
            artists=artist_codes(columns["artist"]),
            albums=text_codes(columns["album_id"]),
            songs=songs,
            recordings=np.where(recordings == 0, songs, recordings),
            alive=np.ones(table.num_rows, bool),
        )

    @classmethod
    def made(
        cls,
        table: pa.Table,
        *,
        ids: Codes,
        artists: Codes,
        albums: Codes,
        songs: Codes,
        recordings: Codes,
        alive: Flags,
        numbers: Floats | None = None,
    ) -> Self:
        """From columns that are there already."""
        if numbers is None:
            numbers = np.column_stack([floats(table, name) for name in NUMBERS]).astype(np.float32)
        orders = (np.argsort(codes, kind="stable") for codes in (ids, artists, albums))
        return cls(table, ids, artists, albums, songs, recordings, alive, numbers, *orders)

    def __len__(self) -> int:
        return len(self.ids)

    def find(self, track_id: str) -> int:
        """The row of a track.

        Raises:
            NotFoundError: no track has this id.
        """
        for row in self._with(code(track_id), self.ids, self._by_id):
            if self.alive[row] and self.table.column("id")[row].as_py() == track_id:
                return int(row)
        raise NotFoundError(f"No track has the id {track_id[:80]!r}; /ml/training-data lists what is stored")

    def mask(self, track_ids: pa.Array | pa.ChunkedArray | Iterable[str]) -> Flags:
        """n: whether a track is there and among these."""
        wanted = track_ids if isinstance(track_ids, pa.Array | pa.ChunkedArray) else pa.array(track_ids, pa.string())
        if isinstance(wanted, pa.ChunkedArray):
            wanted = wanted.combine_chunks()
        among = pc.is_in(self.table.column("id").cast(pa.string()), value_set=wanted.cast(pa.string()))
        found: Flags = among.to_numpy().astype(bool) & self.alive
        return found

    def of_artist(self, artist: int) -> Codes:
        """The rows of an artist's tracks; none for nobody."""
        return self._with(artist, self.artists, self._by_artist)

    def of_album(self, album: int) -> Codes:
        """The rows of an album's tracks."""
        return self._with(album, self.albums, self._by_album)

    def _with(self, wanted: int, codes: Codes, order: Codes) -> Codes:
        if wanted == 0:
            return order[:0]
        first = int(np.searchsorted(codes, wanted, "left", sorter=order))
        last = int(np.searchsorted(codes, wanted, "right", sorter=order))
        return order[first:last]

    def names(self, rows: Sequence[int] | Codes) -> list[str]:
        """The ids of some rows."""
        found: list[str] = self.table.column("id").take(pa.array(rows, pa.int64())).to_pylist()
        return found

    def cards(self, rows: Sequence[int] | Codes) -> list[dict[str, Any]]:
        """What is shown of some rows."""
        found: list[dict[str, Any]] = self.some(rows, CARD).to_pylist()
        return found

    def some(self, rows: Sequence[int] | Codes, columns: Sequence[str]) -> pa.Table | pa.RecordBatch:
        """Columns of some rows."""
        wanted = pa.array(rows, pa.int64())
        table = self.table.select(list(columns))
        pieces = table.to_batches()
        # A batch's rows are taken in a fifth of the time that a table's take.
        return pieces[0].take(wanted) if len(pieces) == 1 else table.take(wanted)

    def plus(self, changed: Self, removed: Iterable[str]) -> Self:
        """With tracks that are new or changed, which take the place of what was there under their ids, and without some."""
        alive = self.alive.copy()
        alive[np.isin(self.ids, np.concatenate([changed.ids, text_codes(removed)]))] = False
        columns = {
            name: np.concatenate([getattr(self, name), getattr(changed, name)])
            for name in ("ids", "artists", "albums", "songs", "recordings", "numbers")
        }
        table = _gathered(pa.concat_tables([self.table, changed.table.cast(self.table.schema)]))
        return self.made(table, **columns, alive=np.concatenate([alive, changed.alive]))


def _gathered(table: pa.Table) -> pa.Table:
    """The same table; what came in many small pieces in one, as each piece is looked into whenever rows are taken."""
    pieces = table.column("id").chunks
    if len(pieces) <= _PIECES:
        return table
    first = len(pieces[0])
    return pa.concat_tables([table.slice(0, first), table.slice(first).combine_chunks()])
