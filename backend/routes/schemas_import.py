"""What HTTP answers of imports."""

from __future__ import annotations

from pydantic import Field

from backend.models.import_results import ImportResult
from backend.routes.schemas import Schema


class ImportedItem(Schema):
    """A page, or a row of a table."""

    file: str = Field(examples=["ratings.csv"])
    line: int | None
    name: str = Field(examples=["The Beatles – Abbey Road"])
    result: ImportResult
    album_id: str | None
    method: str | None
    """How it was laid onto a stored album: link, id, page or name."""
    score: float | None
    """How sure that is, 0..1."""
    detail: str


class ImportAnswer(Schema):
    """What became of the files."""

    counts: dict[str, int]
    """new, matched, unchanged, ambiguous, unreadable."""
    unused_columns: dict[str, list[str]]
    """By table: columns that are not known and were passed over."""
    items: list[ImportedItem]
    """Pages and rows, those to look at first."""
    omitted: int
    """How many more items there are."""
    seconds: float
