"""Genre of six from a public table of Spotify songs: baselines with a random and an artist-disjoint split, and the gap between.

Run: python -m bench.genre_baselines path/to/spotify_songs.csv
"""

from __future__ import annotations

import sys

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv

from backend.features.baselines import Baselines, bench
from backend.features.baselines.models import Rows
from backend.features.baselines.published import published
from backend.features.pipeline import Audio, Numbers, TrackFeatures
from backend.features.splits import SplitRecipe, assign
from backend.models.ingestion_models import AUDIO_FEATURES
from backend.utils.text import fold

PARTS = {"train": 0.8, "test": 0.2}


def tracks(path: str) -> pa.Table:
    """The table's tracks by our names, each id once."""
    table = pyarrow.csv.read_csv(path)
    first = np.unique(np.array(table["track_id"].to_pylist()), return_index=True)[1]
    table = table.take(pa.array(np.sort(first)))
    year = pc.utf8_slice_codeunits(table["track_album_release_date"].cast(pa.string()), 0, 4).cast(pa.int64())
    columns = {"id": table["track_id"], "title": table["track_name"], "artist": table["track_artist"]}
    columns |= {"album": table["track_album_name"], "popularity": table["track_popularity"], "release_year": year}
    columns |= {"duration_ms": table["duration_ms"], "track_number": pa.nulls(len(table), pa.int64())}
    columns |= {name: table[name] for name in AUDIO_FEATURES if name in table.column_names}
    columns["time_signature"] = pa.nulls(len(table), pa.float64())
    return pa.table({**columns, "genre": table["playlist_genre"]})


def score(table: pa.Table, kind: str) -> Baselines:
    """Baselines on one kind of split; features learn from the training part alone."""
    split = assign(table, SplitRecipe(kind=kind, parts=PARTS))  # type: ignore[arg-type]  # a literal of the caller
    rows = {part: pa.array(split.rows(part)) for part in PARTS}
    features = TrackFeatures([Numbers(), Audio()]).fit(table.take(rows["train"]))
    made = {}
    for part, of in rows.items():
        some = table.take(of)
        made[part] = Rows(
            x=features.transform(some),
            y=np.array(some["genre"].to_pylist(), object),
            artists=np.array([fold(a or "") for a in some["artist"].to_pylist()]),
            popularity=some["popularity"].to_numpy().astype(float),
        )
    return bench(made["train"], made["test"], target="genre", kind="class")


if __name__ == "__main__":
    table = tracks(sys.argv[1])
    print(f"{len(table):,} tracks")
    random, artist = (score(table, kind) for kind in ("random", "artist"))
    for a, b in zip(random.scores, artist.scores, strict=True):
        print(
            f"| {a.baseline} | {a.score} | {a.mean:.3f} ({a.low:.3f}–{a.high:.3f}) | {b.mean:.3f} ({b.low:.3f}–{b.high:.3f}) "
            f"| {a.mean - b.mean:+.3f} |"
        )
    print(random.notes, artist.notes, random.train, random.test, artist.train, artist.test)
    for figure in published("genre"):
        print(f"| {figure.model} | {figure.split} | {figure.value:.3f} | {figure.table} | {figure.source} |")
