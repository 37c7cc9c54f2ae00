"""Numbers of a track: the value with the median where it is unknown, and a flag that says so."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import ibis
import ibis.expr.types as ir

from backend.features.columns import FLAGS, NUMERIC, Column, missing_flag
from backend.features.pipeline.block import Alone, Ask, Fitted, flag, medians, missing, number, only
from backend.features.target import NUMBERS


@dataclass(frozen=True, slots=True, kw_only=True)
class Numbers(Alone):
    """Two columns per field: the value, and whether it was missing.

    Attributes:
        fields: numeric fields of a track.
        scale: "none", or "robust": less the median, through the range between the quartiles (both of the training tracks).
    """

    kind: ClassVar[str] = "numbers"
    fields: tuple[str, ...] = NUMERIC
    scale: Literal["none", "robust"] = "none"

    def __post_init__(self) -> None:
        only(self.fields, NUMBERS, what="numeric field")

    @property
    def reads(self) -> Sequence[str]:
        """See `Block`."""
        return self.fields

    def fit(self, tracks: ir.Table, ask: Ask) -> Fitted:
        """See `Block`."""
        found = {"medians": medians({f: number(tracks, f) for f in self.fields}, tracks, ask)}
        if self.scale == "robust":
            found["ranges"] = ranges({f: number(tracks, f) for f in self.fields}, tracks, ask)
        return found

    def columns(self, fitted: Fitted) -> Sequence[Column]:
        """See `Block`."""
        return [c for field in self.fields for c in (Column(name=field, of=field), missing_flag(field))]

    def express(self, tracks: ir.Table, fitted: Fitted) -> Sequence[ir.Value]:
        """See `Block`."""
        found: list[ir.Value] = []
        for field in self.fields:
            value = number(tracks, field)
            found += [filled(value, fitted, field), missing(value)]
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag(Alone):
    """A field that is 0 or 1, and whether it was missing (then 0): a median of yes and no means nothing."""

    kind: ClassVar[str] = "flag"
    field: str = "explicit"

    def __post_init__(self) -> None:
        only([self.field], FLAGS, what="field that is yes or no")

    @property
    def reads(self) -> Sequence[str]:
        """See `Block`."""
        return (self.field,)

    def fit(self, tracks: ir.Table, ask: Ask) -> Fitted:
        """Nothing is learnt."""
        return {}

    def columns(self, fitted: Fitted) -> Sequence[Column]:
        """See `Block`."""
        return [Column(name=self.field, of=self.field), missing_flag(self.field)]

    def express(self, tracks: ir.Table, fitted: Fitted) -> Sequence[ir.Value]:
        """See `Block`."""
        value = number(tracks, self.field)
        return [flag(value == 1), missing(value)]


def ranges(values: dict[str, Any], tracks: ir.Table, ask: Ask) -> dict[str, float]:
    """The range between the quartiles of each value; 1 where there is none."""
    if not values:
        return {}
    ends = {f"{name}/{q}": value.quantile(q) for name, value in values.items() for q in (0.25, 0.75)}
    (found,) = ask(tracks.aggregate(**ends)).to_pylist()
    return {name: float((found[f"{name}/0.75"] or 0) - (found[f"{name}/0.25"] or 0)) or 1.0 for name in values}


def filled(value: Any, fitted: Fitted, name: str) -> Any:
    """A value with the median where it is unknown, scaled where that was learnt; float32."""
    median = fitted["medians"][name]
    known = ibis.coalesce(value, ibis.literal(median, "float64"))
    if "ranges" in fitted:
        known = (known - median) / fitted["ranges"][name]
    return known.cast("float32")
