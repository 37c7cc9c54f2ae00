"""A track that was found, and what it was found by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Closeness:
    """One audio feature of two tracks: their values, and how far apart they are in normal scores (1 is a standard deviation)."""

    feature: str
    own: float
    other: float
    distance: float
    product: float  # of the normal scores: what it adds to the audio share, unscaled


@dataclass(frozen=True, slots=True, kw_only=True)
class Pick:
    """A track that was found.

    Attributes:
        id: the track's.
        row: in the index that found it.
        score: at most 1.
        contributions: per group its share, and what is taken off for commonness; they sum to the score.
        because: the id of the given track that is nearest; None when none was given. What follows is of these two.
        shared: genres and moods that both have, the rarest first.
        closest: the audio features that are known of both, those that add most first.
        years: release years of both, when both are known.
        filled: audio features unknown of one of the two, for which the middle was taken.
    """

    id: str
    row: int
    score: float
    contributions: Mapping[str, float]
    because: str | None
    shared: Mapping[str, Sequence[str]]
    closest: Sequence[Closeness]
    years: tuple[int, int] | None
    filled: Sequence[str]
