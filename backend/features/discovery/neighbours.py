"""The nearest of many vectors by inner product: exactly while they are few, by faiss's inverted lists when they are many.

faiss is used as `IVF…,Flat`: vectors as they are, in lists by their nearest centre, of which some are looked into. How many is
found out when it is built: so many that of the true ten nearest 99 in 100 are found.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from backend.features.columns import Flags, Floats

Rows = npt.NDArray[np.int64]

EXACT_UP_TO: Final = 50_000
"""Vectors that are compared one by one: a few milliseconds."""
_TRAINED_ON: Final = 60  # vectors a list
_MEASURED: Final = 256  # questions by which the number of lists is chosen
_RECALL: Final = 0.99
_SEED: Final = 0


@dataclass(frozen=True, slots=True)
class InvertedLists:
    """faiss's index of some vectors.

    Attributes:
        index: `faiss.IndexIVFFlat`.
        probes: lists that are looked into.
    """

    index: Any
    probes: int

    @classmethod
    def build(cls, vectors: Floats, questions: Floats) -> Self:
        """Deal the vectors into lists, and find out how many must be looked into.

        Args:
            vectors: n × width.
            questions: m × width, such as will be asked.
        """
        faiss = _faiss()

        n, width = vectors.shape
        lists = int(4 * np.sqrt(n))
        index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, faiss.METRIC_INNER_PRODUCT)
        index.cp.seed = _SEED
        drawn = np.sort(np.random.default_rng(_SEED).permutation(n)[: _TRAINED_ON * lists])
        index.train(np.ascontiguousarray(vectors[drawn]))
        for start in range(0, n, 100_000):
            index.add(np.ascontiguousarray(vectors[start : start + 100_000]))
        return cls(index, _probes(index, vectors, questions[:_MEASURED]))

    def search(self, question: Floats, m: int, *, allowed: Flags | None = None, wider: int = 1) -> Rows:
        """About the m nearest rows; fewer where the lists hold no more.

        Args:
            question: width.
            m: at most so many.
            allowed: which rows may be answered; all when None.
            wider: times as many lists are looked into.
        """
        faiss = _faiss()

        faiss.omp_set_num_threads(1)  # one question: more threads only wait for each other
        probes = min(self.probes * wider, self.index.nlist)
        selector = None if allowed is None else faiss.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        asked = faiss.SearchParametersIVF(nprobe=probes, sel=selector)
        _, rows = self.index.search(question[None, :], min(m, self.index.ntotal), params=asked)
        found: Rows = rows[0][rows[0] >= 0]
        return found

    def save(self, path: Path) -> None:
        """To a file that can be mapped."""
        faiss = _faiss()

        faiss.write_index(self.index, str(path))

    @classmethod
    def open(cls, path: Path, *, probes: int) -> Self:
        """Map a file: nothing is read before it is asked for."""
        faiss = _faiss()

        return cls(faiss.read_index(str(path), faiss.IO_FLAG_MMAP | faiss.IO_FLAG_READ_ONLY), probes)


def _faiss() -> Any:
    """20 MB that small catalogues never load. Its stubs know less than it does."""
    import faiss

    return faiss


def _probes(index: Any, vectors: Floats, questions: Floats) -> int:
    """So many lists that nearly all of the ten nearest are found."""
    faiss = _faiss()

    k = min(10, len(vectors))
    truth = _exact(vectors, questions, k)
    probes = 1
    while probes < index.nlist:
        _, found = index.search(np.ascontiguousarray(questions), k, params=faiss.SearchParametersIVF(nprobe=probes))
        hits = sum(len(np.intersect1d(a, b)) for a, b in zip(truth, found, strict=True))
        if hits >= _RECALL * k * len(questions):
            break
        probes *= 2
    return min(probes, int(index.nlist))


def _exact(vectors: Floats, questions: Floats, k: int) -> Rows:
    """The k nearest of each question, part by part of the vectors."""
    best = np.full((len(questions), k), -np.inf, np.float32)
    rows = np.full((len(questions), k), -1, np.int64)
    for start in range(0, len(vectors), 100_000):
        scores = questions @ vectors[start : start + 100_000].T
        together = np.concatenate([best, scores], axis=1)
        known = np.concatenate([rows, np.broadcast_to(np.arange(start, start + scores.shape[1]), scores.shape)], axis=1)
        top = np.argpartition(-together, k - 1, axis=1)[:, :k]
        best, rows = np.take_along_axis(together, top, axis=1), np.take_along_axis(known, top, axis=1)
    return rows


def largest(scores: Floats, m: int) -> Rows:
    """The rows of the m largest scores, in no order; those that tie with the last, too, up to twice as many. Without -inf."""
    there = int(np.count_nonzero(scores > -np.inf))
    m = min(m, there)
    if m == 0:
        return np.empty(0, np.int64)
    if m == len(scores):
        return np.arange(m)
    threshold = np.partition(scores, len(scores) - m)[len(scores) - m]
    above = np.flatnonzero(scores > threshold)
    return np.concatenate([above, np.flatnonzero(scores == threshold)[: 2 * m - len(above)]])
