"""Bulk imports of tables: how far each has come, and what is told of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Integer, Text, func
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from backend.models.database import Base, Instant


class BulkImportRow(Base):
    """An import of one file read in one way; the same file and mapping are the same import."""

    __tablename__ = "bulk_imports"

    id: Mapped[str] = mapped_column(Text, primary_key=True)  # digest of the file, how it is read, and as whose
    files: Mapped[Any] = mapped_column(JSONB)  # names, for people
    mapping: Mapped[Any] = mapped_column(JSONB)
    source: Mapped[str] = mapped_column(Text)
    done_parts: Mapped[int] = mapped_column(Integer, server_default="0")  # an interrupted import goes on behind them
    report: Mapped[Any | None] = mapped_column(JSONB)
    started_at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(Instant, server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(Instant)


@dataclass(frozen=True, slots=True, kw_only=True)
class MappedColumn:
    """A column that is read: what it holds, how, and three of its values."""

    field: str
    column: str
    unit: str = ""
    samples: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something in a table that a person may want to look at.

    Attributes:
        kind: duplicate, contradiction, unread cell, unusable row, ambiguous.
        lines: where it stands.
        name: of the track or album.
        detail: what is the matter.
    """

    kind: str
    lines: tuple[int, ...]
    name: str = ""
    detail: str = ""


@dataclass(slots=True, kw_only=True)
class TableReport:
    """What became of a table, or would become of it.

    Attributes:
        file: its name.
        shape: what kind of table it is taken for.
        source: whose its values are from now on.
        rights: what they may be used for, and `why`.
        columns: what is read.
        unused: columns passed over.
        rows: how many the table has; `albums` and `tracks` what they are laid together to.
        counts: albums by what became of them: new, matched, unchanged, ambiguous.
        found: how many findings there are of each kind.
        examples: some of them.
        resumed: rows that an earlier, interrupted import had stored.
        dry_run: nothing was stored.
        seconds: it took.
    """

    file: str
    shape: str
    source: str
    rights: str
    why: str
    columns: tuple[MappedColumn, ...] = ()
    unused: tuple[str, ...] = ()
    rows: int = 0
    albums: int = 0
    tracks: int = 0
    singles: int = 0
    counts: dict[str, int] = field(default_factory=dict)
    found: dict[str, int] = field(default_factory=dict)
    examples: tuple[Finding, ...] = ()
    resumed: int = 0
    dry_run: bool = False
    seconds: float = 0.0
