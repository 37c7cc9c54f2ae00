"""Pairs of titles that are one recording though spelled differently: same first artist, nearly the same title and length."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc
from rapidfuzz.distance import Indel
from rapidfuzz.process import cpdist

from backend.features.splits.names import numbers
from backend.features.splits.reading import Days

Rows = npt.NDArray[np.int64]

SAME_MS: Final = 3_000.0
"""By which durations of one recording differ at most between services: fade-outs and rounding."""
SAME_CODE_MS: Final = 10_000.0
"""By which durations under one ISRC differ at most: codes are given to wrong tracks, too."""
ALIKE: Final = 0.9
"""Share of letters that titles have in common at least (1 - Indel distance / letters of both)."""
SHORTEST: Final = 5
"""Letters: shorter titles must be equal."""
BEGINNING: Final = 2
"""Letters in which near titles begin alike: those are the last to be misspelt, and few titles share them."""
_AT_ONCE: Final = 1_000_000


def alike(one: list[str], other: list[str]) -> npt.NDArray[np.bool_]:
    """Which pairs of title keys are spellings of one title; numbers must be equal.

    >>> alike(["paranoid android", "part one 1", "abcdef"], ["paranoid androyd", "part one 2", "uvwxyz"]).tolist()
    [True, False, False]
    """
    shares = cpdist(one, other, scorer=Indel.normalized_similarity, score_cutoff=ALIKE, workers=1)
    found = np.asarray(shares >= ALIKE)
    for i in np.flatnonzero(found):
        found[i] = numbers(one[i]) == numbers(other[i])
    return found


def near_pairs(artist: Any, title: Any, duration: Days) -> tuple[Rows, Rows]:
    """Rows of near titles that are not equal: for each row its neighbours in duration are looked at.

    Args:
        artist: first artists' keys, text, null where unknown.
        title: title keys.
        duration: milliseconds; rows without one are in no pair.
    """
    block = pc.dictionary_encode(
        pc.binary_join_element_wise(artist, pc.utf8_slice_codeunits(title, 0, BEGINNING), "/")
    ).indices.fill_null(-1).to_numpy()  # fmt: skip
    words = pc.dictionary_encode(title)
    word, spelt = words.indices.fill_null(-1).to_numpy(), words.dictionary.to_pylist()
    long_enough = np.array([len(text) >= SHORTEST for text in spelt] + [False], bool)[word]
    rows = np.flatnonzero((block >= 0) & long_enough & ~np.isnan(duration))
    rows = rows[np.lexsort((duration[rows], block[rows]))]
    ones, others = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    start = np.arange(len(rows))
    for step in range(1, len(rows)):
        start = start[start + step < len(rows)]
        one, other = rows[start], rows[start + step]
        near = (block[one] == block[other]) & (duration[other] - duration[one] <= SAME_MS)
        start, one, other = start[near], one[near], other[near]
        if not len(start):
            break
        different = word[one] != word[other]
        ones.append(one[different])
        others.append(other[different])
    return _spelt_alike(np.concatenate(ones), np.concatenate(others), word=word, spelt=spelt)


def by_length(codes: Rows, duration: Days, *, most: float = SAME_CODE_MS) -> Rows:
    """A number for each run of rows of one code whose durations follow each other within `most` milliseconds.

    A row without a duration may be any of its code's, so it makes all of them one run.
    """
    unknown = np.isnan(duration)
    order = np.lexsort((duration, codes))
    code, length = codes[order], duration[order]
    new = np.append(True, (code[1:] != code[:-1]) | (length[1:] - length[:-1] > most))[: len(code)]
    runs = np.empty(len(codes), np.int64)
    runs[order] = np.cumsum(new)
    doubtful = np.isin(codes, codes[unknown])
    runs[doubtful] = -1 - codes[doubtful]
    return np.unique(runs, return_inverse=True)[1].astype(np.int64)


def _spelt_alike(one: Rows, other: Rows, *, word: Rows, spelt: list[str]) -> tuple[Rows, Rows]:
    kept = np.zeros(len(one), bool)
    for begin in range(0, len(one), _AT_ONCE):
        part = slice(begin, begin + _AT_ONCE)
        kept[part] = alike([spelt[w] for w in word[one[part]]], [spelt[w] for w in word[other[part]]])
    return one[kept], other[kept]
