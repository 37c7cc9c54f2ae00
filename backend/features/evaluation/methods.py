"""Methods as the evaluation sees them, and lists out of scores."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backend.features.columns import Values
from backend.features.discovery.songs import Codes

OURS = "Tensoe"


@dataclass(frozen=True, slots=True)
class Method:
    """One way to recommend.

    Attributes:
        name: as tables show it.
        answer: of a list's number the rows that continue it, best first; never one of its seeds.
        note: what it learnt or was set to.
    """

    name: str
    answer: Callable[[int], Codes]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """A way that could not be gone.

    Attributes:
        name: as tables show it.
        why: with what to do.
    """

    name: str
    why: str


def scored(
    name: str, scores: Callable[[int], Values], seeds: Sequence[Codes], *, k: int, breaker: Values, note: str = ""
) -> Method:
    """A method out of scores of all items: the k greatest, without the seeds.

    Args:
        name: see `Method`.
        scores: of a list's number the n scores.
        seeds: of each list.
        k: length of the answers.
        breaker: n, by which equal scores go, the greatest first.
        note: see `Method`.
    """
    ranks = np.empty(len(breaker), np.int64)
    ranks[np.lexsort((np.arange(len(breaker)), -breaker))] = np.arange(len(breaker))

    def answer(i: int) -> Codes:
        return best(scores(i), ranks, without=seeds[i], k=k)

    return Method(name, answer, note)


def best(scores: Values, ranks: Codes, *, without: Codes, k: int) -> Codes:
    """The k rows of the greatest scores, ties by rank; -inf is no answer."""
    values = np.array(scores, np.float64)
    values[without] = -np.inf
    there = int(np.count_nonzero(values > -np.inf))
    k = min(k, there)
    if not k:
        return np.empty(0, np.int64)
    threshold = np.partition(values, len(values) - k)[len(values) - k]
    rows = np.flatnonzero(values >= threshold)
    return rows[np.lexsort((ranks[rows], -values[rows]))][:k]


def random_scores(n: int, *, seed: int) -> Callable[[int], Values]:
    """Of each list n numbers drawn by chance."""
    return lambda i: np.random.default_rng([seed, i]).random(n)
