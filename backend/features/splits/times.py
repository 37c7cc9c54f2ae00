"""Parts that follow each other in time."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

import numpy as np
import pyarrow as pa

from backend.features.splits import reading
from backend.features.splits.reading import Days
from backend.features.splits.recipe import SplitRecipe
from backend.features.splits.split import LEFT_OUT, Codes, SplitReport

_EPOCH: Final = date(1970, 1, 1)


def by_time(tracks: pa.Table, recipe: SplitRecipe) -> tuple[Codes, SplitReport]:
    """The part of each track and what is to be known of it; a day's tracks are never parted."""
    days = reading.days(tracks, recipe.dated_by)
    dated = ~np.isnan(days)
    cuts = np.array([(cut - _EPOCH).days for cut in recipe.cuts], float) if recipe.cuts else _found(days[dated], recipe)
    codes = np.full(len(days), LEFT_OUT, np.int16)
    codes[dated] = np.searchsorted(cuts, days[dated], side="right")
    in_gap = np.zeros(len(days), bool)
    for cut in cuts:
        in_gap |= dated & (days >= cut - recipe.gap_days) & (days < cut)
    codes[in_gap] = LEFT_OUT
    if recipe.undated is not None:
        codes[~dated] = recipe.names.index(recipe.undated)
    rows = {name: int(np.count_nonzero(codes == i)) for i, name in enumerate(recipe.names)}
    undated = int(np.count_nonzero(~dated))
    return codes, SplitReport(
        rows=rows,
        left_out=int(np.count_nonzero(codes == LEFT_OUT)),
        groups=len(np.unique(days[dated])),
        undated=undated,
        in_gap=int(np.count_nonzero(in_gap)),
        cuts=tuple((_EPOCH + timedelta(days=int(cut))).isoformat() for cut in cuts if np.isfinite(cut)),
        notes=tuple(_notes(rows, undated=undated, recipe=recipe)),
    )


def _found(days: Days, recipe: SplitRecipe) -> Days:
    """The days before which the nearest to the wanted share of the dated tracks lie; infinite when there is none left."""
    distinct, counts = np.unique(days, return_counts=True)
    before = np.concatenate([[0], np.cumsum(counts)])
    starts = np.append(distinct, np.inf)  # before[i] tracks lie before starts[i]
    wanted = np.cumsum(list(recipe.parts.values()))[:-1] * len(days)
    return np.asarray(starts[[int(np.argmin(np.abs(before - share))) for share in wanted]])


def _notes(rows: dict[str, int], *, undated: int, recipe: SplitRecipe) -> list[str]:
    notes = []
    if undated:
        where = f"stand in {recipe.undated}" if recipe.undated else "are left out"
        notes.append(f"{undated:,} tracks have no {recipe.dated_by} and {where}.")
    if empty := [name for name, count in rows.items() if not count]:
        notes.append(f"No track is in {', '.join(empty)}.")
    if not recipe.cuts:
        notes.append(
            "The cuts follow from the rows at hand: give them as `cuts` and no row moves when the catalogue grows."
        )
    return notes
