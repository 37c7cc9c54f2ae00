"""Which artists go together: from who plays what, and from their tags, also for artists that hardly anybody plays.

A linear autoencoder with a zero diagonal in closed form (EASE: Steck 2019, "Embarrassingly shallow autoencoders for sparse
data"), to whose listeners the tags are added as further rows, as if each tag were a listener who plays the artists that bear it
(CEASE: Jeunen, Van Balen, Goethals 2020, "Closed-form models for collaborative filtering with side-information"). As rows are
fewer than artists, what is inverted is rows × rows (Woodbury), never artists × artists.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from backend.features.columns import Floats, Values
from backend.utils.errors import InvalidInputError

RIDGE: Final = 200.0
TAGS: Final = 20.0
_RARE: Final = 3  # artists that must bear a tag
_MOST: Final = 8_000  # rows: 0.5 GB
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class Companions:
    """What was learnt of n artists.

    Attributes:
        rows: listeners and tags × n.
        solved: rows × n, (rows rowsᵀ + ridge)⁻¹ rows.
        left: n, what the ridge leaves of each artist: the diagonal of the inverse, times the ridge.
    """

    rows: Any
    solved: Floats
    left: Values

    @classmethod
    def fit(cls, plays: Any, tags: Any, *, ridge: float = RIDGE, tag_weight: float = TAGS) -> Self:
        """Learn from listeners and tags.

        Args:
            plays: listeners × n, see `attention`.
            tags: n × tags, see `tag_rows`; of no column where no artist has tags.
            ridge: draws towards nothing learnt.
            tag_weight: what a tag counts against a listener.

        Raises:
            InvalidInputError: more listeners and tags than can be learnt from at once.
        """
        listeners = sp.csr_matrix(plays)
        most = _MOST - tags.shape[1]
        if most < 1:
            raise InvalidInputError(f"{tags.shape[1]:,} tags are too many to learn from; {_MOST:,} rows are the most")
        if listeners.shape[0] > most:
            drawn = np.sort(np.random.default_rng(_SEED).permutation(listeners.shape[0])[:most])
            listeners = listeners[drawn]
        rows = sp.vstack([listeners, np.sqrt(tag_weight) * tags.T]).tocsr()
        gram = np.asarray((rows @ rows.T).todense())
        gram[np.diag_indices(len(gram))] += ridge
        with threadpool_limits(1):  # the same to the last bit, whatever else the machine does
            inverse = np.linalg.inv(gram)
        solved = np.ascontiguousarray(
            np.asarray(rows.T @ inverse).T
        )  # sparse by dense: far quicker than solving for each artist
        left = 1 - np.asarray(rows.multiply(solved).sum(axis=0)).ravel()
        return cls(rows, solved.astype(np.float32), left)

    def scores(self, played: Any) -> Values:
        """How well each artist goes with what a listener plays; n. Of those he plays it is what the others say of them.

        Args:
            played: 1 × n, see `attention`; the listener need not be one of those learnt from.
        """
        x = np.asarray(sp.csr_matrix(played).todense()).ravel()
        # x P = (x - x rowsᵀ solved) / ridge, and the score x - x P / diag(P): the ridge falls out.
        weights = np.asarray(self.rows @ x, np.float32)  # of one type: or the large array would be copied
        projected = x - weights @ self.solved
        found: Values = x - projected / self.left
        return found


def attention(plays: Any) -> Any:
    """Plays as what they say: their logarithm, against the listener's mean.

    Args:
        plays: listeners × n, numbers of plays.
    """
    found = sp.csr_matrix(plays, dtype=np.float64)
    found.data = np.log1p(found.data)
    sums = np.asarray(found.sum(axis=1)).ravel()
    numbers = np.diff(found.indptr)
    means = np.where(sums > 0, sums / np.maximum(numbers, 1), 1.0)
    return (sp.diags(1 / means) @ found).tocsr()


def tag_rows(artists: Sequence[str], tags: Mapping[str, Mapping[str, float]]) -> Any:
    """Artists × tags: log(1 + count) · log((1 + n) / (1 + artists that bear it)), rows of length 1; tags of 3 artists or more.

    Args:
        artists: n keys.
        tags: by artist's key, by tag, how often it was given.
    """
    of = [tags.get(key, {}) for key in artists]
    borne = Counter(tag for found in of for tag in found)
    places = {tag: i for i, tag in enumerate(sorted(tag for tag, n in borne.items() if n >= _RARE))}
    entries = [
        (row, places[tag], np.log1p(count) * np.log((1 + len(artists)) / (1 + borne[tag])))
        for row, found in enumerate(of)
        for tag, count in found.items()
        if tag in places
    ]
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    matrix = sp.csr_matrix((values, (rows, columns)), shape=(len(artists), len(places)), dtype=np.float64)
    lengths = np.sqrt(np.asarray(matrix.multiply(matrix).sum(axis=1)).ravel())
    return (sp.diags(1 / np.where(lengths > 0, lengths, 1)) @ matrix).tocsr()
