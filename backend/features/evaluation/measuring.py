"""Methods that continue lists, asked for each list and measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import scipy.sparse as sp

from backend.features.columns import Floats, Values
from backend.features.discovery.songs import Codes
from backend.features.evaluation import metrics
from backend.features.evaluation.methods import Method, Missing
from backend.features.evaluation.occurrence import occurrences, reached
from backend.features.evaluation.protocols import Dealt, Lists, wanted_parts
from backend.features.evaluation.report import Tally

K: Final = 100
SHORT: Final = 10


@dataclass(frozen=True, slots=True)
class Facts:
    """What measures need to know of n items.

    Attributes:
        vectors: n × width, rows of length 1: how alike items are.
        genres: n × genres, shares of each item's, summing to 1 or all 0.
        artists: n codes; None where the items are artists.
        counts: in how many lists' seeds each stands.
        lists: how many lists there are.
        popularity: n, what it counts as for popularity lift; NaN where unknown.
    """

    vectors: Floats
    genres: Any
    artists: Codes | None
    counts: Codes
    lists: int
    popularity: Values

    @classmethod
    def of(
        cls,
        *,
        vectors: Floats,
        genres: Sequence[Sequence[str]],
        artists: Codes | None,
        dealt: Dealt,
        popularity: Values | None = None,
    ) -> Self:
        """From what is known; without the items' own popularity it is in how many lists' seeds they stand."""
        counts = occurrences(dealt.seeds, len(vectors))
        known = None if popularity is None or np.isnan(popularity).all() else popularity
        own = counts.astype(np.float64) if known is None else known
        return cls(vectors, _shares(genres), artists, counts, len(dealt.seeds), own)


def measure(tally: Tally, methods: Sequence[Method | Missing], lists: Lists, dealt: Dealt, facts: Facts) -> None:
    """Ask each method for each list of which something was held out."""
    for method in methods:
        if isinstance(method, Missing):
            tally.note(method.name, method.why)
            continue
        tally.note(method.name, method.note)
        answers = [method.answer(i) for i in dealt.asked]
        for i, answer in zip(dealt.asked, answers, strict=True):
            tally.add(method.name, lists.names[i], _measured(answer, i, dealt, facts))
        counts = occurrences([answer[:SHORT] for answer in answers], len(facts.counts))
        tally.whole(method.name, {"coverage@10": reached(counts)})


def _measured(answer: Codes, i: int, dealt: Dealt, facts: Facts) -> dict[str, float]:
    found: dict[str, float] = {}
    for part, wanted in wanted_parts(dealt, i, facts.artists, facts.counts).items():
        n = len(wanted)
        if not n:
            continue
        hits = np.isin(answer, wanted)
        if part == "all":
            found["recall@10"] = metrics.recall(hits, wanted=n, k=SHORT)
            found["r_precision"] = metrics.r_precision(hits, wanted=n)
            found["recall@100"] = metrics.recall(hits, wanted=n, k=K)
            found["ndcg@100"] = metrics.ndcg(hits, wanted=n, k=K)
        else:
            found[f"{part}_recall@100"] = metrics.recall(hits, wanted=n, k=K)
            found[f"{part}_ndcg@100"] = metrics.ndcg(hits, wanted=n, k=K)
    first = answer[:SHORT]
    return found | {
        "diversity@10": metrics.diversity(facts.vectors[first]),
        # One more than it is, so that what stands in no list has a finite novelty.
        "novelty@10": metrics.novelty((facts.counts[first] + 1) / (facts.lists + 1)),
        "miscalibration@10": metrics.miscalibration(_mix(facts.genres, dealt.seeds[i]), _mix(facts.genres, first)),
        "popularity_lift@10": metrics.popularity_lift(facts.popularity[first], facts.popularity[dealt.held[i]]),
    }


def _mix(genres: Any, rows: Codes) -> Values:
    """The mean of some items' shares, of those that have any."""
    summed: Values = np.asarray(genres[rows].sum(axis=0), np.float64).ravel()
    total = summed.sum()
    return summed / total if total > 0 else summed


def _shares(genres: Sequence[Sequence[str]]) -> Any:
    of = [list(dict.fromkeys(tags)) for tags in genres]
    places = {tag: i for i, tag in enumerate(sorted({tag for tags in of for tag in tags}))}
    entries = [(row, places[tag], 1 / len(tags)) for row, tags in enumerate(of) for tag in tags]
    rows, columns, values = zip(*entries, strict=True) if entries else ((), (), ())
    return sp.csr_matrix((values, (rows, columns)), shape=(len(of), max(len(places), 1)), dtype=np.float64)
