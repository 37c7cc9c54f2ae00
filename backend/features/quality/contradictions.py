"""What sources say differently of one thing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import combinations, groupby
from operator import itemgetter
from typing import Any, Final

import pyarrow as pa
import pyarrow.compute as pc

from backend.features.quality.findings import Finding
from backend.features.quality.quality_report import Contradiction

_EXAMPLES: Final = 5
_MANY: Final = 0.05  # of all tracks
_AT_ONCE: Final = 10_000

Said = dict[str, str]
Pair = tuple[str, str]


def contradictions(table: pa.Table) -> tuple[Contradiction, ...]:
    """Per field, the most frequent first.

    Args:
        table: id, field, source and value (any type): one row for each source that takes part in a contradiction. Where there is
            a column others too, a source differs from those that it lists; else from all whose value is not its own.
    """
    fields = table.column("field").cast(pa.string())
    found = (_contradiction(field, table.filter(pc.equal(fields, field))) for field in pc.unique(fields).to_pylist())
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


def _contradiction(field: str, table: pa.Table) -> Contradiction:
    pairs: Counter[Pair] = Counter()
    examples: list[tuple[str, tuple[Pair, ...]]] = []
    subjects = 0
    for subject, said, differing in _subjects(table):
        subjects += 1
        pairs.update(differing)
        if len(examples) < _EXAMPLES:
            examples.append((subject, tuple(sorted(said.items()))))
    return Contradiction(
        field=field, subjects=subjects, examples=tuple(examples),
        pairs=tuple((a, b, n) for (a, b), n in sorted(pairs.items(), key=lambda p: (-p[1], p[0]))),
    )  # fmt: skip


def _subjects(table: pa.Table) -> Iterator[tuple[str, Said, set[Pair]]]:
    """What was said of one thing after another, by id, and who differs; some thousand rows are Python's at a time."""
    names = ["id", "source", "value", *(["others"] if "others" in table.column_names else [])]
    named = table.select(names)
    for i, name in enumerate(names[:2]):
        named = named.set_column(i, name, named.column(name).cast(pa.string()))
    rows = _rows(named.sort_by([("id", "ascending"), ("source", "ascending")]))
    for subject, group in groupby(rows, key=itemgetter("id")):
        listed = list(group)
        said = {row["source"]: str(row["value"]) for row in listed}
        if "others" in names:
            differing = {(row["source"], other) for row in listed for other in row["others"] if row["source"] < other}
        else:
            differing = {(a, b) for a, b in combinations(sorted(said), 2) if said[a] != said[b]}
        yield subject, said, differing


def _rows(table: pa.Table) -> Iterator[dict[str, Any]]:
    for batch in table.to_batches(max_chunksize=_AT_ONCE):
        yield from batch.to_pylist()
