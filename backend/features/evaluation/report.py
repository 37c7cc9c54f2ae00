"""What an evaluation found: a line per method, with intervals and with what it is behind or ahead of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from backend.features.columns import Values
from backend.features.evaluation.intervals import Interval, difference, interval
from backend.features.evaluation.methods import OURS

MEASURES = (
    "recall@10", "recall@100", "ndcg@100", "r_precision", "new_artists_recall@100", "new_artists_ndcg@100", "cold_recall@100",
    "cold_ndcg@100", "ndcg@10", "diversity@10", "novelty@10", "miscalibration@10", "popularity_lift@10",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One method.

    Attributes:
        method: its name.
        measures: means with 95 % intervals; those that could be taken.
        against_ours: of each, the paired difference from ours (below 0: ours is greater); none for ours itself.
        whole: measures of all lists together: coverage@10, or reachability@10 and skewness@10; means over the deals.
        note: what it learnt, was set to, or why it is missing.
    """

    method: str
    measures: Mapping[str, Interval] = field(default_factory=dict)
    against_ours: Mapping[str, Interval] = field(default_factory=dict)
    whole: Mapping[str, float] = field(default_factory=dict)
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """One protocol.

    Attributes:
        protocol: its name.
        items: of the catalogue, all of which are ranked.
        lists: playlists or listeners.
        asked: those that were asked for.
        seeds: of the deals.
        headline: the measure that ours is compared by.
        lines: in the order of the table.
        notes: what the reader must know.
    """

    protocol: str
    items: int
    lists: int
    asked: int
    seeds: Sequence[int]
    headline: str
    lines: Sequence[Line]
    notes: Sequence[str] = ()

    @property
    def verdict(self) -> str:
        """Whether ours is ahead of every baseline, by the headline's intervals; the names of those of which it is not."""
        of = {line.method: line.measures.get(self.headline) for line in self.lines}
        ours = of.get(OURS)
        if ours is None:
            return f"{OURS} has no {self.headline}"
        rest = {m: x for m, x in of.items() if not m.startswith(OURS) and x is not None}
        close = [m for m, x in rest.items() if not ours.apart(x)]
        behind = [m for m, x in rest.items() if ours.apart(x) and x.mean > ours.mean]
        words = [
            f"{OURS} is ahead of {len(rest) - len(close) - len(behind)} of {len(rest)} baselines by {self.headline}"
        ]
        words += [f"behind {', '.join(behind)}"] if behind else []
        words += [f"intervals overlap with {', '.join(close)}"] if close else []
        return "; ".join(words)


class Tally:
    """Collects values by method, measure and unit over several deals."""

    def __init__(self) -> None:
        self._values: dict[str, dict[str, dict[str, list[float]]]] = {}
        self._whole: dict[str, dict[str, list[float]]] = {}
        self._notes: dict[str, str] = {}

    def add(self, method: str, unit: str, values: Mapping[str, float]) -> None:
        """What a method got for a playlist or a listener."""
        of = self._values.setdefault(method, {})
        for measure, value in values.items():
            of.setdefault(measure, {}).setdefault(unit, []).append(value)

    def whole(self, method: str, values: Mapping[str, float]) -> None:
        """What a method's lists are together."""
        of = self._whole.setdefault(method, {})
        for measure, value in values.items():
            of.setdefault(measure, []).append(value)

    def note(self, method: str, note: str) -> None:
        """What is to be said of a method; of several deals the first counts."""
        self._notes.setdefault(method, note)

    def lines(self) -> list[Line]:
        """A line per method, in the order in which they came; of each unit the mean over the deals counts once."""
        units = sorted({u for of in self._values.values() for by in of.values() for u in by})
        arrays = {m: {k: _means(by, units) for k, by in of.items()} for m, of in self._values.items()}
        ours = arrays.get(OURS, {})
        found = []
        for method, note in self._notes.items():
            own = arrays.get(method, {})
            apart = {} if method == OURS else {k: (v, ours[k]) for k, v in own.items() if k in ours}
            found.append(
                Line(
                    method=method,
                    measures=_known({k: interval(v) for k, v in own.items()}),
                    against_ours=_known({k: difference(v, o) for k, (v, o) in apart.items()}),
                    whole={k: float(np.mean(v)) for k, v in self._whole.get(method, {}).items()},
                    note=note,
                )
            )
        return found


def _means(by: Mapping[str, Sequence[float]], units: Sequence[str]) -> Values:
    found = np.full(len(units), np.nan)
    for place, unit in enumerate(units):
        values = np.array(by.get(unit, ()), np.float64)
        values = values[~np.isnan(values)]
        if len(values):
            found[place] = values.mean()
    return found


def _known(found: Mapping[str, Interval | None]) -> dict[str, Interval]:
    return {k: value for k in MEASURES if (value := found.get(k)) is not None}
