"""What a map can be coloured by."""

from __future__ import annotations

from enum import StrEnum


class ColumnName(StrEnum):
    """One number a track each; `features.map.columns` makes them."""

    GENRE = "genre"
    MOOD = "mood"
    YEAR = "year"
    SCORE = "score"
    POPULARITY = "popularity"
    SOURCE = "source"
