"""What HTTP answers of quality; see docs/quality.md."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from backend.routes.schemas import Schema


class QualityFinding(Schema):
    """Something that is, or may be, wrong."""

    severity: Literal["problem", "warning", "note"]
    kind: str
    field: str
    said: str
    rows: int
    examples: list[str]


class FieldCoverage(Schema):
    """How much of one field is known."""

    field: str
    known: int
    share: float
    parts: dict[str, float]
    """The share in each part."""
    sources: dict[str, int]
    """Tracks per source that gave it; a value that several made together counts for each."""
    estimated: int


class Distribution(Schema):
    """The values of a number."""

    field: str
    unit: str
    known: int
    distinct: int
    mean: float
    deviation: float
    quantiles: list[float]
    """Least, 1 %, 25 %, median, 75 %, 99 %, most."""
    edges: list[float]
    """Of the histogram."""
    counts: list[int]
    outside: int
    """Values that the histogram does not show."""
    logarithmic: bool


class Tags(Schema):
    """The tags of a field."""

    field: str
    distinct: int
    per_track: float
    top: list[tuple[str, int]]


class Duplicates(Schema):
    """Tracks that share what only one should have."""

    by: str
    groups: int
    rows: int
    """Tracks beyond the first of each group."""
    across: int
    """Groups that stand in more than one part."""
    examples: list[str]


class Contradiction(Schema):
    """Sources that say different things of one field."""

    field: str
    subjects: int
    pairs: list[tuple[str, str, int]]
    """Two sources, and the tracks or albums they differ on."""
    examples: list[tuple[str, list[tuple[str, str]]]]
    """An id, and what each source said."""


class Drift(Schema):
    """How a field changed since the earlier data set."""

    field: str
    grade: Literal["none", "moderate", "strong"]
    coverage_before: float
    coverage_after: float
    psi: float | None
    ks: float | None
    variation: float | None


class Labels(Schema):
    """The target."""

    name: str
    kind: Literal["number", "flag", "class"]
    known: dict[str, int]
    classes: list[tuple[str, dict[str, int]]]
    """Tracks per class and part, the most frequent first."""
    left: int
    """Classes that are not listed."""
    largest: float | None


class Share(Schema):
    """A source and the values it gave, or had a part in."""

    source: str
    values: int
    share: float


class QualityReport(Schema):
    """What tracks are like, as `quality.json` of a data set."""

    rows: dict[str, int]
    findings: list[QualityFinding]
    coverage: list[FieldCoverage]
    distributions: list[Distribution]
    tags: list[Tags]
    duplicates: list[Duplicates]
    contradictions: list[Contradiction] | None
    """Null when nobody looked for them."""
    drift: list[Drift] | None
    labels: Labels | None
    rights: list[Share]
    synthetic: int
    format: str
    version: int


class CatalogueQuality(Schema):
    """What the catalogue is like."""

    fitting: int
    """Tracks that the filter takes."""
    looked_at: int
    """Of them, those that the report is of: the first by id."""
    whole: bool
    moment: datetime
    since: str | None
    """The data set that drift is told since."""
    report: QualityReport
