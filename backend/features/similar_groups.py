"""Albums and artists that sound alike: the mean similarity of all their tracks to all of another's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from backend.features.similarity import GROUPS, SimilarityIndex

_DECIMALS: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class SimilarGroup:
    """A group of tracks and how like it is to another one.

    Attributes:
        key: what its tracks have in common: an album's id, or a name.
        score: the mean cosine over all pairs of tracks, up to 1.
        contributions: per group of features its share; they sum to the score.
        example: the id of its track that is nearest to the other group.
    """

    key: str
    score: float
    contributions: dict[str, float]
    example: str


def similar_groups(index: SimilarityIndex, tracks: Sequence[str], *, by: str, k: int) -> list[SimilarGroup]:
    """The k groups most like some tracks, the most first, ties by key; never a group that one of these tracks is in.

    Args:
        index: all tracks.
        tracks: ids of the group to compare with.
        by: the field of `similarity.CARD` that makes the groups: "album_id" or "artist".
        k: at most so many.

    Raises:
        NotFoundError: no track has one of these ids.
    """
    keys = index.column(by)
    names, codes = np.unique(np.asarray([key or "" for key in keys]), return_inverse=True)
    parts = index.mean_parts(tracks)
    counts = np.bincount(codes, minlength=len(names))
    means = {group: np.bincount(codes, part, minlength=len(names)) / counts for group, part in parts.items()}
    shares = {group: np.round(mean, _DECIMALS) for group, mean in means.items()}
    scores = np.round(np.sum([shares[group] for group in GROUPS], axis=0), _DECIMALS)
    own = {keys[row] or "" for row in index.rows(tracks)} | {""}
    best = [code for code in np.lexsort((names, -scores)).tolist() if names[code] not in own and scores[code] > 0][:k]
    nearest = np.sum(list(parts.values()), axis=0)
    return [
        SimilarGroup(
            key=str(names[code]),
            score=float(scores[code]),
            contributions={group: float(shares[group][code]) for group in GROUPS},
            example=index.ids[int(max(np.flatnonzero(codes == code), key=lambda row: (nearest[row], -row)))],
        )
        for code in best
    ]
