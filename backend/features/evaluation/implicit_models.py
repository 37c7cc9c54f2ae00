"""Baselines out of the library `implicit` (MIT): matrix factorisation by alternating least squares, and BM25 neighbours.

Hu, Koren, Volinsky 2008, "Collaborative filtering for implicit feedback datasets". Settings are chosen on items held out once
more from what is shown, so that the baseline is as good as it can be made on this data.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from backend.features.columns import Values
from backend.features.discovery.songs import Codes
from backend.features.evaluation.methods import best
from backend.features.evaluation.metrics import ndcg

WHY_NOT: Final = "not installed: pip install -r requirements-evaluate.txt"
ALS_GRID: Final = tuple(
    {"factors": factors, "regularization": regularization, "alpha": alpha}
    for factors, regularization, alpha in (
        (32, 0.1, 2.0), (64, 1.0, 2.0), (16, 10.0, 10.0), (32, 10.0, 10.0), (32, 30.0, 10.0), (64, 30.0, 10.0), (128, 10.0, 5.0),
        (32, 100.0, 30.0),
    )
)  # fmt: skip
BM25_GRID: Final = tuple({"K1": k1, "B": b} for k1, b in ((1.2, 0.75), (1.2, 0.2), (20.0, 0.5), (100.0, 0.8)))
_ROUNDS: Final = 15
_SEED: Final = 0
_TRIED_ON: Final = 400  # lists
_LOOKED_AT: Final = 100

Row: TypeAlias = Callable[[int], Values]
Fit: TypeAlias = Callable[[Any, dict[str, float]], Row]
"""From a matrix lists × items and settings to each list's scores."""


@dataclass(frozen=True, slots=True)
class Tuned:
    """A model at its best settings.

    Attributes:
        scores: of a list's number.
        settings: that were chosen.
        reached: NDCG@100 on what was held out to choose.
    """

    scores: Row
    settings: dict[str, float]
    reached: float


def is_there() -> bool:
    """Whether the library can be imported."""
    from importlib.util import find_spec

    return find_spec("implicit") is not None


def als(matrix: Any, settings: dict[str, float]) -> Row:
    """Factors of lists and items."""
    from implicit.als import AlternatingLeastSquares

    with threadpool_limits(1, "blas"):  # the library asks for it, and the figures stay the same
        model = AlternatingLeastSquares(
            factors=int(settings["factors"]),
            regularization=settings["regularization"],
            alpha=settings["alpha"],
            iterations=_ROUNDS,
            random_state=_SEED,
            num_threads=1,
        )
        model.fit(sp.csr_matrix(matrix, dtype=np.float32), show_progress=False)
    items = np.asarray(model.item_factors)
    users = np.asarray(model.user_factors)
    return lambda i: np.asarray(items @ users[i], np.float64)


def bm25(matrix: Any, settings: dict[str, float]) -> Row:
    """Items that stand in the same lists, weighed as words of documents."""
    from implicit.nearest_neighbours import bm25_weight

    plain = sp.csr_matrix(matrix, dtype=np.float64)
    weighed = sp.csr_matrix(bm25_weight(plain.T.tocsr(), K1=settings["K1"], B=settings["B"]))
    return lambda i: np.asarray((weighed @ (weighed.T @ plain[i].T)).todense()).ravel()


def tuned(fit: Fit, grid: Sequence[dict[str, float]], matrix: Any, *, seed: int) -> Tuned:
    """The settings under which a model finds most of what is held out from the matrix, and the model of all of it."""
    shown, held = _hold_out(matrix, seed=seed)
    tried = [(score(fit(shown, dict(settings)), shown, held), settings) for settings in grid]
    reached, settings = max(tried, key=lambda pair: pair[0])
    return Tuned(fit(matrix, dict(settings)), dict(settings), reached)


def score(row: Row, shown: Any, held: dict[int, Codes]) -> float:
    """Mean NDCG@100 of some lists."""
    ranks = np.arange(shown.shape[1])
    found = []
    for i, wanted in held.items():
        answer = best(row(i), ranks, without=shown.indices[shown.indptr[i] : shown.indptr[i + 1]], k=_LOOKED_AT)
        found.append(ndcg(np.isin(answer, wanted), wanted=len(wanted), k=_LOOKED_AT))
    return float(np.mean(found)) if found else 0.0


def _hold_out(matrix: Any, *, seed: int) -> tuple[Any, dict[int, Codes]]:
    """A fifth of each longer row put aside; of some hundred rows it is told which."""
    rng = np.random.default_rng(seed)
    shown = sp.csr_matrix(matrix).copy()
    held: dict[int, Codes] = {}
    for i in range(shown.shape[0]):
        start, end = shown.indptr[i], shown.indptr[i + 1]
        if end - start >= 5:
            places = start + rng.permutation(end - start)[: max(1, (end - start) // 5)]
            held[i] = np.sort(shown.indices[places]).astype(np.int64)
            shown.data[places] = 0
    shown.eliminate_zeros()
    chosen = rng.permutation(list(held))[:_TRIED_ON].tolist() if held else []
    return shown, {i: held[i] for i in chosen}


def incidence(lists: Sequence[Codes], n: int, *, of: Codes | None = None) -> Any:
    """Lists × items, 1 where an item stands in a list; with `of` × groups of items, how many of a group.

    Args:
        lists: rows.
        n: items, or groups.
        of: of each item its group.
    """
    rows = np.repeat(np.arange(len(lists)), [len(items) for items in lists])
    columns = np.concatenate([*lists, np.empty(0, np.int64)]).astype(np.int64)
    if of is not None:
        columns = of[columns]
    return sp.coo_matrix((np.ones(len(columns)), (rows, columns)), shape=(len(lists), n)).tocsr()
