"""The target: how its values are shared out among classes and parts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Final

import pyarrow as pa

from backend.features.quality.fields import figure
from backend.features.quality.findings import Finding, Severity
from backend.features.quality.quality_report import Labels
from backend.features.target import Target, labelled, values

_LISTED: Final = 30
_LOPSIDED: Final = 0.9  # of one class: then always saying it looks good
_FEWEST: Final = 0.01  # of a flag: then nearly never


def labels(parts: Mapping[str, pa.Table], target: Target) -> Labels:
    """What the parts know of the target."""
    known: dict[str, int] = {}
    counts: dict[str, Counter[str]] = {}
    for name, table in parts.items():
        y = values(table, target)
        there = labelled(y)
        known[name] = int(there.sum())
        if target.kind != "number":
            counts[name] = Counter(
                str(v) if target.kind == "first" else ("no", "yes")[int(v)] for v in y[there].tolist()
            )
    kind = {"number": "number", "tag": "flag", "first": "class"}[target.kind]
    total = sum(counts.values(), Counter())
    ordered = sorted(total.items(), key=lambda c: (-c[1], c[0]))
    listed = tuple((c, {name: counts[name][c] for name in parts}) for c, _ in ordered[:_LISTED])
    largest = figure(ordered[0][1] / sum(total.values())) if ordered else None
    return Labels(
        name=target.name, kind=kind, known=known, classes=listed, left=max(0, len(ordered) - _LISTED), largest=largest
    )


def findings(found: Labels, parts: Mapping[str, pa.Table]) -> list[Finding]:
    """Lopsided classes, classes that the first part has not, parts without a label."""
    said = []
    for name, n in found.known.items():
        if not n:
            said.append(
                _finding(
                    "problem",
                    "balance",
                    found.name,
                    f"No track of {name} has a known {found.name}.",
                    parts[name].num_rows,
                )
            )
    if found.largest is not None and found.largest >= _LOPSIDED:
        first = found.classes[0][0]
        text = (
            f"{found.largest:.1%} of the labels are “{first}”: "
            "always saying that is right so often; judge by macro-F1 or average precision."
        )
        said.append(_finding("warning", "balance", found.name, text, round(found.largest * sum(found.known.values()))))
    first_part = next(iter(parts), None)
    unseen = [
        (c, sum(of.values()))
        for c, of in found.classes
        if first_part is not None and not of[first_part] and any(of.values())
    ]
    if unseen:
        text = (
            f"{len(unseen)} classes are not in {first_part}, where models learn: {', '.join(c for c, _ in unseen[:5])}."
        )
        said.append(_finding("problem", "unseen", found.name, text, sum(n for _, n in unseen)))
    return said


def _finding(severity: Severity, kind: str, field: str, said: str, rows: int) -> Finding:
    return Finding(severity=severity, kind=kind, field=field, said=said, rows=rows)
