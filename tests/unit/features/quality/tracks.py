"""Tracks with nothing wrong, to plant problems in."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa


def sound(n: int = 400, *, seed: int = 0, start: int = 0, **planted: Any) -> pa.Table:
    draw = np.random.default_rng(seed)
    columns: dict[str, Any] = {
        "id": [f"t{i}" for i in range(start, start + n)],
        "title": [f"title {i}" for i in range(start, start + n)],
        "artist": [f"artist {i % 40}" for i in range(n)],
        "release_year": draw.integers(1960, 2020, n),
        "duration_ms": draw.integers(150_000, 300_000, n),
        "tempo": draw.normal(120, 20, n).clip(50, 200),
        "energy": draw.uniform(0, 1, n),
        "genres": pa.array([[("rock", "jazz", "pop")[i % 3]] for i in range(n)], pa.list_(pa.string())),
        "isrc": [f"XX{i:010}" for i in range(start, start + n)],
        "estimates": ["{}"] * n,
        "provenance": [json.dumps({"title": "alpha", "tempo": "alpha+beta", "release_date": "beta"})] * n,
        "synthetic": [False] * n,
    }
    return pa.table({**columns, **planted})
