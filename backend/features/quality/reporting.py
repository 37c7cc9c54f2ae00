"""Putting a report together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.features.quality import contradictions as differing
from backend.features.quality import coverage as covering
from backend.features.quality import distributions, drift, duplicates, labels
from backend.features.quality.findings import Finding, ranked
from backend.features.quality.quality_report import Coverage, QualityReport
from backend.features.target import Target
from backend.utils.errors import InvalidInputError

_UNKNOWN: Final = 0.5  # of the tracks: below, a field is mostly guessed


def report(
    parts: Mapping[str, pa.Table],
    *,
    target: Target | None = None,
    before: Mapping[str, pa.Table] | None = None,
    contradictions: pa.Table | None = None,
) -> QualityReport:
    """What a data set is like. The same tables give the same report, to the byte.

    Args:
        parts: tracks per part, in their order; the first is what models learn from. Columns as `repositories.track_columns` has
            them, `id` at least; others may be missing.
        target: what is to be predicted.
        before: the parts of an earlier data set, to compare with.
        contradictions: id, field, source, value of what sources say differently; None when nobody looked.

    Raises:
        InvalidInputError: there is no part, or one has no ids.
    """
    table = _together(parts)
    found: list[Finding] = []
    covered = covering.coverage(parts, table)
    found += _gaps(covered, table.num_rows)
    spread = []
    for field, (values, there) in distributions.numbers(table).items():
        of = distributions.distribution(field, values)
        if of is not None:
            spread.append(of)
            ids = table.column("id").take(pa.array(np.flatnonzero(there)))
            found += distributions.findings(field, values, ids)
    twice = duplicates.duplicates(parts, table)
    found += duplicates.findings(twice)
    differ = None if contradictions is None else differing.contradictions(contradictions)
    found += differing.findings(differ or (), table.num_rows)
    changed = None if before is None else drift.drift(_together(before), table)
    found += drift.findings(changed or (), table.num_rows)
    y = None if target is None else labels.labels(parts, target)
    found += labels.findings(y, parts) if y else []
    made_up = pc.sum(table.column("synthetic")).as_py() if "synthetic" in table.column_names else 0
    return QualityReport(
        rows={name: part.num_rows for name, part in parts.items()}, findings=ranked(found), coverage=covered,
        distributions=tuple(spread), tags=distributions.tags(table), duplicates=twice, contradictions=differ, drift=changed,
        labels=y, rights=covering.shares(covered), synthetic=int(made_up or 0),
    )  # fmt: skip


def _together(parts: Mapping[str, pa.Table]) -> pa.Table:
    if not parts:
        raise InvalidInputError("there is no part to report on; give at least one table of tracks")
    if lacking := [name for name, part in parts.items() if "id" not in part.column_names]:
        raise InvalidInputError(f"the tracks of {', '.join(lacking)} have no column id")
    return pa.concat_tables(list(parts.values()), promote_options="permissive")


def _gaps(covered: tuple[Coverage, ...], rows: int) -> list[Finding]:
    found = []
    for c in covered:
        if rows and not c.known:
            text = f"{c.field} is known of no track."
            found.append(Finding(severity="note", kind="coverage", field=c.field, said=text, rows=rows))
        elif rows and c.share < _UNKNOWN:
            text = f"{c.field} is known of {c.share:.1%} of the tracks only."
            found.append(Finding(severity="note", kind="coverage", field=c.field, said=text, rows=rows - c.known))
    return found
