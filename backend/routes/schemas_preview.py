"""What HTTP answers of a data set that is not built yet."""

from __future__ import annotations

from typing import Literal

from backend.routes.schemas import Schema
from backend.routes.schemas_datasets import DataSetFeature


class CoveredField(Schema):
    """How many of the rows know a field."""

    field: str
    known: int
    share: float


class PreviewLabels(Schema):
    """The target over the rows."""

    known: int
    classes: list[tuple[str, int]]
    """The most frequent ones; none of numbers."""
    left: int
    """Classes that are not listed."""


class Shared(Schema):
    """What two parts share."""

    parts: list[str]
    pairs: int
    rows: dict[str, int]
    examples: list[list[str]]


class Check(Schema):
    """One thing that was looked for."""

    name: str
    meaning: str
    expected_zero: bool
    """Whether this kind of split promises that there is none."""
    shared: list[Shared]
    unchecked: str
    """Why it could not be looked for."""
    holds: bool


class SplitCertificate(Schema):
    """What the parts share; as `certificate.json` of a data set."""

    passed: bool
    rows: dict[str, int]
    left_out: int
    checks: list[Check]


class PreviewRow(Schema):
    """A row as it would stand in the data set."""

    id: str
    title: str
    artist: str
    part: str
    target: float | str | None
    values: list[float]
    """Of the features, in their order."""


class Preview(Schema):
    """What a recipe would give."""

    fitting: int
    """Tracks that the filter takes, all of them."""
    looked_at: int
    """Of them, those that the rest is told of: the first by id."""
    whole: bool
    usable: int
    """Of those looked at, the ones with a target and enough fields."""
    parts: dict[str, int]
    left_out: int
    target: str | None
    target_kind: Literal["number", "class", "flag"] | None
    features: list[DataSetFeature]
    coverage: list[CoveredField]
    labels: PreviewLabels | None
    certificate: SplitCertificate
    notes: list[str]
    first: list[PreviewRow]
