"""What others, and we, reached on public tables: to be read beside the baselines of a data set, never as the same measurement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_SONGS: Final = "spotify_songs (TidyTuesday 2020-01-21): 32,833 rows of 28,356 songs from playlists of six genres"
_COLLECTED: Final = "some 5,000 songs of each of six genres, collected as spotify_songs was"
_PART: Final = "a part of spotify_songs: 14,204 songs, each once"
_PAVLIK: Final = "K. Pavlik 2019, github.com/walkerkq/spotify_genre_classification, spotify_genres.md"
_BLISCHAK: Final = "J. Blischak 2024, jdblischak.github.io/stats352-spotify"
_OURS: Final = "docs/baselines.md"
_GAIN: Final = "docs/splits.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A figure of a table that is not this data set.

    Attributes:
        target: what was predicted, as targets are called here.
        model: which model, and what it saw.
        split: how the rows were parted.
        score: as `scoring.Score` calls it.
        value: what it reached.
        table: which table.
        source: where the figure stands.
    """

    target: str
    model: str
    split: str
    score: str
    value: float
    table: str
    source: str


def _of(target: str, score: str, *rows: tuple[str, str, float, str, str]) -> tuple[Figure, ...]:
    return tuple(
        Figure(target=target, score=score, model=model, split=split, value=value, table=table, source=source)
        for model, split, value, table, source in rows
    )


FIGURES: Final[tuple[Figure, ...]] = (
    *_of(
        "genre", "accuracy",
        ("decision tree, audio features", "random 80/20", 0.379, _COLLECTED, _PAVLIK),
        ("XGBoost, audio features", "random 80/20", 0.538, _COLLECTED, _PAVLIK),
        ("random forest, audio features", "random 80/20", 0.544, _COLLECTED, _PAVLIK),
        ("decision tree, audio features", "random 75/25, repeated rows", 0.382, _SONGS, _BLISCHAK),
        ("majority", "random 80/20", 0.188, _PART, _OURS),
        ("gradient boosting, audio features, year, popularity", "random 80/20", 0.593, _PART, _OURS),
        ("gradient boosting, audio features, year, popularity", "artist-disjoint 80/20", 0.597, _PART, _OURS),
    ),
    *_of(
        "popularity", "r2",
        ("gradient boosting, audio features, year", "random 80/20", 0.142, _PART, _GAIN),
        ("gradient boosting, audio features, year", "artist-disjoint 80/20", 0.137, _PART, _GAIN),
    ),
)  # fmt: skip
"""Each was read where it stands. Of moods and album scores no figure is known whose table and split anybody can have."""


def published(target: str) -> tuple[Figure, ...]:
    """The figures for a target; none for most."""
    return tuple(figure for figure in FIGURES if figure.target == target)
