"""What a block of features is: some columns, what must be learnt for them, and how they are computed.

A block is a frozen dataclass of its options. It is written once, as Ibis expressions, and computed by whatever engine runs
them. What it learns is a dict of JSON values, so that a data set can keep it and a single track gets the same columns later.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Final, Protocol, TypeAlias

import ibis
import ibis.expr.types as ir
import pyarrow as pa

from backend.features.columns import Column

Fitted: TypeAlias = Mapping[str, Any]
"""What a block has learnt: JSON values alone."""
Ask: TypeAlias = Callable[[ir.Table], pa.Table]
"""Computes an expression over the tracks that are learnt from."""

ROW: Final = "row_number"
"""The column that numbers the tracks from 0, in their order: joined tables are put back in order by it."""


class Block(Protocol):
    """A group of features."""

    kind: ClassVar[str]

    @property
    def reads(self) -> Sequence[str]:
        """The fields of a track that it is computed from."""
        ...

    def fit(self, tracks: ir.Table, ask: Ask) -> Fitted:
        """What must be known of the training tracks."""
        ...

    def columns(self, fitted: Fitted) -> Sequence[Column]:
        """What its columns are."""
        ...

    def sides(self, fitted: Fitted) -> Mapping[str, pa.Table]:
        """Tables that its expressions need besides the tracks, by names of its own; most need none."""
        ...

    def join(self, tracks: ir.Table, sides: Mapping[str, ir.Table]) -> ir.Table:
        """The tracks with what its expressions need from its tables; columns that it adds begin with "_"."""
        ...

    def express(self, tracks: ir.Table, fitted: Fitted) -> Sequence[ir.Value]:
        """One value per column, never null."""
        ...


class Alone:
    """What a block has that needs no other table."""

    def sides(self, fitted: Fitted) -> Mapping[str, pa.Table]:
        """See `Block`."""
        return {}

    def join(self, tracks: ir.Table, sides: Mapping[str, ir.Table]) -> ir.Table:
        """See `Block`."""
        return tracks


def number(tracks: ir.Table, field: str) -> Any:
    """A numeric or boolean field as float64; null where it is unknown or not finite."""
    column: Any = tracks[field]
    if column.type().is_boolean():
        return column.cast("int8").cast("float64")
    wide = column.cast("float64")
    if column.type().is_floating():
        return ibis.cases((wide.isnan() | wide.isinf(), ibis.null("float64")), else_=wide)
    return wide


def flag(condition: Any) -> Any:
    """A condition as 0.0 or 1.0; unknown is 0."""
    return condition.fill_null(False).cast("float32")


def missing(value: Any) -> Any:
    """Whether a value is unknown, as 0.0 or 1.0."""
    return value.isnull().cast("float32")


def medians(values: Mapping[str, Any], tracks: ir.Table, ask: Ask) -> dict[str, float]:
    """The exact median of each value over the tracks, 0 where all are unknown.

    Order statistics are the same on every engine and with any number of threads; sums of floats are not.
    """
    if not values:
        return {}
    (found,) = ask(tracks.aggregate(**{name: value.median() for name, value in values.items()})).to_pylist()
    return {name: 0.0 if found[name] is None else float(found[name]) for name in values}


def only(given: Sequence[str], allowed: Sequence[str], *, what: str) -> None:
    """See that every name is one of those there are.

    Raises:
        ValueError: one is not; the message names it, and those there are.
    """
    if strange := [name for name in given if name not in allowed]:
        raise ValueError(f"{', '.join(map(repr, strange))} is no {what}; there are {', '.join(allowed)}")
