"""The report as values; every part of it can be JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import msgspec

from backend.features.quality.findings import Finding

FORMAT: Final = "tensoe.quality"
VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How much of one field is known.

    Attributes:
        field: of the track.
        known: tracks of which it is known.
        share: of all tracks, 0..1.
        parts: the share in each part.
        sources: tracks per source that gave it; a value that several made together counts for each.
        estimated: tracks whose value is a model's.
    """

    field: str
    known: int
    share: float
    parts: dict[str, float]
    sources: dict[str, int]
    estimated: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Distribution:
    """The values of a number.

    Attributes:
        field: of the track.
        unit: of all the values here.
        known: how many there are.
        distinct: how many different ones.
        mean: the average.
        deviation: the standard deviation.
        quantiles: least, 1 %, 25 %, median, 75 %, 99 %, most.
        edges: of the histogram, counts + 1, over the possible values.
        counts: values per bin.
        outside: values outside of the histogram.
        logarithmic: whether the bins widen tenfold in equal steps.
    """

    field: str
    unit: str
    known: int
    distinct: int
    mean: float
    deviation: float
    quantiles: tuple[float, ...]
    edges: tuple[float, ...]
    counts: tuple[int, ...]
    outside: int
    logarithmic: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """The tags of a field: different ones, how many a tagged track has, and the most frequent with their tracks."""

    field: str
    distinct: int
    per_track: float
    top: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Duplicates:
    """Tracks that share what only one should have.

    Attributes:
        by: the key.
        groups: values that more than one track has.
        rows: tracks beyond the first of each group.
        across: groups that stand in more than one part.
        examples: some of the values.
    """

    by: str
    groups: int
    rows: int
    across: int
    examples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Sources that say different things of one field.

    Attributes:
        field: what they differ in.
        subjects: tracks or albums.
        pairs: two sources and the subjects they differ on.
        examples: id, and what each source said.
    """

    field: str
    subjects: int
    pairs: tuple[tuple[str, str, int], ...]
    examples: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """How a field changed since the earlier data set.

    Attributes:
        field: of the track.
        grade: none, moderate or strong.
        coverage_before: share of tracks of which it was known.
        coverage_after: and now is.
        psi: population stability index over the earlier tenths (numbers).
        ks: Kolmogorov–Smirnov distance, 0..1 (numbers).
        variation: total variation distance of the shares, 0..1 (tags).
    """

    field: str
    grade: str
    coverage_before: float
    coverage_after: float
    psi: float | None = None
    ks: float | None = None
    variation: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """The target.

    Attributes:
        name: as y is called.
        kind: number, flag or class.
        known: tracks per part of which it is known.
        classes: tracks per class and part, the most frequent first (flags and classes).
        left: classes that are not listed.
        largest: share of the most frequent class.
    """

    name: str
    kind: str
    known: dict[str, int]
    classes: tuple[tuple[str, dict[str, int]], ...] = ()
    left: int = 0
    largest: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A source and the values it gave, or had a part in."""

    source: str
    values: int
    share: float


@dataclass(frozen=True, slots=True, kw_only=True)
class QualityReport:
    """What a data set is like; tables' rows are the tracks of all parts together.

    Attributes:
        rows: tracks per part.
        findings: worst first.
        coverage: per field.
        distributions: per number.
        tags: per field of tags.
        duplicates: per key.
        contradictions: per field; None when nobody looked for them.
        drift: per field; None without an earlier data set.
        labels: None without a target.
        rights: who gave how many of the values.
        synthetic: made-up tracks.
    """

    rows: dict[str, int]
    findings: tuple[Finding, ...]
    coverage: tuple[Coverage, ...]
    distributions: tuple[Distribution, ...]
    tags: tuple[Tags, ...]
    duplicates: tuple[Duplicates, ...]
    contradictions: tuple[Contradiction, ...] | None
    drift: tuple[Drift, ...] | None
    labels: Labels | None
    rights: tuple[Share, ...]
    synthetic: int = 0
    format: str = FORMAT
    version: int = VERSION

    def to_plain(self) -> dict[str, Any]:
        """JSON values."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        return plain
