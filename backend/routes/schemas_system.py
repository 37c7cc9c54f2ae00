"""What HTTP answers of the server itself."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from backend.routes.schemas import Schema
from backend.routes.schemas_analytics import Summary


class Alive(Schema):
    """That it is."""

    status: str = Field(examples=["ok"])


class SourceState(Schema):
    """A source as it stands."""

    name: str = Field(examples=["spotify"])
    rights: str = Field(examples=["restricted"])
    """What its terms let one do: open, noncommercial, restricted, unknown, synthetic."""
    stage: str
    in_use: bool
    unconfigured: str | None
    """Which setting is missing; null when it can be asked."""
    stand_in: bool
    """True: asked for the demo only."""
    terms: str


class DatabaseHealth(Schema):
    """Whether the database answers."""

    reachable: bool
    embedded: bool


class Health(Schema):
    """Whether the server can do its work, and how much data it has."""

    name: str
    version: str
    status: str = Field(examples=["ok", "degraded"])
    environment: str
    uptime_seconds: float
    database: DatabaseHealth
    data: Summary | None
    """How much is stored; null while the database does not answer."""
    sources: list[SourceState]
    links: dict[str, str]


class DatabaseState(DatabaseHealth):
    """The database in full."""

    version: str | None = None
    ping_seconds: float | None = None
    detail: str | None = None
    """Why it does not answer."""


class CacheState(Schema):
    """The cache."""

    kind: str = Field(examples=["memory", "redis"])
    reachable: bool
    entries: int | None = None
    bytes: int | None = None
    max_bytes: int | None = None
    ping_seconds: float | None = None


class BudgetAnswer(Schema):
    """How much of a source is used; rates are requests a second, of all workers together."""

    source: str
    group: str
    """The part of it that is counted by itself; empty for all of it."""
    allowed: float | None
    rate: float | None
    """As refusals have taught."""
    used: float
    """Over the last ten minutes."""
    day: int
    """Requests in the last 24 hours."""
    quota: int | None
    """How many of them are allowed, as a refusal taught; null when nobody knows."""
    parked_until: float | None
    """Seconds since 1970, before which nothing is asked; null when it may be asked."""


class StepsAnswer(Schema):
    """What of a source's is to be done."""

    source: str
    queued: int
    parked: int
    oldest: float
    """Seconds since the oldest queued one was last touched."""


class WorkAnswer(Schema):
    """How the work of all workers stands."""

    budgets: list[BudgetAnswer]
    steps: list[StepsAnswer]
    albums: dict[str, int]
    """Of open jobs, by state."""


class SystemAnswer(Schema):
    """Diagnosis."""

    version: str
    uptime_seconds: float
    versions: dict[str, str]
    database: DatabaseState
    cache: CacheState
    sources: list[SourceState]
    settings: dict[str, dict[str, Any]]
    """By group; secrets are masked."""
    sizes: dict[str, Any]
    storage: list[dict[str, Any]]
    """Per source: bytes of its records, and of what its terms allow the share; what to do when it nears that."""
    work: WorkAnswer | None
    """How the work of all workers stands; null while the database does not answer."""
    disk_free_bytes: int


class FindingAnswer(Schema):
    """One thing that was looked at."""

    check: str = Field(examples=["reach: lastfm"])
    grade: str = Field(examples=["ok", "warning", "problem"])
    said: str
    remedy: str
    """What to do about it; empty where nothing needs doing."""


class DoctorAnswer(Schema):
    """All findings, and how many are how grave."""

    grade: str = Field(examples=["ok", "warning", "problem"])
    """Of the gravest finding."""
    problems: int
    warnings: int
    findings: list[FindingAnswer]


class Metric(Schema):
    """A metric with a value per set of labels; timings have count, sum and mean."""

    help: str
    values: list[dict[str, Any]]


class MetricsAnswer(Schema):
    """All metrics by name."""

    metrics: dict[str, Metric]
