"""Made-up tracks whose audio features follow rules that are known: what a model can find out, and how much is noise."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from backend.models.ingestion_models import AUDIO_FEATURES

GENRES = {  # energy, valence, acousticness, tempo
    "techno": (0.80, 0.35, 0.30, 130),
    "house": (0.72, 0.60, 0.35, 124),
    "folk": (0.30, 0.40, 0.75, 105),
    "jazz": (0.35, 0.50, 0.70, 115),
    "punk": (0.78, 0.60, 0.28, 165),
    "pop": (0.65, 0.62, 0.45, 118),
}
MOODS = {"happy": 0.15, "sad": -0.15}


def songs(artists: int, *, seed: int = 0, prefix: str = "a", unknown: float = 0.0) -> pa.Table:
    """About ten tracks of each artist; energy goes with loudness, valence with mood, acousticness falls with the years.

    Noise is twice as large before 1990, so that good intervals are not all of one width.

    Args:
        artists: how many.
        seed: what all depends on.
        prefix: of the artists' names: two tables with different prefixes share none.
        unknown: with which probability a feature is missing.
    """
    rng = np.random.default_rng(seed)
    tracks = rng.integers(5, 16, artists)
    artist = np.repeat(np.arange(artists), tracks)
    n = len(artist)
    genre = rng.integers(len(GENRES), size=artists)[artist]
    mood = rng.integers(3, size=n)  # the third: none
    year = rng.integers(1960, 2025, n)
    noise = np.where(year < 1990, 2.0, 1.0)
    centre = np.array(list(GENRES.values()))[genre]
    own = rng.normal(0, 0.03, (artists, 4))[artist]

    def unit(values: Any) -> Any:
        return np.clip(values, 0, 1)

    energy = unit(centre[:, 0] + own[:, 0] + rng.normal(0, 0.06, n) * noise)
    shift = np.array([*MOODS.values(), 0.0])[mood]
    features = {
        "energy": energy,
        "loudness": -20 + 16 * energy + rng.normal(0, 0.8, n) * noise,
        "valence": unit(centre[:, 1] + own[:, 1] + shift + rng.normal(0, 0.06, n) * noise),
        "acousticness": unit(centre[:, 2] + own[:, 2] - (year - 1990) / 400 + rng.normal(0, 0.06, n) * noise),
        "tempo": np.clip(centre[:, 3] + 40 * own[:, 3] + rng.normal(0, 6, n) * noise, 40, 220),
        "danceability": unit(0.4 + 0.4 * features_of(mood) + rng.normal(0, 0.08, n) * noise),
        "speechiness": unit(rng.gamma(1.5, 0.05, n)),  # of nothing that is known
        "instrumentalness": np.where(rng.random(n) < 0.3 + 0.4 * (genre < 2), rng.beta(5, 2, n), rng.beta(1, 40, n)),
        "liveness": unit(rng.gamma(2, 0.08, n)),
        "key": rng.integers(12, size=n).astype(float),
        "mode": (rng.random(n) < 0.6).astype(float),
        "time_signature": np.where(rng.random(n) < 0.04, 3.0, 4.0),
    }
    columns: dict[str, Any] = {
        "id": [f"{prefix}{i:06}" for i in range(n)],
        "artist": [f"{prefix} {i}" for i in artist],
        "genres": pa.array([[list(GENRES)[g]] for g in genre], pa.list_(pa.string())),
        "moods": pa.array([[list(MOODS)[m]] if m < 2 else [] for m in mood], pa.list_(pa.string())),
        "release_year": year,
        "duration_ms": rng.integers(90_000, 400_000, n),
        "explicit": rng.random(n) < 0.2,
        "popularity": rng.integers(0, 100, n),
    }
    for name in AUDIO_FEATURES:
        columns[name] = pa.array(features[name], pa.float64(), mask=rng.random(n) < unknown)
    return pa.table(columns)


def features_of(mood: Any) -> Any:
    """How danceable a mood is, 0..1."""
    return np.array([1.0, 0.2, 0.5])[mood]


def without(table: pa.Table, *names: str) -> pa.Table:
    """The table with these columns unknown throughout."""
    for name in names:
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.nulls(table.num_rows, table.schema.field(place).type))
    return table
