"""Measures of one list of recommendations.

`hits` is which places of a list, best first, hold what was held out; `wanted` how much was held out.
"""

from __future__ import annotations

import numpy as np

from backend.features.columns import Flags, Floats, Values

SMOOTHING = 0.01
"""Of calibration: what a list lacks altogether would else be infinitely wrong (Steck 2018, section 3)."""


def recall(hits: Flags, *, wanted: int, k: int) -> float:
    """Share of what was held out among the first k, of at most k.

    Recall@R of "Variational autoencoders for collaborative filtering" (Liang et al. 2018): 1 can be reached however much was held
    out.
    """
    return float(hits[:k].sum() / min(k, wanted))


def ndcg(hits: Flags, *, wanted: int, k: int) -> float:
    """Normalised discounted cumulative gain at k, binary: each hit counts 1 / log2(place + 1) (Järvelin, Kekäläinen 2002)."""
    discounts = 1 / np.log2(np.arange(2, k + 2))
    return float((hits[:k] * discounts[: len(hits[:k])]).sum() / discounts[: min(k, wanted)].sum())


def r_precision(hits: Flags, *, wanted: int) -> float:
    """Share of hits among the first R, as many as were held out (as in the RecSys Challenge 2018 on playlists)."""
    return float(hits[:wanted].sum() / wanted)


def diversity(vectors: Floats) -> float:
    """Mean of 1 - cosine over the pairs of a list: intra-list diversity (Ziegler et al. 2005).

    Args:
        vectors: k × width, rows of length 1; NaN for fewer than two.
    """
    k = len(vectors)
    if k < 2:
        return float("nan")
    total = vectors.sum(axis=0, dtype=np.float64)
    own = float((vectors.astype(np.float64) ** 2).sum())
    return 1 - (float(total @ total) - own) / (k * (k - 1))


def novelty(shares: Values) -> float:
    """Mean self-information -log2 p, in bits (Zhou et al. 2010).

    Args:
        shares: k, of the training lists that hold each; greater than 0.
    """
    return float(-np.log2(shares).mean()) if len(shares) else float("nan")


def miscalibration(given: Values, answered: Values) -> float:
    """Kullback-Leibler divergence of the answer's genres from those of what was given, in nats (Steck 2018); 0 is calibrated.

    Args:
        given: shares of the genres of what was given, summing to 1; all 0 where none is known.
        answered: the same of the list.
    """
    if given.sum() <= 0 or answered.sum() <= 0:
        return float("nan")
    mixed = (1 - SMOOTHING) * answered + SMOOTHING * given
    there = given > 0
    return float((given[there] * np.log(given[there] / mixed[there])).sum())


def popularity_lift(answered: Values, held: Values) -> float:
    """Mean popularity of the list (ARP: Yin et al. 2012) less that of what was held out; above 0 it leans to what is popular."""
    answered, held = answered[~np.isnan(answered)], held[~np.isnan(held)]
    return float(answered.mean() - held.mean()) if len(answered) and len(held) else float("nan")
