"""Numbers and tags: how they are spread, which cannot be, and which stand far off."""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.quality.coverage import known
from backend.features.quality.fields import NUMBERS, TAGS, Quantity, figure
from backend.features.quality.findings import Finding
from backend.features.quality.quality_report import Distribution, Tags

Values = npt.NDArray[np.float64]

BINS: Final = 30
SHOWN: Final = 20
_EXAMPLES: Final = 5
_FEWEST: Final = 20  # values, from which on "always the same" and "far off" mean anything
_FAR: Final = 3.0  # quartile distances beyond the quartiles: Tukey's outer fence (Exploratory Data Analysis, 1977)
_MANY: Final = 0.01  # of the values: then what is outside is not an accident
_QUANTILES: Final = (0, 0.01, 0.25, 0.5, 0.75, 0.99, 1)
_MINUTES, _SECONDS = 30, 5_000  # durations below are, told in ms, those of no track


def numbers(table: pa.Table) -> dict[str, tuple[Values, npt.NDArray[np.bool_]]]:
    """The known values of each number, and where they stand."""
    found = {}
    for field in NUMBERS:
        if field in table.column_names and not pa.types.is_null(table.schema.field(field).type):
            column = table.column(field)
            there = known(column)
            found[field] = (np.asarray(column.cast(pa.float64()).to_numpy()[there], np.float64), there)
    return found


def distribution(field: str, values: Values) -> Distribution | None:
    """How the values are spread; None when there are none."""
    if not len(values):
        return None
    of = NUMBERS[field]
    edges = _edges(values, of)
    counts = np.histogram(values, edges)[0]
    return Distribution(
        field=field, unit=of.unit, known=len(values), distinct=len(np.unique(values)), mean=figure(float(values.mean())),
        deviation=figure(float(values.std())), quantiles=tuple(figure(q) for q in np.quantile(values, _QUANTILES).tolist()),
        edges=tuple(figure(e) for e in edges.tolist()), counts=tuple(counts.tolist()),
        outside=int(len(values) - counts.sum()), logarithmic=of.skewed,
    )  # fmt: skip


def findings(field: str, values: Values, ids: list[str] | pa.ChunkedArray) -> list[Finding]:
    """What is wrong with the values of a field.

    Args:
        field: of the track.
        values: the known ones.
        ids: of their tracks.
    """
    found: list[Finding] = []
    if len(values) >= _FEWEST and (values == values[0]).all():
        said = f"{field} is {_text(values[0])} for all {len(values):,} tracks of which it is known: it tells nothing."
        found.append(Finding(severity="warning", kind="constant", field=field, said=said, rows=len(values)))
    wrong = _impossible(values, NUMBERS[field])
    if wrong.any():
        found.append(_of_impossible(field, values, wrong, ids))
    found += _far_off(field, values[~wrong], len(values))
    return found


def tags(table: pa.Table) -> tuple[Tags, ...]:
    """The tags of each field that has some."""
    found = []
    for field in TAGS:
        if field not in table.column_names or pa.types.is_null(table.schema.field(field).type):
            continue
        tagged = int(known(table.column(field)).sum())
        counted = pc.value_counts(pc.list_flatten(table.column(field))).to_pylist()
        ordered = sorted(((str(c["values"]), int(c["counts"])) for c in counted), key=lambda t: (-t[1], t[0]))
        if tagged:
            each = figure(sum(n for _, n in ordered) / tagged)
            found.append(Tags(field=field, distinct=len(ordered), per_track=each, top=tuple(ordered[:SHOWN])))
    return tuple(found)


def _edges(values: Values, of: Quantity) -> Values:
    possible = values[~_impossible(values, of)]
    if not len(possible):
        possible = values
    low, high = (float(q) for q in np.quantile(possible, [0.001, 0.999]))
    if of.unit == "0–1":
        low, high = 0.0, 1.0
    if of.skewed:
        return np.geomspace(max(low, 1.0), max(high, 10.0), BINS + 1)
    if (
        bool((possible == np.rint(possible)).all()) and high - low < BINS * 2
    ):  # whole numbers: bars in the middle of theirs
        step = max(1, -(-int(high - low + 1) // BINS))
        return np.arange(np.floor(low) - 0.5, high + 0.5 + step, step, dtype=np.float64)
    return np.linspace(low, high if high > low else low + 1, BINS + 1)


def _impossible(values: Values, of: Quantity) -> npt.NDArray[np.bool_]:
    wrong = np.zeros(len(values), bool)
    if of.least is not None:
        wrong |= values < of.least
    if of.most is not None:
        wrong |= values > of.most
    return wrong


def _of_impossible(
    field: str, values: Values, wrong: npt.NDArray[np.bool_], ids: list[str] | pa.ChunkedArray
) -> Finding:
    of, n = NUMBERS[field], int(wrong.sum())
    bounds = " to ".join("…" if b is None else f"{b:,}" for b in (of.least, of.most))
    said = f"{n:,} of {len(values):,} values are outside of what can be ({bounds} {of.unit}".rstrip() + ")"
    if field == "duration_ms":
        said += _other_unit(values[wrong])
    rows = np.flatnonzero(wrong)[:_EXAMPLES]
    examples = tuple(f"{ids[int(row)]!s}: {_text(values[row])}" for row in rows)
    return Finding(severity="problem", kind="impossible", field=field, said=f"{said}.", rows=n, examples=examples)


def _other_unit(wrong: Values) -> str:
    if float(np.mean(wrong < _MINUTES)) > 0.5:
        return ", and look like minutes"
    return ", and look like seconds" if float(np.mean(wrong < _SECONDS)) > 0.5 else ""


def _far_off(field: str, values: Values, n: int) -> list[Finding]:
    if len(values) < _FEWEST or NUMBERS[field].skewed:
        return []
    low, high = np.quantile(values, [0.25, 0.75])
    reach = _FAR * (high - low)
    far = int(((values < low - reach) | (values > high + reach)).sum()) if reach else 0
    if not far:
        return []
    said = (
        f"{far:,} values are more than three quartile distances from the middle half ({_text(low)} to {_text(high)})."
    )
    return [
        Finding(severity="warning" if far > _MANY * n else "note", kind="outlier", field=field, said=said, rows=far)
    ]


def _text(value: float) -> str:
    return f"{float(value):,.6g}"
