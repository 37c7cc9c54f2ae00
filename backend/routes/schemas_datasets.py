"""What HTTP takes and answers of data sets."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import ConfigDict, Field

from backend.routes.schemas import Schema
from backend.routes.schemas_quality import QualityReport


class RecipeRequest(Schema):
    """What a data set is to be made of; see docs/datasets.md."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(max_length=80, examples=["songs"])
    target: str | None = Field(default=None, max_length=200, examples=["genre", "popularity", "mood:mellow"])
    filter: dict[str, Any] = Field(default_factory=dict, examples=[{"genres": ["rock"], "rights": "open"}])
    features: list[dict[str, Any]] = Field(
        default_factory=list, max_length=100, examples=[[{"kind": "audio", "tempo": "folded"}]]
    )
    split: dict[str, Any] = Field(default_factory=dict, examples=[{"kind": "artist", "seed": 0}])
    min_features: int = Field(default=3, ge=0)
    keep_unlabelled: bool = False
    naive_gain: bool = True
    as_of: datetime | None = Field(default=None, examples=[None])
    """A past moment with its time zone: made of what was known then."""


class Lost(Schema):
    """What was known at a past moment and was taken out since."""

    source: str | None
    """That was purged; null: whole albums were removed."""
    albums: int
    records: int
    at: datetime


class DataSetFeature(Schema):
    """A column of features."""

    name: str
    of: str
    kind: Literal["value", "category", "tag", "embedding", "missing"]
    label: str | None


class DataSetFile(Schema):
    """A file of a data set."""

    path: str
    sha256: str
    bytes: int
    rows: int | None


class DataSetManifest(Schema):
    """What a data set is."""

    fingerprint: str
    """SHA-256 over all files but the manifest."""
    name: str
    watermark: datetime
    """What was known at this moment is in it, and nothing else."""
    code: str
    """The version of Tensoe that built it."""
    rights: str
    target: str | None
    target_kind: Literal["number", "class", "flag"] | None
    parts: dict[str, int]
    """Rows per part."""
    features: list[DataSetFeature]
    files: list[DataSetFile]
    policy: str
    """The merge policy that its values were chosen by."""
    lost: list[Lost]
    format: str
    version: int


class DataSets(Schema):
    """All data sets."""

    data: list[DataSetManifest]


class Told(Schema):
    """Something that was asked for or learnt, and is another now; values as JSON text."""

    path: str
    before: str | None
    after: str | None


class ReasonCount(Schema):
    """How many rows changed for a reason."""

    why: str
    rows: int


class RowChange(Schema):
    """A row that came, went, or stands in another part."""

    id: str
    title: str
    artist: str
    before: str | None
    """The part; null where it was not."""
    after: str | None
    why: str


class RowChanges(Schema):
    """Rows that came, went or moved: all counted, the first of them by id shown."""

    rows: int
    why: list[ReasonCount]
    shown: list[RowChange]


class ValueChange(Schema):
    """A value that changed, as text, and who gave it."""

    id: str
    before: str | None
    after: str | None
    source_before: str | None
    source_after: str | None
    why: str


class FieldChanges(Schema):
    """A field of the tracks, in the rows that both have."""

    field: str
    rows: int
    why: list[ReasonCount]
    shown: list[ValueChange]


class ColumnChange(Schema):
    """A column that only one of both has."""

    column: str
    why: str


class FeatureChanges(Schema):
    """A column of features (or the target), in the rows that both have."""

    column: str
    rows: int
    why: list[ReasonCount]


class Changes(Schema):
    """How one data set differs from another, and why."""

    before: str
    after: str
    same: bool
    about: list[Told]
    recipe: list[Told]
    rows_before: int
    rows_after: int
    came: RowChanges
    went: RowChanges
    moved: RowChanges
    fields: list[FieldChanges]
    columns_came: list[ColumnChange]
    columns_went: list[ColumnChange]
    features: list[FeatureChanges]
    learnt: list[Told]
    learnt_in_all: int
    format: str
    version: int
    reasons: dict[str, str]
    """What those that occur mean."""


class Drifted(Schema):
    """A data set's quality report, with its drift since another one."""

    before: str
    after: str
    report: QualityReport
    """As `quality.json` of a data set, with `drift` by field."""


class DataSetTask(Schema):
    """A build or an export on its way."""

    id: str
    kind: Literal["build", "export"]
    name: str
    state: Literal["waiting", "running", "done", "failed"]
    step: str = Field(examples=["reading tracks"])
    """What a build is at; empty of others, and before it begins."""
    done: int
    """Rows written so far, of an export; steps that are done, of a build."""
    total: int | None
    """Rows or steps in all; null before it is known."""
    detail: str
    """Why it failed."""
    result: str | None
    """The fingerprint that was built, or the exported file's name."""
    is_new: bool | None
    """Of a build: whether there was none of the same content."""
    asked_at: datetime
    ended_at: datetime | None


class Removed(Schema):
    """What was removed."""

    fingerprint: str
    name: str


class FeaturesRequest(Schema):
    """Tracks whose features are wanted."""

    model_config = ConfigDict(extra="forbid")

    dataset: str = Field(max_length=80, examples=["songs"])
    """A name, or the first digits of a fingerprint."""
    tracks: list[dict[str, Any]] = Field(
        min_length=1, max_length=1_000, examples=[[{"title": "Come Together", "artist": "The Beatles", "tempo": 165.0}]]
    )
    """Fields by name; what a track does not name is unknown."""


class Features(Schema):
    """Features of tracks, as in training."""

    fingerprint: str
    names: list[str]
    rows: list[list[float]]
