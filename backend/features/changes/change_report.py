"""The report as values; every part of it can be JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

FORMAT: Final = "tensoe.changes"
VERSION: Final = 1

WHY: Final[Mapping[str, str]] = {
    "album": "its album became known in between",
    "removed": "its album is not in this database: removed or purged since, or the data set was built elsewhere",
    "source": "a source says something else",
    "chosen": "another source gives it than before, for one said something else",
    "together": "another source of its album said something else, which decides on it too",
    "estimate": "another model estimates it, or none",
    "recording": "it shares its recording with other tracks than before",
    "rights": "another level of rights was asked for",
    "recipe": "the recipe asks for something else",
    "policy": "sources are believed in another order",
    "code": "another version of Tensoe",
    "learnt": "something else was learnt from the training rows",
    "track": "the track's own values changed",
    "group": "what it is dealt by changed: its group is called otherwise, groups joined or parted, or the cut in time moved",
    "other": "nothing that is noted; another track may decide on it",
}
"""Reasons, and what they mean."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """Something that was asked for or learnt, and is another now: where it stands, and its two values as JSON text."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Count:
    """How many rows changed for a reason: one of `WHY`."""

    why: str
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChange:
    """A row that came, went, or stands in another part."""

    id: str
    title: str
    artist: str
    before: str | None
    """The part; None where it was not."""
    after: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RowChanges:
    """Rows that came, went or moved: all counted, the first of them by id shown."""

    rows: int
    why: tuple[Count, ...]
    shown: tuple[RowChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueChange:
    """A value that changed, as text, and who gave it."""

    id: str
    before: str | None
    after: str | None
    source_before: str | None
    source_after: str | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldChanges:
    """A field of the tracks, in the rows that both have."""

    field: str
    rows: int
    why: tuple[Count, ...]
    shown: tuple[ValueChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnChange:
    """A column that only one of both has."""

    column: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureChanges:
    """A column of features (or the target), in the rows that both have."""

    column: str
    rows: int
    why: tuple[Count, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """How one data set differs from another.

    Attributes:
        before: fingerprint of the one.
        after: of the other.
        same: whether they are the same, to the byte.
        about: what both manifests say otherwise: name, moment, policy, code, rights, what was lost.
        recipe: what the recipes say otherwise.
        rows_before: rows of the one, in all parts.
        rows_after: of the other.
        came: rows that only the later has.
        went: rows that only the earlier has.
        moved: rows in another part.
        fields: the tracks' fields that have other values; those with the most first.
        columns_came: feature columns that only the later has.
        columns_went: those that only the earlier has.
        features: feature columns that have other values; those with the most first.
        learnt: what the pipelines learnt otherwise.
        learnt_in_all: how many such there are; `learnt` shows the first.
    """

    before: str
    after: str
    same: bool
    about: tuple[Told, ...]
    recipe: tuple[Told, ...]
    rows_before: int
    rows_after: int
    came: RowChanges
    went: RowChanges
    moved: RowChanges
    fields: tuple[FieldChanges, ...]
    columns_came: tuple[ColumnChange, ...]
    columns_went: tuple[ColumnChange, ...]
    features: tuple[FeatureChanges, ...]
    learnt: tuple[Told, ...]
    learnt_in_all: int
    format: str = FORMAT
    version: int = VERSION

    def to_plain(self) -> dict[str, Any]:
        """JSON values; `reasons` says what those that occur mean."""
        plain: dict[str, Any] = msgspec.to_builtins(self)
        plain["reasons"] = {why: WHY[why] for why in WHY if why in self._reasons()}
        return plain

    def _reasons(self) -> set[str]:
        counts = [*self.came.why, *self.went.why, *self.moved.why]
        counts += [c for field in self.fields for c in field.why]
        counts += [c for column in self.features for c in column.why]
        return {c.why for c in counts} | {c.why for c in (*self.columns_came, *self.columns_went)}
