"""Numbers of a track: unknown ones get the median and a flag."""

from __future__ import annotations

import warnings
from collections.abc import Collection

import numpy as np
import pyarrow as pa

from backend.features.columns import (
    FLAGS,
    NUMERIC,
    Block,
    Column,
    Flags,
    Floats,
    Values,
    floats,
    missing_flag,
)


def fill(values: Values) -> tuple[Values, Flags]:
    """The values with the median where they are NaN (0 when all are), and where they were.

    >>> fill(np.array([1.0, np.nan, 5.0]))[0].tolist()
    [1.0, 3.0, 5.0]
    """
    missing = np.isnan(values)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of an empty slice: handled in the next line
        median = float(np.nanmedian(values)) if not missing.all() else 0.0
    return np.where(missing, median, values), missing


def numbers(table: pa.Table, fields: Collection[str]) -> Block:
    """Two columns per field: the value (median where unknown), and whether it was missing."""
    columns = tuple(c for field in fields for c in (Column(name=field, of=field), missing_flag(field)))

    def write(out: Floats) -> None:
        for i, field in enumerate(fields):
            out[:, 2 * i], out[:, 2 * i + 1] = fill(floats(table, field))

    return Block(columns=columns, write=write)


def numeric(table: pa.Table, *, without: Collection[str] = ()) -> Block:
    """duration_ms, popularity, track_number and release_year."""
    return numbers(table, [field for field in NUMERIC if field not in without])


def explicit(table: pa.Table, *, without: Collection[str] = ()) -> Block:
    """Explicit as 0 or 1; unknown is 0 and flagged, for a median of yes and no means nothing."""
    if FLAGS[0] in without:
        return Block(columns=(), write=lambda _: None)
    return yes_or_no(table, FLAGS[0])


def yes_or_no(table: pa.Table, field: str) -> Block:
    """A field that is 0 or 1, and whether it was missing (then 0)."""

    def write(out: Floats) -> None:
        values = floats(table, field)
        out[:, 0], out[:, 1] = values == 1, np.isnan(values)

    return Block(columns=(Column(name=field, of=field), missing_flag(field)), write=write)
