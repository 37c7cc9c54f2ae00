"""Albums and artists that are alike: the mean likeness of all their tracks to what is asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from backend.features.discovery.index import DiscoveryIndex
from backend.features.discovery.query import Query
from backend.features.discovery.songs import NOBODY
from backend.features.discovery.weights import GROUPS

SHARES: Final = tuple(group for group in GROUPS if group not in {"artist", "album"})
_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarGroup:
    """A group of tracks and how like it is.

    Attributes:
        score: the mean over its tracks, at most 1.
        contributions: per group of features its share; they sum to the score.
        example: the row of its track that is nearest.
    """

    score: float
    contributions: dict[str, float]
    example: int


def similar_groups(
    index: DiscoveryIndex, query: Query, *, by: Literal["album", "artist"], k: int
) -> list[SimilarGroup]:
    """The k groups most like what is asked for, the most first, ties by the id of their nearest track.

    Args:
        index: all tracks.
        query: whose own artist or album, and that of each of its seeds, is no answer.
        by: what makes the groups.
        k: at most so many.
    """
    codes = index.rows.artists if by == "artist" else index.rows.albums
    own = codes[list(query.without)]
    rows = np.flatnonzero(index.rows.alive & (codes != NOBODY) & ~np.isin(codes, own))
    if not len(rows):
        return []
    found = index.parts(query, rows)
    parts = {group: found[group] for group in SHARES}
    _, of = np.unique(codes[rows], return_inverse=True)
    counts = np.bincount(of)
    means = {group: np.round(np.bincount(of, part) / counts, _DECIMALS) + 0.0 for group, part in parts.items()}
    scores = np.round(np.sum([means[group] for group in SHARES], axis=0), _DECIMALS)
    nearness = np.sum(list(parts.values()), axis=0)
    best = np.argsort(-scores, kind="stable")[: 4 * k]
    best = best[scores[best] > 0]
    examples = {int(g): int(rows[_nearest(nearness, of == g)]) for g in best}
    names = dict(zip(examples, index.rows.names(list(examples.values())), strict=True))
    ordered = sorted(examples, key=lambda g: (-scores[g], names[g]))[:k]
    return [
        SimilarGroup(
            score=float(scores[g]),
            contributions={group: float(means[group][g]) for group in SHARES},
            example=examples[g],
        )
        for g in ordered
    ]


def _nearest(nearness: np.typing.NDArray[np.float64], among: np.typing.NDArray[np.bool_]) -> int:
    return int(np.argmax(np.where(among, nearness, -np.inf)))
