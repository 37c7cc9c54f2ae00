"""How a data set differs from an earlier one.

A population stability index below 0.1 is called no change, above 0.25 a strong one (Siddiqi, Credit Risk Scorecards, 2006).
The Kolmogorov–Smirnov distance is judged by its size, 0.1 and 0.2, for with many tracks every difference is significant; the
total variation of tags and the change of coverage likewise: these limits are ours.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.quality.coverage import known
from backend.features.quality.distributions import Values, numbers
from backend.features.quality.fields import TAGS, figure
from backend.features.quality.findings import Finding
from backend.features.quality.quality_report import Drift

PSI: Final = (0.1, 0.25)
DISTANCE: Final = (0.1, 0.2)
_FEWEST: Final = 50  # values on each side; the index of fewer is mostly chance


def drift(before: pa.Table, after: pa.Table) -> tuple[Drift, ...]:
    """Per number and field of tags that both have."""
    old, new = numbers(before), numbers(after)
    found = []
    for field in (f for f in new if f in old):
        (a, was), (b, now) = old[field], new[field]
        psi = ks = None
        if min(len(a), len(b)) >= _FEWEST:
            psi, ks = figure(stability(a, b)), figure(distance(a, b))
        found.append(_drift(field, _mean(was), _mean(now), psi=psi, ks=ks))
    for field in (f for f in TAGS if f in before.column_names and f in after.column_names):
        was, now = known(before.column(field)), known(after.column(field))
        far = None
        if min(was.sum(), now.sum()) >= _FEWEST:
            far = figure(_variation(before.column(field), after.column(field)))
        found.append(_drift(field, _mean(was), _mean(now), variation=far))
    return tuple(found)


def findings(found: tuple[Drift, ...], rows: int) -> list[Finding]:
    """The fields that changed."""
    said = []
    for d in found:
        if d.grade == "none":
            continue
        measured = (("PSI", d.psi), ("KS", d.ks), ("total variation", d.variation))
        figures = [f"{name} {value:.2f}" for name, value in measured if value is not None]
        figures.append(f"known of {d.coverage_before:.0%} → {d.coverage_after:.0%}")
        said.append(
            Finding(
                severity="warning" if d.grade == "strong" else "note", kind="drift", field=d.field, rows=rows,
                said=f"{d.field} changed since the earlier data set ({', '.join(figures)}).",
            )
        )  # fmt: skip
    return said


def stability(before: Values, after: Values) -> float:
    """Population stability index over the earlier tenths; a bin that is empty on one side counts half a value there."""
    cuts = np.unique(np.quantile(before, np.arange(1, 10) / 10))
    shares = []
    for values in (before, after):
        counts = np.bincount(np.searchsorted(cuts, values, side="left"), minlength=len(cuts) + 1).astype(np.float64)
        shares.append(np.maximum(counts, 0.5) / len(values))
    p, q = shares
    return float(((q - p) * np.log(q / p)).sum())


def distance(before: Values, after: Values) -> float:
    """The greatest difference of the two cumulative shares (Kolmogorov–Smirnov)."""
    a, b = np.sort(before), np.sort(after)
    at = np.concatenate([a, b])
    return float(np.abs(np.searchsorted(a, at, "right") / len(a) - np.searchsorted(b, at, "right") / len(b)).max())


def _variation(before: pa.ChunkedArray, after: pa.ChunkedArray) -> float:
    shares = []
    for column in (before, after):
        counted = pc.value_counts(pc.list_flatten(column)).to_pylist()
        total = sum(c["counts"] for c in counted)
        shares.append({str(c["values"]): c["counts"] / total for c in counted})
    p, q = shares
    return 0.5 * float(sum(abs(p.get(tag, 0.0) - q.get(tag, 0.0)) for tag in sorted({*p, *q})))


def _mean(flags: np.ndarray[tuple[int], np.dtype[np.bool_]]) -> float:
    return figure(float(flags.mean())) if len(flags) else 0.0


def _drift(
    field: str, was: float, now: float, *, psi: float | None = None, ks: float | None = None, variation: float | None = None
) -> Drift:  # fmt: skip
    measured = [(psi, PSI), (ks, DISTANCE), (variation, DISTANCE), (abs(now - was), DISTANCE)]
    level = max(sum(value > limit for limit in limits) for value, limits in measured if value is not None)
    return Drift(
        field=field, grade=("none", "moderate", "strong")[level], coverage_before=was, coverage_after=now, psi=psi, ks=ks,
        variation=variation,
    )  # fmt: skip
