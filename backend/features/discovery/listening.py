"""Who is heard together: artists as vectors, learnt from playlists or from sittings of listening."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Self

import numpy as np
import scipy.sparse as sp
from sklearn.decomposition import TruncatedSVD
from threadpoolctl import threadpool_limits

from backend.features.columns import Floats
from backend.features.discovery.blocks import Learnt, unit

DIMENSIONS: Final = 64
_SMOOTHING: Final = (
    0.75  # of how often an artist is met: rare ones are not taken for sworn friends (Levy, Goldberg, Dagan 2015)
)
_SEED: Final = 0
_MOST: Final = (
    200  # artists of one sitting that are compared with one another: the pairs of longer ones would drown the others
)


@dataclass(frozen=True, slots=True)
class Listening:
    """An artist's company as a vector: positive pointwise mutual information of artists in one sitting, then a truncated SVD.

    The form is that of "Improving distributional similarity with lessons learned from word embeddings" (Levy, Goldberg, Dagan
    2015): u · √s of the matrix max(0, ln p(a, b) / (p(a) p(b)^0.75)).

    Attributes:
        rows: by artist's key, its row of `axes`.
        axes: n_artists × width, rows of length 1.
    """

    rows: Mapping[str, int]
    axes: Floats
    name: str = "listening"

    @classmethod
    def fit(cls, sittings: Sequence[Sequence[str]], *, dimensions: int = DIMENSIONS) -> Self:
        """Learn from sittings, each the keys of the artists heard in it ("" is nobody)."""
        names = sorted({artist for sitting in sittings for artist in sitting} - {""})
        place = {name: i for i, name in enumerate(names)}
        listed = [sorted({place[a] for a in sitting if a})[:_MOST] for sitting in sittings]
        heard = [codes for codes in listed if len(codes) > 1]
        if len(heard) < 2 or len(names) < 3:
            return cls({}, np.zeros((0, 0), np.float32))
        lengths = [len(codes) for codes in heard]
        met = sp.csr_matrix(
            (np.ones(sum(lengths)), (np.repeat(np.arange(len(heard)), lengths), np.concatenate(heard))),
            shape=(len(heard), len(names)),
        )
        matrix = _information(met)
        width = min(dimensions, len(names) - 1)
        with threadpool_limits(1):
            model = TruncatedSVD(width, random_state=_SEED, n_iter=7).fit(matrix)
            # X V = U S: dividing by √s leaves U √S.
            scale = np.sqrt(np.maximum(model.singular_values_, 1e-12))
            vectors = unit((matrix @ model.components_.T) / scale)
        return cls(place, vectors)

    @property
    def width(self) -> int:
        """See `Block`."""
        return int(self.axes.shape[1])

    def of_artists(self, keys: Sequence[str]) -> Floats:
        """N × width; all 0 for artists that nobody heard."""
        found = np.array([self.rows.get(key, -1) for key in keys], np.int64)
        vectors = np.zeros((len(keys), self.width), np.float32)
        vectors[found >= 0] = self.axes[found[found >= 0]]
        return vectors

    def learnt(self) -> Learnt:
        """For `restore`."""
        return {"artists": list(self.rows), "axes": self.axes}


def _information(met: sp.csr_matrix) -> sp.csr_matrix:
    """Positive pointwise mutual information of each pair of columns, symmetric; on the diagonal an artist with itself."""
    together = (met.T @ met).tocoo()
    total = together.data.sum()
    sums = np.asarray(together.tocsr().sum(axis=1)).ravel()
    smoothed = sums**_SMOOTHING
    smoothed /= smoothed.sum()
    information = np.log((together.data / total) / ((sums[together.row] / total) * smoothed[together.col]))
    kept = information > 0
    found = sp.csr_matrix((information[kept], (together.row[kept], together.col[kept])), shape=together.shape)
    return sp.csr_matrix((found + found.T) / 2)
