"""What a map is coloured by: one small number a track, and what the numbers mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from backend.features.columns import Values, floats, lists
from backend.features.map.layout import Rows
from backend.features.map.picture import Picture
from backend.models.map_columns import ColumnName

CLASSES: Final = 20
"""Named classes of a column; all that is rarer is "other"."""
OTHER: Final = "other"
_AT_ONCE: Final = 100_000
_NO_NUMBER: Final = {np.uint8: 255, np.uint16: 0}


@dataclass(frozen=True, slots=True)
class MapColumn:
    """A column of a picture.

    Attributes:
        values: n, uint8 or uint16.
        legend: `kind` "class" with `classes` (code, name, count; the most frequent first), or "number" with `low` and `high`
            (between which 96 in 100 lie); `unknown`, the code of what is not known, and `missing`, how many those are.
    """

    values: npt.NDArray[np.uint8 | np.uint16]
    legend: dict[str, Any]

    @classmethod
    def of_numbers(cls, numbers: Values, kind: type[np.uint8] | type[np.uint16]) -> Self:
        """Numbers as whole ones; NaN is unknown."""
        unknown = _NO_NUMBER[kind]
        there = ~np.isnan(numbers)
        most = 254 if kind is np.uint8 else 65_535
        values = np.full(len(numbers), unknown, kind)
        values[there] = np.clip(np.round(numbers[there]), 0, most).astype(kind)
        known = numbers[there]
        low, high = (None, None) if not len(known) else (float(q) for q in np.quantile(known, (0.02, 0.98)))
        return cls(
            values,
            {"kind": "number", "low": low, "high": high, "unknown": unknown, "missing": int((~there).sum())},
        )

    @classmethod
    def of_codes(cls, codes: Rows, names: Sequence[str]) -> Self:
        """The most frequent names as codes from 1 on, the others as one more, none as 0.

        Args:
            codes: n places in the list of names; -1 for none.
            names: each once.
        """
        counts = np.bincount(codes[codes >= 0], minlength=len(names))
        order = sorted((i for i in range(len(names)) if counts[i]), key=lambda i: (-counts[i], names[i]))
        shown = order if len(order) <= CLASSES + 1 else order[:CLASSES]
        place = np.full(len(names) + 1, len(shown) + 1, np.uint8)
        place[-1] = 0
        for code, i in enumerate(shown, 1):
            place[i] = code
        values = place[codes]
        classes = [{"code": c, "name": names[i], "count": int(counts[i])} for c, i in enumerate(shown, 1)]
        if rest := int(counts[[i for i in order if i not in set(shown)]].sum()):
            classes.append({"code": len(shown) + 1, "name": OTHER, "count": rest})
        legend = {"kind": "class", "classes": classes, "unknown": 0, "missing": int((codes < 0).sum())}
        return cls(values, legend)


def column_of(picture: Picture, name: ColumnName, family: Callable[[str], str]) -> MapColumn:
    """A column that the index itself knows: genre, mood, year or popularity.

    Args:
        picture: whose.
        name: which.
        family: of a genre the one that it is coloured as.
    """
    table = picture.index.rows.table
    if name is ColumnName.YEAR:
        return MapColumn.of_numbers(floats(table, "release_year")[picture.rows], np.uint16)
    if name is ColumnName.POPULARITY:
        return MapColumn.of_numbers(floats(table, "popularity")[picture.rows], np.uint8)
    if name is ColumnName.MOOD:
        return _first_tags(table, "moods", picture.rows, str)
    return _first_tags(table, "genres", picture.rows, family)


def _first_tags(table: pa.Table, field: str, rows: Rows, family: Callable[[str], str]) -> MapColumn:
    """By the first tag of each list, which counts most."""
    families: dict[str, int] = {}
    first = np.full(table.num_rows, -1, np.int64)
    for start in range(0, table.num_rows, _AT_ONCE):
        tags = lists(table.slice(start, _AT_ONCE), field)
        lengths = tags.value_lengths().fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        encoded = tags.flatten().dictionary_encode()
        flat = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
        to = [families.setdefault(family(tag), len(families)) for tag in encoded.dictionary.to_pylist()]
        starts = np.cumsum(lengths) - lengths
        first[start + np.flatnonzero(lengths)] = np.array([*to, -1], np.int64)[flat[starts[lengths > 0]]]
    return MapColumn.of_codes(first[rows], list(families))
