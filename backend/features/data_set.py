"""Building a data set from tracks: rows that can be used, parts that don't leak, features learnt from the first part alone."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from backend.features import target as targets
from backend.features.columns import FEATURES, known_count
from backend.features.pipeline import Engine, TrackFeatures, recipe
from backend.features.pipeline.block import Block
from backend.features.pipeline.hiding import without_target
from backend.features.pipeline.times import Times
from backend.features.pipeline.track_features import DEFAULT as DEFAULT_BLOCKS
from backend.features.splits import Certificate, Split, SplitRecipe, assign, certify
from backend.features.splits.naive import NaiveGain, naive_gain
from backend.features.target import Target
from backend.models.datasets import ID, TARGET, Recipe
from backend.utils.errors import InvalidInputError

_PART: Final = re.compile(r"[0-9A-Za-z_-]{1,60}")
_SEEDS: Final = 3
_GAIN_ROWS: Final = 20_000  # learnt from, for the gain of a naive split: a small model that takes seconds
DEFAULT_SPLIT: Final[Mapping[str, Any]] = {
    "kind": "artist",
    "parts": {"train": 0.8, "validation": 0.1, "test": 0.1},
    "seed": 0,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A data set in memory.

    Attributes:
        tracks: per part the rows as they were read, by id.
        features: per part `id`, `target` where there is one, then a float32 column per feature; the same rows.
        pipeline: fitted on the first part.
        split: of all rows that could be used.
        certificate: what its parts share, and whether any held-out row was learnt from.
        gain: what a naive random split of the same rows would have gained; None where it was not asked for.
        unmeasured: why that could not be measured; "" when it was, or was not asked for.
        target: what is to be predicted; None for none.
        target_kind: "number", "class", "flag", or None.
    """

    tracks: Mapping[str, pa.Table]
    features: Mapping[str, pa.Table]
    pipeline: TrackFeatures
    split: Split
    certificate: Certificate
    gain: NaiveGain | None
    unmeasured: str
    target: Target | None
    target_kind: str | None


def build(tracks: pa.Table, asked: Recipe, *, day: date, engine: Engine | None = None) -> Built:
    """A data set of these tracks.

    Args:
        tracks: all that the recipe's filter takes, ordered by id, with the public columns.
        asked: the recipe.
        day: of the data set, for ages.
        engine: computes features.

    Raises:
        InvalidInputError: the recipe cannot be followed, or the first part would be empty.
    """
    split_recipe = SplitRecipe.from_plain(asked.split or DEFAULT_SPLIT)
    if split_recipe.folds is not None:
        raise InvalidInputError(
            "a data set's features are learnt from its first part, so folds have no meaning here: leave them out, and deal the "
            "rows of the first part into folds with features.splits when you train"
        )
    if strange := [name for name in split_recipe.names if not _PART.fullmatch(name)]:
        raise InvalidInputError(
            f"a part of a data set cannot be called {strange[0][:80]!r}: files are called by it, so at most 60 letters, digits, "
            "'-' and '_' are allowed"
        )
    aim = None if asked.target is None else targets.parse(asked.target, find_tag=targets.tags_of(tracks))
    blocks = blocks_of(asked, aim, day=day)
    kept = _usable(tracks, aim, asked)
    split = assign(kept, split_recipe)
    parts = {name: kept.take(pa.array(split.rows(name))) for name in split.names}
    first = split.names[0]
    if not parts[first].num_rows:
        raise InvalidInputError(
            f"the part {first}, which everything is learnt from, would be empty: {tracks.num_rows:,} tracks fit the filter, "
            f"{kept.num_rows:,} of them can be used; loosen the filter, min_features or the split"
        )
    pipeline = TrackFeatures(blocks, engine=engine).fit(parts[first])
    features = {name: _featured(table, pipeline, aim) for name, table in parts.items()}
    gain, unmeasured = _gain(features, split, aim) if aim is not None and asked.naive_gain else (None, "")
    return Built(
        tracks=parts,
        features=features,
        pipeline=pipeline,
        split=split,
        certificate=certify(kept, split, fitted_on=parts[first].column(ID).to_pylist()),
        gain=gain,
        unmeasured=unmeasured,
        target=aim,
        target_kind=None if aim is None else kind_of(aim),
    )


def blocks_of(asked: Recipe, aim: Target | None, *, day: date) -> tuple[Block, ...]:
    """The blocks of a recipe, without what would show the target.

    Raises:
        InvalidInputError: a block cannot be read, or none is left.
    """
    if asked.features:
        # An age is reckoned on the data set's day where the recipe names none.
        told = [{"day": day.isoformat(), **f} if f.get("kind") == Times.kind else f for f in asked.features]
        blocks = tuple(recipe.from_json(values) for values in told)
    else:
        blocks = DEFAULT_BLOCKS
    found = blocks if aim is None else without_target(blocks, aim)
    if not found:
        raise InvalidInputError(f"no block of features is left that does not show the target {asked.target}")
    return found


def kind_of(target: Target) -> str:
    """Of what kind y is: "number", "class" (names), or "flag" (0 and 1)."""
    return {"number": "number", "tag": "flag", "first": "class"}[target.kind]


def _gain(features: Mapping[str, pa.Table], split: Split, aim: Target) -> tuple[NaiveGain | None, str]:
    """What a random split would have gained, or why that cannot be told."""
    dealt = pa.concat_tables(features.values())
    place = pc.index_in(split.ids, dealt.column(ID).combine_chunks())
    known = np.asarray(place.is_valid())
    rows = place.fill_null(0).to_numpy()
    matrix = np.column_stack([dealt.column(c).to_numpy() for c in dealt.column_names if c not in {ID, TARGET}])
    target = dealt.column(TARGET)
    # A flag is two classes: how far off a regression on 0 and 1 is says little.
    y = target.to_numpy() if aim.kind == "number" else np.array(target.cast(pa.string()).to_pylist(), object)
    x = np.where(known[:, None], matrix[rows], np.float32(np.nan))
    labels = y[rows]
    labels[~known] = None if labels.dtype == object else np.nan
    try:
        found = naive_gain(x, labels, split, seeds=_SEEDS, most_rows=_GAIN_ROWS)
    except InvalidInputError as problem:
        return None, str(problem)
    return found, ""


def _usable(tracks: pa.Table, aim: Target | None, asked: Recipe) -> pa.Table:
    hidden = frozenset() if aim is None else aim.hidden_fields
    keep = known_count(tracks, [name for name in FEATURES if name not in hidden]) >= asked.min_features
    if aim is not None and not asked.keep_unlabelled:
        keep &= targets.labelled(targets.values(tracks, aim))
    return tracks if keep.all() else tracks.filter(pa.array(keep))


def _featured(tracks: pa.Table, pipeline: TrackFeatures, aim: Target | None) -> pa.Table:
    columns: dict[str, Any] = {ID: tracks.column("id")}
    if aim is not None:
        y = targets.values(tracks, aim)
        columns[TARGET] = (
            pa.array(y, pa.string()) if aim.kind == "first" else pa.array(y, pa.float64(), from_pandas=True)
        )
    computed = pipeline.batches(tracks).read_all()
    taken = {ID, TARGET} & set(computed.column_names)
    if taken:
        raise InvalidInputError(f"a feature is called {', '.join(sorted(taken))}, which a data set keeps for itself")
    return pa.table({**columns, **{name: computed.column(name) for name in computed.column_names}})
