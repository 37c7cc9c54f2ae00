"""Ways to recommend artists to listeners, ours among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import scipy.sparse as sp

from backend.features.columns import Floats, Values
from backend.features.discovery.companions import RIDGE, TAGS, Companions, attention, tag_rows
from backend.features.evaluation import implicit_models as models
from backend.features.evaluation.files import Play, Weighed
from backend.features.evaluation.methods import OURS, Method, Missing, random_scores, scored
from backend.features.evaluation.protocols import Dealt, Lists
from backend.features.splits.names import artist_key

GRID: Final = tuple(
    {"ridge": ridge, "tag_weight": weight}
    for ridge, weight in ((RIDGE, TAGS), (100.0, 10.0), (400.0, 40.0), (200.0, 60.0))
)
_NOT_HERE: Final = "does not apply: artists that a listener plays already are no answer"


@dataclass(frozen=True, slots=True)
class Plays:
    """Who plays whom.

    Attributes:
        lists: of each listener his artists.
        counts: listeners × n artists, numbers of plays.
        tags: n × tags, see `companions.tag_rows`.
        genres: of each artist his tags.
    """

    lists: Lists
    counts: Any
    tags: Any
    genres: Sequence[Sequence[str]]

    @classmethod
    def of(cls, plays: Sequence[Play], tags: Weighed) -> Self:
        """Out of a file; spellings of an artist are one, artists who are nobody are left out."""
        summed: dict[tuple[str, str], float] = {}
        for play in plays:
            key = artist_key(play.artist)
            if key and play.plays > 0:
                summed[play.listener, key] = summed.get((play.listener, key), 0.0) + play.plays
        names = sorted({listener for listener, _ in summed})
        keys = sorted({key for _, key in summed})
        row, column = {name: i for i, name in enumerate(names)}, {key: i for i, key in enumerate(keys)}
        counts = sp.csr_matrix(
            (list(summed.values()), ([row[a] for a, _ in summed], [column[b] for _, b in summed])),
            shape=(len(names), len(keys)),
        )
        counts.sort_indices()
        items = [counts.indices[counts.indptr[i] : counts.indptr[i + 1]].astype(np.int64) for i in range(len(names))]
        return cls(Lists(names, items, keys), counts, tag_rows(keys, tags), [list(tags.get(key, ())) for key in keys])

    def shown(self, dealt: Dealt) -> Any:
        """Listeners × n, the plays of what is shown."""
        mask = models.incidence(dealt.seeds, len(self.lists.ids))
        return self.counts.multiply(mask).tocsr()

    @property
    def vectors(self) -> Floats:
        """N × tags: for telling how alike artists are."""
        found: Floats = self.tags.toarray().astype(np.float32)
        return found


def simple(plays: Plays, dealt: Dealt, *, seed: int, k: int) -> list[Method | Missing]:
    """Those that learn nothing."""
    n = len(plays.lists.ids)
    matrix = models.incidence(dealt.seeds, n)
    popular = _popular(matrix)
    cosine = (matrix @ sp.diags(1 / np.sqrt(np.maximum(popular, 1)))).tocsr()
    across = cosine.T.tocsr()

    def given(name: str, scores: models.Row, note: str = "") -> Method:
        return scored(name, scores, dealt.seeds, k=k, breaker=popular, note=note)

    return [
        given("random", random_scores(n, seed=seed)),
        given("popularity", lambda _: popular),
        Missing("same artist", _NOT_HERE),
        given("artist mean", lambda i: _dense(plays.tags @ (matrix[i] @ plays.tags).T), "tags"),
        given("plain kNN", lambda i: _dense(across @ (cosine @ matrix[i].T)), "cosine of who plays them"),
    ]


def implicit(plays: Plays, dealt: Dealt, *, seed: int, k: int) -> list[Method | Missing]:
    """Those of the library `implicit`."""
    matrix = models.incidence(dealt.seeds, len(plays.lists.ids))
    found: list[Method | Missing] = []
    for name, fit, grid in (
        ("ALS (implicit)", models.als, models.ALS_GRID), ("BM25 (implicit)", models.bm25, models.BM25_GRID),
    ):  # fmt: skip
        if not models.is_there():
            found.append(Missing(name, models.WHY_NOT))
            continue
        tuned = models.tuned(fit, grid, matrix, seed=seed)
        found.append(scored(name, tuned.scores, dealt.seeds, k=k, breaker=_popular(matrix), note=_said(tuned.settings)))
    return found


def ours(plays: Plays, dealt: Dealt, *, seed: int, k: int) -> Method:
    """`Companions`, at the best settings of a few as with ALS."""
    matrix = attention(plays.shown(dealt))
    tuned = models.tuned(lambda shown, settings: fitted(shown, plays.tags, settings), GRID, matrix, seed=seed)
    return scored(OURS, tuned.scores, dealt.seeds, k=k, breaker=_popular(matrix > 0), note=_said(tuned.settings))


def fitted(shown: Any, tags: Any, settings: Mapping[str, float]) -> models.Row:
    """Scores of each listener that is learnt from."""
    model = Companions.fit(shown, tags, ridge=settings["ridge"], tag_weight=settings["tag_weight"])
    return lambda i: model.scores(shown[i])


def _popular(matrix: Any) -> Values:
    """How many play each artist."""
    return np.asarray(matrix.sum(axis=0), np.float64).ravel()


def _dense(column: Any) -> Values:
    return np.asarray(column.todense(), np.float64).ravel()


def _said(settings: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value:g}" for name, value in settings.items())
