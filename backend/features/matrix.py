"""From a table of tracks to the matrix that models are trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from backend.features import target as targets
from backend.features.columns import (
    CATEGORIES,
    CONTINUOUS,
    FEATURES,
    FLAGS,
    NUMERIC,
    TAGS,
    Column,
    Flags,
    floats,
    known_count,
)
from backend.features.pipeline import Audio, Block, Flag, MultiHot, Numbers, TrackFeatures
from backend.features.target import Target

READS: Final = ("id", *TAGS, *NUMERIC, *CONTINUOUS, *CATEGORIES, "explicit", *targets.SCORES, "synthetic", "provenance")
"""The columns of `enhanced_tracks` that a matrix is computed from."""
GENRES: Final = 50
MOODS: Final = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixOptions:
    """What a matrix is to hold.

    Attributes:
        genres: how many of the most frequent genres become columns.
        moods: how many of the most frequent moods become columns.
        min_features: tracks with fewer known fields (of the 19 in `columns.FEATURES`, without what the target hides) are
            left out.
        keep_unlabelled: keep tracks of which the target is unknown; y is NaN (None) there.
        sparse: X is a `scipy.sparse.csr_array`, made batch by batch: the whole of it is never there dense.
    """

    genres: int = GENRES
    moods: int = MOODS
    min_features: int = 3
    keep_unlabelled: bool = False
    sparse: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureMatrix:
    """A matrix with what belongs to it.

    Attributes:
        X: n_tracks × n_features, float32, nothing missing; an array, or a `scipy.sparse.csr_array` where that was asked for.
        columns: what each column of X is.
        y: n_tracks; float64 with NaN where unknown, or names of genres.
        ids: the tracks' ids, n_tracks.
        synthetic: which tracks hold a made-up value, n_tracks.
        provenances: who gave the tracks' values, as JSON text, and of how many tracks.
    """

    X: Any
    columns: tuple[Column, ...]
    y: npt.NDArray[Any]
    ids: list[str]
    target: Target
    synthetic: Flags = field(repr=False)
    provenances: Mapping[str, int] = field(default_factory=dict, repr=False)

    @property
    def names(self) -> list[str]:
        """The names of X's columns."""
        return [column.name for column in self.columns]


def usable(table: pa.Table, target: Target, options: MatrixOptions) -> pa.Table:
    """The tracks that a matrix may hold: enough is known of them, and so is the target (unless kept without)."""
    counted = [name for name in FEATURES if name not in target.hidden_fields]
    keep = known_count(table, counted) >= options.min_features
    if not options.keep_unlabelled:
        keep &= targets.labelled(targets.values(table, target))
    return table if keep.all() else table.filter(pa.array(keep))


def build(
    table: pa.Table, *, target: Target | str = targets.DEFAULT, options: MatrixOptions | None = None
) -> FeatureMatrix:
    """The matrix of a table with the columns `READS`; rows stay in order.

    What is learnt (medians, the top genres and moods) is learnt from the rows that are kept.

    Raises:
        InvalidInputError: the target is none of those there are.
    """
    chosen = options or MatrixOptions()
    aim = targets.parse(target, find_tag=targets.tags_of(table)) if isinstance(target, str) else target
    kept = usable(table, aim, chosen)
    features = TrackFeatures(blocks_for(aim, chosen), sparse=chosen.sparse)
    return FeatureMatrix(
        X=features.fit_transform(kept),
        columns=features.columns_,
        y=targets.values(kept, aim),
        ids=kept.column("id").to_pylist(),
        target=aim,
        synthetic=floats(kept, "synthetic") == 1,
        provenances=_provenances(kept),
    )


def _provenances(table: pa.Table) -> dict[str, int]:
    counted = pc.value_counts(table.column("provenance").combine_chunks()).to_pylist()
    return {str(row["values"]): int(row["counts"]) for row in counted}


def blocks_for(target: Target, options: MatrixOptions) -> tuple[Block, ...]:
    """The blocks of a matrix that shows nothing of its target."""
    hidden = target.hidden_fields

    def shown(fields: Iterable[str]) -> tuple[str, ...]:
        return tuple(field for field in fields if field not in hidden)

    found: list[Block] = [Numbers(fields=shown(NUMERIC)), Audio(fields=shown((*CONTINUOUS, *CATEGORIES)))]
    if "genres" not in hidden:
        found.append(_tags("genres", options.genres, target))
    if "moods" not in hidden:
        found.append(_tags("moods", options.moods, target))
    return (*found, *(Flag(field=field) for field in shown(FLAGS)))


def _tags(field: Literal["genres", "moods"], most: int, target: Target) -> MultiHot:
    own = target.field == field
    without = (target.hidden_tag,) if own and target.hidden_tag else ()
    # Of its own kind's target the flag would tell which rows are unlabelled.
    return MultiHot(field=field, most=most, without=without, flagged=not own)
