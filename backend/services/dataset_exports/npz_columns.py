"""Columns of any kind as plain NumPy arrays, laid out as Arrow has them: nothing is padded, nothing pickled."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Array = npt.NDArray[Any]
Member = tuple[str, np.dtype[Any], int, Iterable[Array]]
"""The ending of its name, its type and length, and its values."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column that can be read again and again.

    Attributes:
        read: gives its values from the first on.
        rows: how many there are.
        kind: Arrow's.
    """

    read: Callable[[], Iterable[pa.Array]]
    rows: int
    kind: pa.DataType


def dense(array: pa.Array) -> Array:
    """Numbers, flags or dates; what is unknown is NaN, NaT, 0 or False."""
    kind = array.type
    if pa.types.is_date32(kind):
        days = array.cast(pa.int32()).cast(pa.int64())
        return _filled(days, np.iinfo(np.int64).min).view("datetime64[D]")  # NaT
    if pa.types.is_timestamp(kind):
        return _filled(array.cast(pa.int64()), np.iinfo(np.int64).min).view(f"datetime64[{kind.unit}]")
    return _filled(array, np.nan if pa.types.is_floating(kind) else pa.scalar(0).cast(kind))


def _filled(array: pa.Array, value: Any) -> Array:
    full = array.fill_null(value) if array.null_count else array
    found: Array = full.to_numpy(zero_copy_only=False)
    return found


def texts(array: pa.Array) -> Array:
    """Texts of fixed width; an unknown one is empty."""
    return np.array(array.fill_null("").to_pylist(), dtype=np.str_)


def put_column(column: Column) -> Iterator[Member]:
    """The members that a column becomes.

    Numbers, flags and dates are one array. A text column is `.utf8`, all its bytes, and `.offsets`, where each text begins and
    the last ends; a column of lists has `.offsets` into `.item.utf8` and `.item.offsets`. `.known` says which values are known.
    """
    if pa.types.is_list(column.kind):
        items = Column(read=lambda: (a.flatten() for a in column.read()), rows=_sum(_counts(column)), kind=pa.string())
        yield ".offsets", np.dtype(np.int64), column.rows + 1, _offsets(_counts(column))
        for ending, dtype, length, chunks in _texts(items):
            yield f".item{ending}", dtype, length, chunks
    elif pa.types.is_string(column.kind):
        yield from _texts(column)
    else:
        yield "", dense(pa.array([], column.kind)).dtype, column.rows, (dense(a) for a in column.read())
    yield ".known", np.dtype(np.bool_), column.rows, (dense(a.is_valid()) for a in column.read())


def _texts(column: Column) -> Iterator[Member]:
    yield ".offsets", np.dtype(np.int64), column.rows + 1, _offsets(_lengths(column))
    yield ".utf8", np.dtype(np.uint8), _sum(_lengths(column)), (_bytes(a) for a in column.read())


def _bytes(array: pa.Array) -> Array:
    joined = b"".join(array.fill_null("").cast(pa.binary()).to_pylist())
    return np.frombuffer(joined, np.uint8)


def _lengths(column: Column) -> Iterator[Array]:
    return (dense(pc.binary_length(a)).astype(np.int64) for a in column.read())


def _counts(column: Column) -> Iterator[Array]:
    return (dense(pc.list_value_length(a)).astype(np.int64) for a in column.read())


def _sum(chunks: Iterable[Array]) -> int:
    return sum(int(chunk.sum()) for chunk in chunks)


def _offsets(lengths: Iterator[Array]) -> Iterator[Array]:
    at = np.zeros(1, np.int64)
    yield at
    for chunk in lengths:
        if len(chunk):
            ends = at[-1] + np.cumsum(chunk)
            yield ends
            at = ends
