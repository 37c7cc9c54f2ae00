"""What HTTP answers of tables that were taken in."""

from __future__ import annotations

from pydantic import Field

from backend.routes.schemas import Schema


class MappedColumn(Schema):
    """A column that is read."""

    field: str = Field(examples=["title"])
    column: str = Field(examples=["track_name"])
    unit: str
    samples: list[str]


class Finding(Schema):
    """Something that a person may want to look at."""

    kind: str = Field(examples=["contradiction"])
    lines: list[int]
    name: str
    detail: str


class TableAnswer(Schema):
    """What became of a table, or would become of it."""

    file: str
    shape: str
    source: str = Field(examples=["spotify_table"])
    rights: str = Field(examples=["restricted"])
    why: str
    columns: list[MappedColumn]
    unused: list[str]
    rows: int
    albums: int
    tracks: int
    singles: int
    """Albums made of a track that says no album."""
    counts: dict[str, int]
    """new, matched, unchanged, ambiguous."""
    found: dict[str, int]
    """How many findings there are of each kind; the first are in `examples`."""
    examples: list[Finding]
    resumed: int
    """Rows that an interrupted import had stored."""
    dry_run: bool
    seconds: float


class TablesAnswer(Schema):
    """Each table in the order given."""

    tables: list[TableAnswer]
