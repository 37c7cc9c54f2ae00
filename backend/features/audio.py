"""The twelve audio features: nine as numbers, key and time signature as categories, mode as 0 or 1."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from backend.features.columns import CATEGORIES, CONTINUOUS, Block, Column, Floats, floats, known, missing_flag
from backend.features.numeric import numbers, yes_or_no

PITCH_CLASSES: Final = tuple(range(12))
SIGNATURES: Final = (3, 4, 5)  # beats a bar; all others are one category


def audio(table: pa.Table, *, without: Collection[str] = ()) -> list[Block]:
    """The blocks of the audio features."""
    made = {"key": _key, "mode": lambda t: yes_or_no(t, "mode"), "time_signature": _time_signature}
    continuous = numbers(table, [field for field in CONTINUOUS if field not in without])
    return [continuous, *(made[field](table) for field in CATEGORIES if field not in without)]


def _key(table: pa.Table) -> Block:
    return _categories(table, "key", labels=PITCH_CLASSES, other=False)


def _time_signature(table: pa.Table) -> Block:
    return _categories(table, "time_signature", labels=SIGNATURES, other=True)


def _categories(table: pa.Table, field: str, *, labels: Sequence[int], other: bool) -> Block:
    """A 0/1 column per label, one for other known values if asked for, and whether the value was missing."""
    shown = [*map(str, labels), *(["other"] if other else [])]
    columns = [Column(name=f"{field}_{label}", of=field, kind="category", label=label) for label in shown]

    def write(out: Floats) -> None:
        values, is_known = floats(table, field), known(table, field)
        for i, label in enumerate(labels):
            out[:, i] = values == label
        if other:
            out[:, len(labels)] = is_known & ~np.isin(values, labels)
        out[:, -1] = ~is_known

    return Block(columns=(*columns, missing_flag(field)), write=write)
