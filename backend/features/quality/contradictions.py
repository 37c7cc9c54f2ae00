"""What sources say differently of one thing."""

from __future__ import annotations

from collections import Counter
from itertools import combinations
from typing import Final

import pyarrow as pa

from backend.features.quality.findings import Finding
from backend.features.quality.quality_report import Contradiction

_EXAMPLES: Final = 5
_MANY: Final = 0.05  # of all tracks

Said = dict[str, dict[str, str]]


def contradictions(table: pa.Table) -> tuple[Contradiction, ...]:
    """Per field, the most frequent first.

    Args:
        table: id, field, source and value (any type): one row for each source that takes part in a contradiction.
    """
    fields: dict[str, Said] = {}
    for batch in table.select(["id", "field", "source", "value"]).to_batches():
        values = (str(v) for v in batch.column("value").to_pylist())
        names = (batch.column(c).to_pylist() for c in ("id", "field", "source"))
        for (subject, field, source), value in zip(zip(*names, strict=True), values, strict=True):
            fields.setdefault(str(field), {}).setdefault(str(subject), {})[str(source)] = value
    found = (_contradiction(field, said) for field, said in fields.items())
    return tuple(sorted(found, key=lambda c: (-c.subjects, c.field)))


def findings(found: tuple[Contradiction, ...], rows: int) -> list[Finding]:
    """A finding per field."""
    return [
        Finding(
            severity="warning" if c.subjects > _MANY * rows else "note", kind="contradiction", field=c.field, rows=c.subjects,
            said=f"Sources differ on {c.field} of {c.subjects:,} tracks or albums.", examples=tuple(e[0] for e in c.examples),
        )
        for c in found
    ]  # fmt: skip


def _contradiction(field: str, said: Said) -> Contradiction:
    pairs: Counter[tuple[str, str]] = Counter()
    for values in said.values():
        pairs.update((a, b) for a, b in combinations(sorted(values), 2) if values[a] != values[b])
    return Contradiction(
        field=field, subjects=len(said),
        pairs=tuple((a, b, n) for (a, b), n in sorted(pairs.items(), key=lambda p: (-p[1], p[0]))),
        examples=tuple((subject, tuple(sorted(said[subject].items()))) for subject in sorted(said)[:_EXAMPLES]),
    )  # fmt: skip
