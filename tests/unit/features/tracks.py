"""Tables of tracks as the reader gives them, made from a few words."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from backend.features.columns import CATEGORIES, CONTINUOUS, NUMERIC
from backend.features.target import SCORES

NUMBERS = (*NUMERIC, *CONTINUOUS, *CATEGORIES, *SCORES)
TYPES = {
    **dict.fromkeys(("id", "title", "artist", "album", "album_id", "provenance", "recording_id"), pa.string()),
    **dict.fromkeys(("genres", "moods"), pa.list_(pa.string())),
    **dict.fromkeys(("explicit", "synthetic"), pa.bool_()),
    **dict.fromkeys(NUMBERS, pa.float32()),
    **dict.fromkeys(("duration_ms", "popularity", "track_number", "release_year", "listeners"), pa.int32()),
    **dict.fromkeys(("mood_valence", "mood_arousal"), pa.float32()),
}


def table(rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Rows as a table with every column; what a row does not name is unknown."""
    named = [
        {"id": f"t{i:04}", "synthetic": False, "provenance": '{"title": "shop"}', **row} for i, row in enumerate(rows)
    ]
    return pa.table({name: pa.array([row.get(name) for row in named], kind) for name, kind in TYPES.items()})


def known(**changed: Any) -> dict[str, Any]:
    """A track of which everything is known."""
    values: dict[str, Any] = dict.fromkeys(NUMBERS, 1)
    values |= {"genres": ["rock"], "moods": ["mellow"], "explicit": False, "aoty_score": 80.0, "release_year": 1969}
    return values | {"title": "Come Together", "artist": "The Beatles"} | changed


def mixed(n: int, *, seed: int = 7, holes: float = 0.2) -> pa.Table:
    """`n` tracks of which each value is unknown with probability `holes`."""
    dice = random.Random(seed)
    values: dict[str, Any] = {
        **dict.fromkeys(NUMBERS, lambda: dice.randint(0, 11)),
        "genres": lambda: dice.sample(["rock", "pop", "jazz", "folk", "hip hop", "soul"], dice.randint(0, 4)),
        "moods": lambda: dice.sample(["mellow", "dark", "warm", "epic"], dice.randint(0, 3)),
        "explicit": lambda: dice.random() < 0.3,
        "title": lambda: f"Song {dice.randint(0, 40)}",
        "artist": lambda: f"Artist {dice.randint(0, 9)}",
    }
    return table([{k: make() for k, make in values.items() if dice.random() >= holes} for _ in range(n)])
