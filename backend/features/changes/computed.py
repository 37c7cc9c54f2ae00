"""Columns of features that came, went, or have other values in the rows that both data sets have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from backend.features.changes.change_report import ColumnChange, Count, FeatureChanges
from backend.features.changes.side import Both, quoted
from backend.models.datasets import TARGET

_AT_ONCE: Final = 64  # columns
_ASKS: Final = ("features", "target")  # of a recipe: on which columns there are


def columns(both: Both) -> tuple[tuple[ColumnChange, ...], tuple[ColumnChange, ...]]:
    """What came, what went."""
    was = [f.name for f in both.before.manifest.features]
    now = [f.name for f in both.after.manifest.features]
    asked = any(both.before.recipe.get(name) != both.after.recipe.get(name) for name in _ASKS)
    why = "recipe" if asked else "learnt"
    before, after = set(was), set(now)
    return (
        tuple(ColumnChange(column=c, why=why) for c in now if c not in before),
        tuple(ColumnChange(column=c, why=why) for c in was if c not in after),
    )


def features(both: Both) -> tuple[FeatureChanges, ...]:
    """The columns that have other values, those with the most first.

    Of a row in `touched` the track itself changed; of any other, what was learnt, or how it is computed.
    """
    before, after = both.before, both.after
    otherwise = (
        "recipe" if before.recipe.get("features") != after.recipe.get("features")
        else "learnt" if before.pipeline != after.pipeline
        else "code" if before.manifest.code != after.manifest.code
        else "other"
    )  # fmt: skip
    was, now = both.columns("before_features"), both.columns("after_features")
    common = [c for c in now if c in was and c not in {"id", "part"} and (c != TARGET or was[c] == now[c])]
    found = []
    for chunk in (common[i : i + _AT_ONCE] for i in range(0, len(common), _AT_ONCE)):
        for column, of_tracks, of_learning in _counts(both, chunk):
            why = [Count(why="track", rows=of_tracks), Count(why=otherwise, rows=of_learning)]
            told = tuple(sorted((c for c in why if c.rows), key=lambda c: -c.rows))
            if told:
                found.append(FeatureChanges(column=column, rows=of_tracks + of_learning, why=told))
    return tuple(sorted(found, key=lambda f: (-f.rows, f.column)))


def _counts(both: Both, chunk: Sequence[str]) -> Iterator[tuple[str, int, int]]:
    counting = ", ".join(
        f"count(*) FILTER (b.{quoted(c)} IS DISTINCT FROM a.{quoted(c)} AND t.id IS {null})"
        for c in chunk
        for null in ("NOT NULL", "NULL")
    )
    (row,) = both.rows(
        f"SELECT {counting} FROM before_features b JOIN after_features a USING (id) LEFT JOIN touched t ON t.id = a.id"
    )
    for i, column in enumerate(chunk):
        yield column, row[2 * i], row[2 * i + 1]
