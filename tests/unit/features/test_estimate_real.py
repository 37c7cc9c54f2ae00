"""Estimates on real tracks, where the table is: artists held out, better than genre means, intervals that hold."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from threadpoolctl import threadpool_limits

from backend.features.estimate.artists import artist_keys
from backend.features.estimate.model import folds, learn
from backend.features.estimate.report import Report, measure
from bench.estimate_tables import songs
from tests.fixtures.twin import SHARED

TABLE = SHARED / "data" / "tables" / "spotify_songs.csv"
# R² against the mean and against genre means on artists never heard; a little below what docs/estimates.md has.
REACHED = {
    "acousticness": (0.16, 0.04), "danceability": (0.20, 0.03), "energy": (0.24, 0.05), "instrumentalness": (0.24, 0.11),
    "liveness": (0.00, 0.00), "loudness": (0.23, 0.11), "speechiness": (0.22, 0.01), "tempo": (0.02, 0.00),
    "valence": (0.15, 0.05),
}  # fmt: skip


@pytest.fixture(scope="module")
def report() -> Report:
    if not TABLE.is_file():
        pytest.skip("the table of real tracks is not beside the project")
    table = songs(TABLE)
    held_out = folds(artist_keys(table.column("artist").to_pylist()), rng=np.random.default_rng(5), parts=3) == 0
    training, others = table.filter(pa.array(~held_out)), table.filter(pa.array(held_out))
    assert others.num_rows >= 4_000
    with threadpool_limits(1):
        return measure(learn(training, seed=1), training, others, rows=table.num_rows)


@pytest.mark.parametrize("feature", REACHED)
def test_real_features_of_artists_never_heard(report: Report, feature: str) -> None:
    plain, genres = REACHED[feature]
    alone, some = report.of(feature, "none"), report.of(feature, "some")
    assert alone.r2 > plain
    assert alone.r2_genres > genres
    assert alone.width < alone.plain_width
    assert some.r2 > alone.r2 - 0.01
    for line in (alone, some, report.of(feature, "artist")):
        assert abs(line.coverage - 0.9) <= 0.02, line.regime
