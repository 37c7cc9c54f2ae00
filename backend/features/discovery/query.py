"""What is asked for, as a vector: some tracks, tracks that it is not to be like, tags, a year, values of features."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from backend.features.columns import Floats, Values
from backend.features.discovery.songs import NOBODY, Codes

MINUS: Final = 0.5
"""What a track that it is not to be like counts against one that it is to be like."""


@dataclass(frozen=True, slots=True)
class Query:
    """A question to an index.

    Attributes:
        vector: width, each group scaled by the root of its weight (see `space`).
        artists, albums: by code, what the same artist or album counts, -1 to 1.
        seeds: rows of the tracks that were given, for telling why.
        without: rows that are no answer, in whatever version.
        wishes: by name what each wish adds to the score of every row of the index, n_rows (see `asking`).
        commonness: by which what is taken off for commonness is multiplied.
    """

    vector: Floats
    artists: Mapping[int, float] = field(default_factory=dict)
    albums: Mapping[int, float] = field(default_factory=dict)
    seeds: Sequence[int] = ()
    without: Sequence[int] = ()
    wishes: Mapping[str, Values] = field(default_factory=dict)
    commonness: float = 1.0


def shares(codes: Codes) -> dict[int, float]:
    """By artist or album the root of its share: the second track of an artist says less than the first.

    >>> shares(np.array([7, 7, 7, 9]))[9]
    0.5
    """
    kinds, counts = np.unique(codes[codes != NOBODY], return_counts=True)
    return {int(kind): float(np.sqrt(n / len(codes))) for kind, n in zip(kinds, counts, strict=True)}


def mean(vectors: Floats) -> Floats:
    """Of some tracks; shorter the less they agree, so that a group in which they differ counts for less."""
    found: Floats = vectors.mean(axis=0, dtype=np.float64).astype(np.float32)
    return found


def against(wanted: Mapping[int, float], unwanted: Mapping[int, float]) -> dict[int, float]:
    """What is wanted less half of what is not."""
    return {key: wanted.get(key, 0.0) - MINUS * unwanted.get(key, 0.0) for key in {*wanted, *unwanted}}
