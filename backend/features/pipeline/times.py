"""When a track came out: year, decade, and its age on the data set's day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, ClassVar, Final

import ibis
import ibis.expr.types as ir

from backend.features.columns import Column, missing_flag
from backend.features.pipeline.block import Alone, Ask, Fitted, medians, missing, number
from backend.features.pipeline.numbers import filled

_YEAR_DAYS: Final = 365.2425


@dataclass(frozen=True, slots=True, kw_only=True)
class Times(Alone):
    """The decade, the age in years, and whether the date was missing.

    The year itself is one of `Numbers`. A date of year precision stands on the 1st of January (docs/sources.md).

    Attributes:
        day: on which the age is reckoned: the day of the data set, not the day on which someone computes it again.
    """

    kind: ClassVar[str] = "times"
    day: date

    @property
    def reads(self) -> Sequence[str]:
        """See `Block`."""
        return ("release_date", "release_year")

    def fit(self, tracks: ir.Table, ask: Ask) -> Fitted:
        """See `Block`."""
        return {"medians": medians(self._values(tracks), tracks, ask)}

    def columns(self, fitted: Fitted) -> Sequence[Column]:
        """See `Block`."""
        names = ("release_decade", "release_age_years")
        return [*(Column(name=n, of="release_date") for n in names), missing_flag("release_date")]

    def express(self, tracks: ir.Table, fitted: Fitted) -> Sequence[ir.Value]:
        """See `Block`."""
        values = self._values(tracks)
        date_: Any = tracks.release_date
        return [*(filled(value, fitted, name) for name, value in values.items()), missing(date_)]

    def _values(self, tracks: ir.Table) -> dict[str, Any]:
        year = number(tracks, "release_year")
        released: Any = tracks.release_date
        days = ibis.literal(self.day).delta(released.cast("date"), unit="day").cast("float64")
        return {"release_decade": (year / 10).floor() * 10, "release_age_years": days / _YEAR_DAYS}
