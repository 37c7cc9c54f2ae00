"""Hubs: some tracks are near to everything and would stand in every list, others in none.

What is taken off a track's score is half its mean likeness to its nearest tracks: cross-domain similarity local scaling (CSLS;
Conneau et al. 2018, "Word translation without parallel data"), whose other half is the same for all answers to one question.
The neighbourhood is looked for in a sample of the catalogue, so that a new track's is as cheap as an old one's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

import numpy as np

from backend.features.columns import Floats, Values

_SAMPLE: Final = 2_000
_NEAREST: Final = 10
_AT_ONCE: Final = 20_000
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Commonness:
    """How near tracks are to their neighbourhood.

    Attributes:
        sample: up to 2,000 × width, vectors of tracks drawn by chance.
        middle: the mean over the catalogue, so that what is taken off is 0 on the whole.
    """

    sample: Floats
    middle: float

    @classmethod
    def fit(cls, vectors: Floats) -> tuple[Self, Floats]:
        """Draw the sample; also what is taken off each of these tracks."""
        n = len(vectors)
        drawn = np.sort(np.random.default_rng(_SEED).permutation(n)[:_SAMPLE])
        raw = _nearness(vectors, vectors[drawn])
        found = cls(vectors[drawn], float(raw.mean()) if n else 0.0)
        return found, found.taken(raw)

    def of(self, vectors: Floats) -> Floats:
        """What is taken off each of some tracks; n."""
        return self.taken(_nearness(vectors, self.sample))

    def taken(self, nearness: Values) -> Floats:
        """Half of what is above the mean."""
        return ((nearness - self.middle) / 2).astype(np.float32)


def _nearness(vectors: Floats, sample: Floats) -> Values:
    """The mean likeness to the nearest of the sample; a track that is in it counts as near to itself, too."""
    found = np.zeros(len(vectors))
    k = min(_NEAREST, len(sample))
    if not k:
        return found
    for start in range(0, len(vectors), _AT_ONCE):
        likeness = vectors[start : start + _AT_ONCE] @ sample.T
        found[start : start + _AT_ONCE] = np.partition(likeness, -k, axis=1)[:, -k:].mean(axis=1)
    return found
