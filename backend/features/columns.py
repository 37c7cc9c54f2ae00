"""What the columns of a feature matrix are, and the form that every block of them has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backend.utils.text import fold

Floats: TypeAlias = npt.NDArray[np.float32]
Values: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

NUMERIC: Final = ("duration_ms", "popularity", "track_number", "release_year")
CONTINUOUS: Final = (
    "acousticness", "danceability", "energy", "instrumentalness", "liveness", "loudness", "speechiness", "tempo", "valence",
)  # fmt: skip
CATEGORIES: Final = ("key", "mode", "time_signature")
TAGS: Final = ("genres", "moods")
FLAGS: Final = ("explicit",)
FEATURES: Final = (*NUMERIC, *CONTINUOUS, *CATEGORIES, *TAGS, *FLAGS)
"""The fields of a track that X is made of, in the order of X's blocks: 19 that can be known or not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of X.

    Attributes:
        name: unique in its matrix; letters, digits and "_" (LightGBM and XGBoost refuse most other signs).
        of: the field of the track that it is computed from.
        kind: the value itself, one category of it (0/1), one tag of it (0/1), one dimension of an embedding, or whether it
            was missing (0/1).
        label: the category, tag or dimension.
    """

    name: str
    of: str
    kind: Literal["value", "category", "tag", "embedding", "missing"] = "value"
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """Some columns, and how to write them.

    Attributes:
        columns: what is written.
        write: fills an array of zeros, n_tracks × n_columns of this block.
    """

    columns: tuple[Column, ...]
    write: Callable[[Floats], None]


def missing_flag(field: str) -> Column:
    """The column that says whether the field was unknown."""
    return Column(name=f"{field}_missing", of=field, kind="missing")


def slug(text: str) -> str:
    """A tag as part of a column's name.

    >>> slug("hip hop"), slug("R&B"), slug("!!!")
    ('hip_hop', 'r_and_b', 'u21u21u21')
    """
    return "".join(c if c.isalnum() else "_" if c == " " else f"u{ord(c):x}" for c in fold(text))


def with_unique_names(columns: Iterable[Column]) -> tuple[Column, ...]:
    """The columns, later ones of a name that is taken already with a number behind it."""
    found = list(columns)
    taken = Counter(column.name for column in found)
    seen: set[str] = set()
    for i, column in enumerate(found):
        name, number = column.name, 2
        while name in seen or (name != column.name and name in taken):
            name, number = f"{column.name}_{number}", number + 1
        seen.add(name)
        if name != column.name:
            found[i] = replace(column, name=name)
    return tuple(found)


def floats(table: pa.Table, field: str) -> Values:
    """A numeric or boolean field as float64; NaN where it is unknown or not finite."""
    column = table.column(field)
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    values: Values = column.cast(pa.float64()).to_numpy(zero_copy_only=False).copy()
    values[~np.isfinite(values)] = np.nan
    return values


def lists(table: pa.Table, field: str) -> Any:
    """A field of tags as one list array."""
    column = table.column(field)
    if pa.types.is_null(column.type):  # a table of no row, or one in which nothing is known
        column = column.cast(pa.list_(pa.string()))
    joined = column.combine_chunks()
    return joined.combine_chunks() if isinstance(joined, pa.ChunkedArray) else joined


def known(table: pa.Table, field: str) -> Flags:
    """Where a field says something: numbers that are finite, lists that hold a tag, a key that was found."""
    if field in TAGS:
        lengths = lists(table, field).value_lengths().fill_null(0)
        return np.asarray(lengths.to_numpy(zero_copy_only=False) > 0)
    values = floats(table, field)
    # Spotify writes -1 for "no key was found".
    return np.asarray(values >= 0 if field == "key" else ~np.isnan(values))


def known_count(table: pa.Table, fields: Sequence[str]) -> npt.NDArray[np.int64]:
    """How many of the fields are known, per track."""
    count = np.zeros(table.num_rows, np.int64)
    for field in fields:
        count += known(table, field)
    return count
