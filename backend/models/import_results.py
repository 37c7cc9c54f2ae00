"""What became of files that a user had read in."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class ImportResult(StrEnum):
    """What became of one page or row."""

    NEW = "new"  # stored as an album of its own
    MATCHED = "matched"  # stored with an album that was there
    UNCHANGED = "unchanged"  # its album says this already
    AMBIGUOUS = "ambiguous"  # several stored albums fit; nothing was stored
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedItem:
    """A page, or a row of a table."""

    file: str
    result: ImportResult
    line: int | None = None  # of a table
    name: str = ""  # artist – title, as far as it was read
    album_id: str | None = None
    method: str | None = None  # how it was laid onto a stored album: link, id, page or name
    score: float | None = None  # 0..1
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class ImportReport:
    """What became of everything that was given.

    Attributes:
        counts: how many of each result.
        items: each page and row, in the order given.
        unused_columns: of each table, the headers that were passed over.
        seconds: how long it took.
    """

    counts: Counter[str] = field(default_factory=Counter)
    items: list[ImportedItem] = field(default_factory=list)
    unused_columns: dict[str, tuple[str, ...]] = field(default_factory=dict)
    seconds: float = 0.0

    def add(self, item: ImportedItem) -> None:
        """Note what became of one."""
        self.counts[item.result] += 1
        self.items.append(item)
