"""Tables of tracks for tests of splits: made by hand, drawn by hypothesis, or many at once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

KINDS = {
    "id": pa.string(), "title": pa.string(), "artist": pa.string(), "album": pa.string(), "album_id": pa.string(),
    "duration_ms": pa.int64(), "isrc": pa.string(), "recording_mbid": pa.string(), "recording_id": pa.string(),
    "recording_key": pa.string(), "artist_id": pa.string(), "release_date": pa.date32(), "created_at": pa.timestamp("us"),
    "genre": pa.string(),
}  # fmt: skip


def table(*rows: dict[str, Any], **columns: Any) -> pa.Table:
    """Tracks told as rows; ids are t0, t1, … where none is given, and columns are those that any row has."""
    names = [n for n in KINDS if n == "id" or any(n in row for row in rows)]
    found = {
        n: pa.array([row.get(n, f"t{i}" if n == "id" else None) for i, row in enumerate(rows)], KINDS[n]) for n in names
    }
    return pa.table({**found, **columns})


ARTISTS = st.sampled_from(
    ["The Beatles", "beatles", "Beatles, The", "Björk", "BJORK", "Queen", "Queen & David Bowie", "David Bowie", "Кино", "!!!",
     "Various Artists", "JAY-Z feat. Queen", "", "東京事変"]
) | st.none()  # fmt: skip
TITLES = st.sampled_from(
    ["Help!", "Help! (Remastered 2009)", "Help - Live", "Under Pressure", "Under Presure", "Group", "Группа крови", "", "( )",
     "Part 1 of it", "Part 2 of it"]
) | st.none()  # fmt: skip
ROWS = st.fixed_dictionaries({
    "artist": ARTISTS,
    "title": TITLES,
    "album": st.sampled_from(["Help!", "Help! (Deluxe)", "Hot Space", ""]) | st.none(),
    "album_id": st.sampled_from(["a1", "a2", "a3"]) | st.none(),
    "duration_ms": st.sampled_from([0, 180_000, 182_500, 240_000]) | st.none(),
    "isrc": st.sampled_from(["GBAYE6500521", "gb-aye-65-00521", "GBUM71029604", "rubbish"]) | st.none(),
    "recording_mbid": st.sampled_from(["m1", "m2"]) | st.none(),
    "recording_id": st.none(),
    "recording_key": st.none() | st.just("queen/under pressure"),
    "artist_id": st.sampled_from(["x1", "x2"]) | st.none(),
    "release_date": st.none() | st.dates(),
    "genre": st.sampled_from(["rock", "pop"]) | st.none(),
})  # fmt: skip


@st.composite
def tables(draw: st.DrawFn, most: int = 12) -> pa.Table:
    """A table of up to `most` tracks in which much is missing and much is the same."""
    return table(*draw(st.lists(ROWS, min_size=1, max_size=most)))


def many(artists: int, *, each: int = 10, seed: int = 0, prefix: str = "artist") -> pa.Table:
    """About `each` tracks of each artist, ten an album, with distinct titles and durations."""
    rng = np.random.default_rng(seed)
    artist = np.repeat(np.arange(artists), rng.integers(1, 2 * each, artists))
    n = len(artist)
    place = np.arange(n) - np.searchsorted(artist, artist)
    return pa.table({
        "id": [f"{prefix}{a}-{i}" for a, i in zip(artist, place, strict=True)],
        "artist": [f"{prefix} {a}" for a in artist],
        "title": [f"song number {i} of {a}" for a, i in zip(artist, place, strict=True)],
        "album": [f"album {i // 10}" for i in place],
        "album_id": [f"{prefix}{a}/{i // 10}" for a, i in zip(artist, place, strict=True)],
        "duration_ms": rng.integers(90_000, 400_000, n),
        "genre": np.array(["rock", "pop", "jazz"])[rng.choice(3, n, p=[0.7, 0.27, 0.03])],
        "release_date": pa.array(rng.integers(3_650, 19_000, n).astype("datetime64[D]"), pa.date32()),
    })  # fmt: skip


def parts(split: Any) -> dict[str, str | None]:
    """The part of each track, by id."""
    told = split.table()
    return dict(zip(told.column("id").to_pylist(), told.column("part").to_pylist(), strict=True))
