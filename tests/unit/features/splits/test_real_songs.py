"""Splits of a real table of songs, where it is: what a random split leaks, and what that gains."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from backend.features.splits import SplitRecipe, assign, certify
from backend.features.splits.naive import naive_gain
from tests.fixtures.twin import SHARED

TABLE = SHARED / "data" / "tables" / "spotify_songs.csv"
COLUMNS = {
    "id": "track_id", "title": "track_name", "artist": "track_artist", "album": "track_album_name", "album_id": "track_album_id",
    "release_date": "track_album_release_date", "duration_ms": "duration_ms", "genre": "playlist_genre",
}  # fmt: skip
FEATURES = ["danceability", "energy", "key", "loudness", "mode", "speechiness", "acousticness", "instrumentalness", "liveness",
            "valence", "tempo", "duration_ms"]  # fmt: skip


@pytest.fixture(scope="module")
def listed() -> pd.DataFrame:
    if not TABLE.is_file():
        pytest.skip("the table of real tracks is not beside the project")
    return pd.read_csv(TABLE, dtype=str).drop_duplicates("track_id").sort_values("track_id")


@pytest.fixture(scope="module")
def tracks(listed: pd.DataFrame) -> pa.Table:
    table = pa.table(
        {name: pa.array(listed[column], pa.string(), from_pandas=True) for name, column in COLUMNS.items()}
    )
    return table.set_column(6, "duration_ms", table.column("duration_ms").cast(pa.float64()))


def test_a_random_split_leaks_and_one_by_artist_does_not(tracks: pa.Table) -> None:
    random = certify(tracks, assign(tracks, SplitRecipe(kind="random", seed=0)))
    shared = {check.name: {s.parts: s.rows for s in check.shared} for check in random.checks}
    assert (
        shared["artist"]["train", "test"][1] > 1_000
    )  # of 1,415: nearly every test track's artist is known from training
    assert shared["near_duplicate"]["train", "test"][1] > 150
    by_artist = certify(tracks, assign(tracks, SplitRecipe(kind="artist", seed=0)))
    assert by_artist.passed
    assert not by_artist.check("artist").shared
    assert not by_artist.check("near_duplicate").shared


def test_genres_look_easier_on_a_random_split(listed: pd.DataFrame, tracks: pa.Table) -> None:
    x = listed[FEATURES].astype(float).to_numpy(np.float32)
    year = listed["track_album_release_date"].str[:4].astype(float).to_numpy(np.float32)
    artist = pd.factorize(listed["track_artist"].fillna("").sort_values())[0]
    of_artist = (
        pd.Series(artist, index=listed["track_artist"].sort_values().index).loc[listed.index].to_numpy(np.float32)
    )
    splits = [
        assign(tracks, SplitRecipe(kind="artist", parts={"train": 0.8, "test": 0.2}, seed=seed)) for seed in range(2)
    ]
    y = np.asarray(listed["playlist_genre"], object)
    plain = naive_gain(np.column_stack([x, year]), y, splits)
    assert 0.45 < plain.gain("accuracy").split < 0.65
    telling = naive_gain(np.column_stack([x, year, of_artist]), y, splits)
    assert telling.gain("macro_f1").gain > plain.gain("macro_f1").gain
