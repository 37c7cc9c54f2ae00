"""What a reader should look at first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

Severity = Literal["problem", "warning", "note"]
ORDER: Final = {"problem": 0, "warning": 1, "note": 2}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is, or may be, wrong.

    Attributes:
        severity: `problem` (a model would learn what is not so), `warning` (look at it) or `note`.
        kind: constant, impossible, outlier, duplicate, contradiction, drift, coverage, balance or unseen.
        field: of the track; the target's name for labels.
        said: a sentence, with numbers.
        rows: tracks that it concerns.
        examples: some ids or values.
    """

    severity: Severity
    kind: str
    field: str
    said: str
    rows: int
    examples: tuple[str, ...] = ()


def ranked(findings: list[Finding]) -> tuple[Finding, ...]:
    """Worst first, then by the rows concerned."""
    return tuple(sorted(findings, key=lambda f: (ORDER[f.severity], -f.rows, f.kind, f.field, f.said)))
